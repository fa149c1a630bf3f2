import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate, type ColumnStore } from '@flowledger/column-store';
import { LOADER_GROUP, openEmbeddedLog } from '@flowledger/event-log';
import { silentLog } from '@flowledger/platform';
import { Simulation } from '@flowledger/simulator';
import { audit, runLoader } from '@flowledger/sink';
import {
  MIGRATIONS,
  startTestPipeline,
  startTestStore,
  type TestPipeline,
  type TestStore,
} from '@flowledger/testkit';
import {
  backUp,
  compareStores,
  moveTables,
  restoreLog,
  restorePolicies,
  restoreTables,
  verifyBackup,
} from './index.js';

const NOW = Date.UTC(2026, 5, 1, 12);
const KEPT_DAYS = 20_000;
const never = new AbortController().signal;
let pipeline: TestPipeline;
let other: TestStore;
let directory: string;
/** Does not exist until a test makes it, as where nobody watches Kubernetes. */
let policyDirectory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'flowledger-archive-'));
  policyDirectory = join(directory, 'policies');
  [pipeline, other] = await Promise.all([startTestPipeline({ nowMs: NOW }), startTestStore()]);
});

afterAll(async () => {
  await Promise.all([pipeline.stop(), other.stop()]);
  rmSync(directory, { recursive: true, force: true });
});

function events(seed: number, minutes: number) {
  const from = BigInt(NOW - 3_600_000) * 1_000_000n;
  const to = from + BigInt(minutes) * 60_000_000_000n;
  return [...new Simulation({ seed, from, to, callsPerSecond: 5, scenario: 'test' }).events()];
}

async function emptyStore(database: string): Promise<ColumnStore> {
  const connection = { url: other.url, database, user: 'writer', password: other.password('writer') };
  const variables = { RAW_TTL_DAYS: KEPT_DAYS, ROLLUP_TTL_DAYS: KEPT_DAYS, HOUR_TTL_DAYS: KEPT_DAYS };
  await migrate(connection, { directory: MIGRATIONS, variables });
  return other.store('writer', database);
}

describe('a backup', () => {
  it('made while events come in is restored exactly, and the loader goes on from it', async () => {
    await pipeline.feed(events(1, 10));
    await pipeline.loaded();
    const feeding = pipeline.feed(events(2, 20));
    const folder = join(directory, 'online');
    const logDirectory = pipeline.logDirectory;
    const place = { store: pipeline.store, database: 'flowledger', logDirectory, policyDirectory };
    const manifest = await backUp({ ...place, folder, version: 'test', now: () => NOW }, never);
    await feeding;
    expect(manifest.pieces.length).toBeGreaterThan(5);
    expect((await verifyBackup(folder, never)).damaged).toEqual([]);

    const restored = join(directory, 'restored-log');
    await restoreLog(folder, restored);
    const store = await emptyStore('online');
    await restoreTables({ folder, store, database: 'online' }, never);
    const log = await openEmbeddedLog({ directory: restored, mode: 'writer', durability: 'process' });
    const stopping = new AbortController();
    const loader = runLoader(
      {
        log,
        store,
        group: LOADER_GROUP,
        logger: silentLog,
        rawTtlDays: KEPT_DAYS,
        limits: { maxAgeMs: 100 },
      },
      stopping.signal,
    );
    const report = async () => audit({ log, store, rawTtlDays: KEPT_DAYS, nowMs: NOW }, never);
    await expect
      .poll(async () => (await report()).partitions.map((p) => p.pending), { timeout: 60_000 })
      .toEqual([0, 0]);
    await expect.poll(async () => (await report()).ok, { timeout: 30_000 }).toBe(true);
    stopping.abort();
    await loader.done;
    await log.close();
  }, 120_000);

  it('equals the live tables row for row once nothing comes in, rollups included', async () => {
    await pipeline.loaded();
    const folder = join(directory, 'still');
    const place = { store: pipeline.store, database: 'flowledger', logDirectory: undefined, policyDirectory };
    await backUp({ ...place, folder, version: 'test', now: () => NOW }, never);
    const store = await emptyStore('still');
    await restoreTables({ folder, store, database: 'still' }, never);
    const compared = await compareStores(pipeline.store, store, never);
    expect(compared.differences).toEqual([]);
    expect(compared.rows).toBeGreaterThan(5_000);
  }, 120_000);

  it('is refused when a file of it was changed, when it was cut, and when the tables hold rows', async () => {
    const folder = join(directory, 'still');
    const [name] = (await readdir(join(folder, 'tables', 'flows'))).toSorted();
    writeFileSync(join(folder, 'tables', 'flows', name ?? ''), 'not what it was');
    const { damaged } = await verifyBackup(folder, never);
    expect(damaged.map((file) => file.path)).toEqual([join('tables', 'flows', name ?? '')]);
    await expect(verifyBackup(directory, never)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const store = other.store('writer', 'still');
    await expect(restoreTables({ folder, store, database: 'still' }, never)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('already holds rows') as string,
    });
  });
});

describe('the policies that were seen', () => {
  const STATE = '00001700000000000000.json';
  const policies = '[{"kind":"CiliumNetworkPolicy"}]';
  const place = () => ({
    store: pipeline.store,
    database: 'flowledger',
    logDirectory: undefined,
    policyDirectory,
    version: 'test',
    now: () => NOW,
  });

  it('come back with a backup, and no half of one that is being written', async () => {
    mkdirSync(policyDirectory);
    writeFileSync(join(policyDirectory, STATE), policies);
    writeFileSync(join(policyDirectory, `${STATE}.tmp`), '[{"kind":');
    const folder = join(directory, 'with-policies');
    const manifest = await backUp({ ...place(), folder }, never);
    expect(manifest.policies?.map(({ path }) => path)).toEqual([join('policies', STATE)]);

    const restored = join(directory, 'restored-policies');
    expect(await restorePolicies(folder, restored)).toBe(1);
    expect(readFileSync(join(restored, STATE), 'utf8')).toBe(policies);
    await expect(restorePolicies(folder, restored)).rejects.toMatchObject({ code: 'CONFLICT' });

    writeFileSync(join(folder, 'policies', STATE), 'not what it was');
    const { damaged } = await verifyBackup(folder, never);
    expect(damaged.map(({ path }) => path)).toEqual([join('policies', STATE)]);
  }, 60_000);

  it('are missing in a backup of a version that kept none, which is whole without them', async () => {
    const folder = join(directory, 'earlier');
    const { policies: _, ...earlier } = await backUp({ ...place(), folder }, never);
    rmSync(join(folder, 'policies'), { recursive: true });
    writeFileSync(join(folder, 'backup.json'), JSON.stringify(earlier));
    expect((await verifyBackup(folder, never)).damaged).toEqual([]);
    const restored = join(directory, 'restored-earlier');
    expect(await restorePolicies(folder, restored)).toBe(0);
    expect(existsSync(restored)).toBe(false);
  }, 60_000);
});

describe('a move', () => {
  it('fills the tables of another store with the same rows', async () => {
    const target = await emptyStore('moved');
    const from = { store: pipeline.store, database: 'flowledger' };
    let pieces = 0;
    await moveTables(from, { store: target, database: 'moved' }, () => pieces++, never);
    expect(pieces).toBeGreaterThan(5);
    expect((await compareStores(pipeline.store, target, never)).differences).toEqual([]);
    const forget = 'ALTER TABLE edges_1m DELETE WHERE connections = (SELECT max(connections) FROM edges_1m)';
    const settings = { mutations_sync: 2 };
    await target.command({ name: 'forget', sql: forget, params: {}, settings });
    const { differences } = await compareStores(pipeline.store, target, never);
    expect(differences.map(({ table }) => table)).toEqual(['edges_1m']);
  }, 60_000);
});
