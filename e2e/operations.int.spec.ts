import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Simulation, toJsonLine } from '@flowledger/simulator';
import { startTestStore } from '@flowledger/testkit';
import { ask, run, start, temporary, type Started } from './command.js';

const COUNTS =
  '{ drops(window: { last: "24h" }) { total } flows(window: { last: "24h" }, last: 1) { totalCount { value } } coverage(window: { last: "24h" }) { unaccounted } }';
interface Counts {
  readonly drops: { readonly total: number };
  readonly flows: { readonly totalCount: { readonly value: number } };
  readonly coverage: { readonly unaccounted: number };
}

const REJECTED = { json_syntax: 1, json_value: 1 };
let directory: Awaited<ReturnType<typeof temporary>>;
let group: Started;
let data: readonly string[];

function lines(): string[] {
  const to = BigInt(Math.floor(Date.now() / 1000) - 600) * 1_000_000_000n;
  const simulation = new Simulation({
    seed: 11,
    from: to - 60_000_000_000n,
    to,
    callsPerSecond: 20,
    scenario: 'test',
  });
  return [...simulation.events()].map(toJsonLine);
}

async function json(words: readonly string[]): Promise<Record<string, unknown>> {
  const done = await run(words);
  expect(done.code, `${words.join(' ')}: ${done.err}${done.out}`).toBe(0);
  return JSON.parse(done.out.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

beforeAll(async () => {
  directory = await temporary();
  data = ['--data-dir', join(directory.path, 'data'), '--port', '0', '--no-demo'];
  group = await start(data);
  const file = join(directory.path, 'export.jsonl');
  const broken = ['{"flow": {"time": "2026-01-01T00:00:00Z", "verdict":', '{"flow": 7}'];
  await writeFile(file, `${[...lines(), ...broken].join('\n')}\n`);
  expect(await json(['import', file, ...data])).toMatchObject({ rejected: REJECTED });
}, 180_000);

afterAll(async () => {
  await group.stop();
  await directory.remove();
});

describe('flowledger dlq', () => {
  it('lists dead letters by reason, shows one with its bytes, and says when there is none of that id', async () => {
    const { reasons, letters } = (await json(['dlq', 'list', '--json', ...data])) as {
      reasons: readonly object[];
      letters: readonly { id: string }[];
    };
    const one = { codec: 'hubble.export_json', letters: '1', open: '1' };
    expect(reasons).toMatchObject([
      { ...one, reason: 'json_syntax' },
      { ...one, reason: 'json_value' },
    ]);
    const shown = await run(['dlq', 'show', letters[0]?.id ?? '', ...data]);
    expect(JSON.parse(shown.out)).toMatchObject({
      redriven: false,
      content: expect.stringContaining('"flow"') as string,
    });
    expect(await run(['dlq', 'show', '1/2/3/4', ...data])).toMatchObject({
      code: 1,
      err: 'flowledger: no dead letter 1/2/3/4\n',
    });
  }, 30_000);

  it('gives letters back to the log once; what is still broken is a new letter, and the books close', async () => {
    expect(await json(['dlq', 'redrive', ...data])).toMatchObject({
      read: 2,
      accepted: 0,
      rejected: REJECTED,
      notInLog: 0,
    });
    const { reasons } = await json(['dlq', 'list', '--json', ...data]);
    expect(reasons).toMatchObject([
      { letters: '2', open: '1' },
      { letters: '2', open: '1' },
    ]);
    expect((await ask<Counts>(group.url, COUNTS)).coverage.unaccounted).toBe(0);
  }, 60_000);
});

describe('flowledger doctor', () => {
  it('finds nothing unsafe in a fresh installation, and its audit closes', async () => {
    const { findings, audit } = await json(['doctor', '--audit', '--json', ...data]);
    const unsafe = (findings as readonly { level: string }[]).filter(({ level }) => level === 'unsafe');
    expect(unsafe).toEqual([]);
    expect(audit).toMatchObject({ ok: true });
  }, 60_000);

  it('calls a log that is not synced unsafe against power cuts and a store that is not there unsafe', async () => {
    const done = await run([
      'doctor',
      '--data-dir',
      join(directory.path, 'nothing'),
      '--log-durability',
      'process',
    ]);
    expect(done.code).toBe(1);
    expect(done.out).toMatch(/warn +durability +P1 /);
    expect(done.out).toMatch(/unsafe +store +P13 /);
  }, 60_000);
});

describe('flowledger backup and restore', () => {
  it('brings back the same answers in an empty directory, and refuses a damaged backup and a used directory', async () => {
    const folder = join(directory.path, 'backup');
    expect(await json(['backup', folder, ...data])).toMatchObject({ schema: expect.any(Number) as number });
    expect(await json(['backup', folder, '--verify', ...data])).toMatchObject({ damaged: 0 });
    expect((await run(['restore', folder, ...data])).err).toMatch(/already holds log and store|is in use/);
    const replayed = await json(['replay', '--archive', folder, ...data]);
    expect(replayed).toMatchObject({ differences: [], refused: [], swapped: false });
    const other = ['--data-dir', join(directory.path, 'restored'), '--port', '0', '--no-demo'];
    await json(['restore', folder, ...other]);
    const before = await ask<Counts>(group.url, COUNTS);
    const restored = await start(other);
    try {
      expect(await ask<Counts>(restored.url, COUNTS)).toEqual(before);
      expect(before.flows.totalCount.value).toBeGreaterThan(1000);
    } finally {
      await restored.stop();
    }
    const manifest = JSON.parse(await readFile(join(folder, 'backup.json'), 'utf8')) as {
      pieces: { path: string }[];
    };
    await writeFile(join(folder, manifest.pieces[0]?.path ?? ''), 'damaged');
    const refused = await run(['restore', folder, '--data-dir', join(directory.path, 'third')]);
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/^flowledger: damaged: /)]);
  }, 120_000);
});

describe('flowledger move', () => {
  it('brings every table of a stopped installation to a server, and refuses while it runs', async () => {
    const server = await startTestStore();
    try {
      const file = join(directory.path, 'production.yaml');
      const password = server.password('writer');
      const target = { url: server.url, user: 'writer', password, database: 'moved' };
      const moved = { store: target, data: { dir: join(directory.path, 'production') } };
      await writeFile(file, JSON.stringify(moved));
      expect((await run(['move', '--to', file, ...data])).err).toMatch(/is in use by process/);
      await group.stop();
      const report = await json(['move', '--to', file, ...data]);
      expect(report).toMatchObject({ differences: [] });
      expect(report['rows']).toBeGreaterThan(1000);
      const again = await run(['move', '--to', file, ...data]);
      expect([again.code, again.err]).toEqual([1, expect.stringContaining('already holds rows')]);
    } finally {
      await server.stop();
      group = await start(data);
    }
  }, 180_000);
});
