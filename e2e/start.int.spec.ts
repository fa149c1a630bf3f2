import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Simulation, toJsonLine } from '@flowledger/simulator';
import { unusedPort } from '@flowledger/testkit';
import { ask, eventually, run, start, temporary, type Started } from './command.js';

const COVERAGE = '{ coverage(window: { last: "24h" }) { status unaccounted eventsLostUpstream } }';
interface Coverage {
  readonly coverage: {
    readonly status: string;
    readonly unaccounted: number;
    readonly eventsLostUpstream: number;
  };
}

/** One moment for all files of this run, so that two of them can overlap. */
const BEGAN_S = BigInt(Math.floor(Date.now() / 1000) - 600);

let directory: Awaited<ReturnType<typeof temporary>>;
let group: Started;
let port: number;

function exportLines(seconds: number): string[] {
  const to = BEGAN_S * 1_000_000_000n;
  const simulation = new Simulation({
    seed: 7,
    from: to - BigInt(seconds) * 1_000_000_000n,
    to,
    callsPerSecond: 20,
    scenario: 'test',
  });
  return [...simulation.events()].map(toJsonLine);
}

async function summaryOf(file: string, words: readonly string[]): Promise<Record<string, unknown>> {
  const done = await run(['import', file, ...words]);
  expect(done.err).toBe('');
  expect(done.code).toBe(0);
  const last = done.out.trimEnd().split('\n').at(-1) ?? '';
  return JSON.parse(last) as Record<string, unknown>;
}

beforeAll(async () => {
  directory = await temporary();
  port = await unusedPort();
  group = await start(['--data-dir', directory.path, '--port', String(port), '--no-demo']);
}, 120_000);
afterAll(async () => {
  await group.stop();
  await directory.remove();
});

describe('flowledger start', () => {
  it('prints the ready line for scripts and answers health, schema and queries at once', async () => {
    expect(group.url).toBe(`http://127.0.0.1:${port}`);
    const health = await fetch(`${group.url}/healthz`);
    expect([health.status, (await health.json()) as unknown]).toMatchObject([200, { ok: true }]);
    expect(await (await fetch(`${group.url}/graphql/schema.graphql`)).text()).toContain('type Query');
    expect((await ask<Coverage>(group.url, COVERAGE)).coverage).toMatchObject({
      status: 'NO_SOURCE',
      unaccounted: 0,
    });
  });

  it('refuses a second start on the same directory and on the same port in one clear line', async () => {
    const same = await run(['start', '--data-dir', directory.path, '--port', '0', '--no-demo']);
    expect(same.code).toBe(78);
    expect(same.err).toMatch(/^flowledger: .* is in use by process \d+\n$/);
    const other = await temporary();
    const busy = await run(['start', '--data-dir', other.path, '--port', String(port), '--no-demo']);
    await other.remove();
    expect(busy.code).toBe(78);
    expect(busy.err).toBe(`flowledger: port ${port} is in use\n`);
  });

  it('refuses a directory that cannot be written, a wrong option and an unknown command', async () => {
    const file = join(directory.path, 'a-file');
    await writeFile(file, '');
    const unwritable = await run(['start', '--data-dir', join(file, 'below'), '--no-demo']);
    expect(unwritable.code).toBe(78);
    expect(unwritable.err).toMatch(/^flowledger: cannot write to .*\n$/);
    expect(await run(['start', '--prot', '1'])).toMatchObject({
      code: 78,
      err: 'flowledger: --prot: unknown option\n',
    });
    expect((await run(['strat'])).code).toBe(64);
  });

  it('refuses to listen beyond this machine without a token', async () => {
    const other = await temporary();
    const open = await run([
      'start',
      '--data-dir',
      other.path,
      '--host',
      '0.0.0.0',
      '--port',
      '0',
      '--no-demo',
    ]);
    await other.remove();
    expect(open.code).not.toBe(0);
    expect(open.err).toMatch(/token/);
  });
});

describe('flowledger import', () => {
  it('stores every line once, tells what became of each, and changes nothing the second time', async () => {
    const lines = exportLines(60);
    const file = join(directory.path, 'flows.jsonl.gz');
    await writeFile(file, gzipSync([...lines, 'not json', '{"flow":{}}', ''].join('\n')));
    const first = await summaryOf(file, ['--url', group.url]);
    const rejected = Object.values(first['rejected'] as Record<string, number>).reduce((a, b) => a + b, 0);
    const skipped = Object.values(first['skipped'] as Record<string, number>).reduce((a, b) => a + b, 0);
    expect(first['read']).toBe(lines.length + 2);
    expect(Number(first['accepted']) + Number(first['duplicate']) + rejected + skipped).toBe(first['read']);
    expect(rejected).toBeGreaterThanOrEqual(1);
    expect(first['accepted']).toBeGreaterThanOrEqual(lines.length - skipped);

    const second = await summaryOf(file, ['--data-dir', directory.path]);
    expect(second).toMatchObject({ read: first['read'], accepted: 0, duplicate: first['read'] });
    expect((await ask<Coverage>(group.url, COVERAGE)).coverage.unaccounted).toBe(0);
  });

  it('recognises events that came before in another file', async () => {
    const lines = exportLines(60);
    const file = join(directory.path, 'shifted.jsonl');
    await writeFile(file, lines.slice(5).join('\n'));
    expect(await summaryOf(file, ['--url', group.url])).toMatchObject({
      accepted: 0,
      duplicate: lines.length - 5,
    });
  });

  it('reads standard input', async () => {
    const done = await run(['import', '-', '--url', group.url], 'nonsense\n');
    expect(JSON.parse(done.out) as unknown).toMatchObject({ read: 1, accepted: 0 });
  });

  it('says which file cannot be read', async () => {
    const done = await run(['import', join(directory.path, 'gone'), '--url', group.url]);
    expect(done.code).not.toBe(0);
    expect(done.err).toMatch(/cannot read .*gone/);
    await mkdir(join(directory.path, 'folder'));
    expect((await run(['import', join(directory.path, 'folder'), '--url', group.url])).err).toMatch(
      /is not a file/,
    );
  });
});

describe('flowledger status', () => {
  it('names every process; a killed worker comes back and nothing is unaccounted', async () => {
    const pid = async (): Promise<number> =>
      Number((await run(['status', '--data-dir', directory.path, '--pid', 'worker'])).out);
    const worker = await pid();
    process.kill(worker, 'SIGKILL');
    await eventually('another worker', 20_000, async () => {
      const now = await pid();
      return now > 0 && now !== worker;
    });
    await writeFile(join(directory.path, 'more.jsonl'), exportLines(90).join('\n'));
    await summaryOf(join(directory.path, 'more.jsonl'), ['--url', group.url]);
    expect((await ask<Coverage>(group.url, COVERAGE)).coverage.unaccounted).toBe(0);
    const shown = await run(['status', '--data-dir', directory.path]);
    for (const name of ['supervisor', 'store', 'ingestor', 'worker', 'api', '0 events unaccounted'])
      expect(shown.out).toContain(name);
  }, 60_000);
});

describe('stopping and starting again', () => {
  it('drains on SIGTERM with exit code 0 within 25 s, and the next start finds the data', async () => {
    const before = await ask<{ namespaces: { name: string; flows: number }[] }>(
      group.url,
      '{ namespaces(window: { last: "24h" }) { name flows } }',
    );
    const { code, ms } = await group.stop();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(25_000);
    group = await start(['--data-dir', directory.path, '--port', String(port), '--no-demo']);
    const after = await ask<{ namespaces: { name: string; flows: number }[] }>(
      group.url,
      '{ namespaces(window: { last: "24h" }) { name flows } }',
    );
    expect(after).toEqual(before);
    expect(before.namespaces.length).toBeGreaterThan(2);
    process.stdout.write(`second start to ready: ${Math.round(group.readyMs)} ms\n`);
  }, 90_000);

  it('imports into a directory on which nothing runs', async () => {
    const other = await temporary();
    const file = join(other.path, 'flows.jsonl');
    const lines = exportLines(20);
    await writeFile(file, lines.join('\n'));
    const done = await run(['import', file, '--data-dir', join(other.path, 'data')]);
    await other.remove();
    expect(done.code).toBe(0);
    expect(JSON.parse(done.out.trimEnd().split('\n').at(-1) ?? '') as unknown).toMatchObject({
      read: lines.length,
    });
  }, 90_000);
});
