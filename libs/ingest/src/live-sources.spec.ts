import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, openMetrics, silentLog, systemClock, type Config } from '@flowledger/platform';
import { makeAuthority } from '@flowledger/testkit';
import { hasSource, openLiveSources, type LiveSource } from './live-sources.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowledger-sources-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function configOf(...words: readonly string[]): Config {
  const argv = ['--data-dir', folder, ...words];
  const result = loadConfig({ argv, env: {}, readFile: () => '' });
  if (!result.ok) throw new Error(result.problems.join());
  return result.config;
}

function open(...words: readonly string[]): Promise<readonly LiveSource[]> {
  return openLiveSources({
    config: configOf(...words),
    partitions: 4,
    appender: () => () => Promise.resolve(),
    clock: systemClock,
    log: silentLog,
    metrics: openMetrics(),
  });
}

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

describe('the configured live sources', () => {
  it('are none by default', async () => {
    expect(await open()).toEqual([]);
    expect(hasSource(configOf())).toBe(false);
  });

  it('are one for each relay address and one for all followed files', async () => {
    const words = ['--hubble-relay', 'a:1,b:2', '--follow-file', '/x/*.log', '--follow-file', '/y/*.log'];
    const sources = await open(...words);
    expect(
      sources.flatMap(({ states }) => states.map(({ source, target }) => `${source} ${target}`)),
    ).toEqual(['relay a:1', 'relay b:2', 'file /x/*.log, /y/*.log']);
    expect(hasSource(configOf(...words))).toBe(true);
  });

  it('read agents where the mode says so', async () => {
    const [source] = await open('--hubble-relay', 'a:1', '--source-relay-mode', 'peers');
    expect(source?.states.map((state) => state.source)).toEqual(['peers']);
  });

  it('take certificates that are some', async () => {
    const authority = makeAuthority();
    const pair = authority.issue(['x.test']);
    const words = ['--hubble-relay', 'a:1', '--source-relay-tls', 'true'];
    const ca = ['--source-relay-tls-ca', await file('ca.pem', authority.certificate)];
    const own = ['--source-relay-tls-cert', await file('cert.pem', pair.certificate)];
    const key = ['--source-relay-tls-key', await file('key.pem', pair.key)];
    expect(await open(...words, ...ca, ...own, ...key)).toHaveLength(1);
    const other = ['--source-relay-tls-key', await file('other.pem', authority.issue(['y.test']).key)];
    const refused = { code: 'CONFIG_INVALID', retry: false };
    await expect(open(...words, ...ca, ...own, ...other)).rejects.toMatchObject(refused);
    await expect(open(...words, ...ca, ...own)).rejects.toMatchObject(refused);
    const none = ['--source-relay-tls-ca', await file('none.pem', 'nothing')];
    await expect(open(...words, ...none, '--source-relay-tls-cert', 'missing.pem')).rejects.toMatchObject(
      refused,
    );
  });

  it('are refused with every problem of their policy', async () => {
    const policy = await file('policy.yaml', 'version: 1\nsample: [{ keep: half, kind: [all] }]\n');
    const words = ['--follow-file', '/x/*.log', '--source-sampling-policy', policy];
    await expect(open(...words)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/policy\.yaml: sample\[0\]\.keep.*sample\[0\]\.kind/),
    });
  });
});
