import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ColumnStore } from '@flowledger/column-store';
import { silentLog, systemClock } from '@flowledger/platform';
import { startTestStore, type TestStore } from '@flowledger/testkit';
import { runLoader } from '../loader.js';
import { madeRecord } from '../testing/made-flows.js';
import { GROUP, migrateRig, openRig, RAW_TTL_DAYS, type SinkRig } from '../testing/sink-rig.js';
import { mustPause, readControl } from './control.js';
import { replay } from './replay.js';

const NOW = Date.now();
const DAY_MS = 86_400_000;
/** A segment a record, so that retention can remove single ones. */
const SMALL_SEGMENTS = 1024;
let testStore: TestStore;
let rigs = 0;

beforeAll(async () => {
  testStore = await startTestStore();
});

afterAll(async () => {
  await testStore.stop();
});

async function withRig(
  work: (rig: SinkRig, database: string) => Promise<void>,
  segmentBytes?: number,
): Promise<void> {
  const database = `swap_${rigs++}`;
  const rig = await openRig({ testStore, database, ...(segmentBytes === undefined ? {} : { segmentBytes }) });
  try {
    await work(rig, database);
  } finally {
    await rig.stop();
  }
}

function record(i: number, more: { count?: number; startMs?: number } = {}) {
  const made = {
    node: `node-${i % 2}`,
    partition: i % 2,
    startMs: NOW - 3_600_000,
    stepMs: 100,
    receivedMs: NOW,
  };
  return madeRecord({ ...made, count: 200, first: i * 200, ...more });
}

function swap(rig: SinkRig, database: string, live: ColumnStore = rig.store, limits = {}) {
  const openReplay = async (name: string) => {
    await migrateRig(testStore, name, RAW_TTL_DAYS);
    return testStore.store('writer', name);
  };
  const options = {
    log: rig.log,
    live,
    group: GROUP,
    database: `${database}_replay`,
    openReplay,
    swap: true,
  };
  const signal = new AbortController().signal;
  return replay({ ...options, rawTtlDays: RAW_TTL_DAYS, logger: silentLog, limits }, signal);
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await systemClock.sleep(20);
  }
}

async function command(rig: SinkRig, sql: string): Promise<void> {
  const settings = { lightweight_deletes_sync: 2, mutations_sync: 2 };
  await rig.store.command({ name: 'test', sql, params: {}, settings });
}

/** A store that dies at the n-th statement of a name. */
function dyingAt(store: ColumnStore, name: string, count: number): ColumnStore {
  let seen = 0;
  return {
    insert: (batch, options) => store.insert(batch, options),
    query: (plan, signal) => store.query(plan, signal),
    command: async (plan, signal) => {
      if (plan.name === name && ++seen === count) throw new Error('killed here');
      await store.command(plan, signal);
    },
    readNative: (plan, signal) => store.readNative(plan, signal),
    readParquet: (plan, signal) => store.readParquet(plan, signal),
    writeNative: (plan, blocks, signal) => store.writeNative(plan, blocks, signal),
    version: () => store.version(),
    close: () => store.close(),
  };
}

describe('replay --swap', () => {
  it('pauses a running loader for the swap, and the loader goes on afterwards', async () => {
    await withRig(async (rig, database) => {
      await rig.append(Array.from({ length: 6 }, (_, i) => record(i)));
      const stop = new AbortController();
      const options = {
        log: rig.log,
        store: rig.store,
        group: GROUP,
        logger: silentLog,
        rawTtlDays: RAW_TTL_DAYS,
      };
      const loader = runLoader({ ...options, limits: { maxAgeMs: 50 } }, stop.signal);
      const report = await swap(rig, database);
      expect(report).toMatchObject({ swapped: true, differences: [], refused: [] });
      await rig.append([record(6), record(7)]);
      await until(
        'the loader goes on',
        async () => (await rig.number('SELECT toString(count()) FROM flows')) === 1600,
      );
      stop.abort();
      await loader.done;
      expect(await rig.faults()).toEqual([]);
      expect(mustPause(await readControl(rig.log), Date.now())).toBe(false);
    });
  });

  it.each([
    ['swap_partition', 1],
    ['swap_partition', 4],
    ['swap_set', 1],
    ['swap_partition', 6],
  ])('is finished by the next loader when it dies at %s number %i', async (name, count) => {
    await withRig(async (rig, database) => {
      await rig.append(Array.from({ length: 6 }, (_, i) => record(i)));
      await rig.load();
      await command(rig, 'DELETE FROM flows WHERE _li % 10 = 3');
      await expect(swap(rig, database, dyingAt(rig.store, name, count))).rejects.toThrow('killed here');
      expect((await readControl(rig.log)).state).toBe('swapping');
      await rig.append([record(6), record(7)]);
      await rig.load();
      expect(await rig.faults()).toEqual([]);
      expect((await readControl(rig.log)).state).toBe('none');
    });
  });

  it('leaves the tables as they are when it dies before the swap', async () => {
    await withRig(async (rig, database) => {
      await rig.append([record(0), record(1)]);
      await rig.load();
      await expect(swap(rig, database, dyingAt(rig.store, 'keep_uncovered', 2))).rejects.toThrow(
        'killed here',
      );
      expect(await rig.faults()).toEqual([]);
      expect((await readControl(rig.log)).state).toBe('none');
    });
  });

  it('replaces the days that the log covers and refuses, by name, what retention removed', async () => {
    await withRig(async (rig, database) => {
      const old = Array.from({ length: 6 }, (_, i) => record(i, { startMs: NOW - 3 * DAY_MS }));
      await rig.append(old);
      await rig.load({ limits: { maxRows: 200 } });
      await rig.append(Array.from({ length: 6 }, (_, i) => record(i + 6)));
      for (const partition of [0, 1]) await rig.log.trim(partition, 3n);
      await rig.load({ limits: { maxRows: 200 } });
      const before = await rig.number('SELECT toString(count()) FROM flows');
      await command(rig, 'DELETE FROM flows WHERE _lo >= 3 AND _li % 5 = 0');
      await command(rig, 'DELETE FROM red_1h WHERE bucket > now() - INTERVAL 1 DAY');
      const report = await swap(rig, database);
      expect(report.refused).toEqual([
        { partition: 0, from: 0n, end: 3n },
        { partition: 1, from: 0n, end: 3n },
      ]);
      expect(await rig.number('SELECT toString(count()) FROM flows')).toBe(before);
      expect(await rig.number('SELECT toString(sum(requests)) FROM red_1h')).toBe(
        await rig.number('SELECT toString(countIf(l7_type = 2)) FROM flows'),
      );
      expect(await rig.number('SELECT toString(sum(events)) FROM load_ledger FINAL')).toBe(2400);
      expect(await rig.number('SELECT toString(sum(flows)) FROM edges_1m')).toBe(before);
    }, SMALL_SEGMENTS);
  });
});
