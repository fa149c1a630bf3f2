import { describe, expect, it } from 'vitest';
import { configurationReference, settings } from './describe.js';
import { loadConfig, maskedConfig } from './load.js';
import { childEnvironment } from '../run-process.js';

const load = (argv: string[], env: Record<string, string> = {}, files: Record<string, string> = {}) =>
  loadConfig({
    argv,
    env,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error('ENOENT');
      return text;
    },
  });

describe('configuration', () => {
  it('has a default for every key', () => {
    const result = load([]);
    expect(result.ok && result.config.api.port).toBe(7117);
    expect(result.ok && result.config.sink.maxAge).toBe(1000);
  });

  it('lets a flag win over the environment and the environment over the file', () => {
    const files = { 'f.yaml': 'api:\n  port: 1\nsink:\n  maxRows: 100\ndata:\n  dir: /f\n' };
    const result = load(
      ['--config', 'f.yaml', '--port', '3'],
      { FLOWLEDGER_API_PORT: '2', FLOWLEDGER_SINK_MAX_ROWS: '200' },
      files,
    );
    expect(result.ok && [result.config.api.port, result.config.sink.maxRows, result.config.data.dir]).toEqual(
      [3, 200, '/f'],
    );
  });

  it('gives every key a flag and an environment name of its own, and reads both', () => {
    const all = settings();
    expect(new Set(all.map((s) => s.flagName)).size).toBe(all.length);
    expect(new Set(all.map((s) => s.environment)).size).toBe(all.length);
    expect(all.map((s) => s.environment)).toContain('FLOWLEDGER_API_ALLOWED_HOSTS');
    const result = load(['--hubble-file', 'a', '--hubble-file=b,c', '--no-demo', '--insecure']);
    expect(result.ok && result.config.source.hubbleFiles).toEqual(['a', 'b', 'c']);
    expect(result.ok && [result.config.demo.enabled, result.config.api.insecure]).toEqual(['false', true]);
  });

  it('lists all problems at once, each with its path', () => {
    const files = { 'bad.yaml': 'api:\n  prot: 1\nsinks: {}\n' };
    const result = load(
      ['--config', 'bad.yaml', '--sink-max-age', '5', '--what'],
      { FLOWLEDGER_NOPE: '1', FLOWLEDGER_API_PORT: '70000' },
      files,
    );
    expect(result.ok).toBe(false);
    const text = result.ok ? '' : result.problems.join('\n');
    for (const part of [
      '--what: unknown option',
      'FLOWLEDGER_NOPE',
      'unknown key: prot',
      'unknown key: sinks',
      'sink.maxAge',
      'api.port',
    ]) {
      expect(text).toContain(part);
    }
  });

  it.each(['5', '5 minutes', '-1s', '1e9d', '3000000h'])('refuses the duration %s', (value) => {
    expect(load(['--sink-max-age', value]).ok).toBe(false);
  });

  it.each([
    ['duplicate key', 'api:\n  port: 1\n  port: 2\n'],
    ['tab', 'api:\n\tport: 1\n'],
    ['list at the top', '- a\n'],
    [
      'alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n`,
    ],
  ])('refuses a YAML file with a %s', (_name, text) => {
    expect(load(['--config', 'f'], {}, { f: text }).ok).toBe(false);
  });

  it('takes an empty file as no settings and a missing one as a problem', () => {
    expect(load(['--config', 'f'], {}, { f: '' }).ok).toBe(true);
    expect(load(['--config', 'gone']).ok).toBe(false);
  });

  it('leaves the switches of the test suite alone', () => {
    expect(load([], { FLOWLEDGER_TEST_REQUIRE_SERVICES: '1' }).ok).toBe(true);
  });

  it('takes secrets from the environment, never from a flag, and never prints them', () => {
    const refused = load(['--api-token', 'hush-hush']);
    expect(refused.ok ? '' : refused.problems.join()).toMatch(/FLOWLEDGER_API_TOKEN/);
    expect(JSON.stringify(refused)).not.toContain('hush-hush');
    const taken = load([], { FLOWLEDGER_API_TOKEN: 'hush-hush' });
    if (!taken.ok) throw new Error(taken.problems.join());
    expect(taken.config.api.token).toBe('hush-hush');
    expect(JSON.stringify(maskedConfig(taken.config))).not.toContain('hush-hush');
  });

  it('gives a child process exactly the same configuration through its environment', () => {
    const first = load([
      '--sink-max-age',
      '30s',
      '--log-retention-size',
      '3GiB',
      '--hubble-file',
      'a,b',
      '--no-demo',
    ]);
    if (!first.ok) throw new Error(first.problems.join());
    const environment = Object.entries(childEnvironment(first.config)).filter(([name]) =>
      name.startsWith('FLOWLEDGER_'),
    );
    const second = load([], Object.fromEntries(environment));
    expect(second).toEqual(first);
  });

  it('documents every key', () => {
    const page = configurationReference();
    for (const setting of settings()) expect(page).toContain(`\`${setting.path}\``);
    expect(page).toContain('| 24h |');
  });
});
