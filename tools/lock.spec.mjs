import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));

/** The native parts that packages bring for other platforms than the one that wrote the lock file. */
const optional = Object.entries(packages).flatMap(([path, entry]) =>
  Object.keys(entry.optionalDependencies ?? {}).map((name) => ({ path, name })),
);

describe('package-lock.json', () => {
  it('knows the native parts of every platform, without which npm 10 installs none there and npm ci refuses', () => {
    const missing = optional.filter(
      ({ path, name }) =>
        !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
    );
    expect(optional.length).toBeGreaterThan(30);
    expect(missing).toEqual([]);
  });

  it('names the platform of each, so that only the right one is fetched', () => {
    const names = [
      '@chdb/lib-darwin-arm64',
      '@chdb/lib-darwin-x64',
      '@chdb/lib-linux-arm64-gnu',
      '@chdb/lib-linux-x64-gnu',
    ];
    for (const name of names) {
      const { os, cpu, version } = packages[`node_modules/${name}`];
      expect([...os, ...cpu]).toEqual(name.match(/(darwin|linux)-(arm64|x64)/).slice(1));
      expect(version).toBe(packages['node_modules/chdb'].optionalDependencies[name]);
    }
  });

  it('carries no address of a registry', () => {
    expect(Object.values(packages).filter((entry) => entry.resolved?.startsWith('http'))).toEqual([]);
  });
});
