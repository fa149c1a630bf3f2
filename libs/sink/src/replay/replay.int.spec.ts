import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '@flowledger/platform';
import { madeRecord } from '../testing/made-flows.js';
import { GROUP, migrateRig, openRig, RAW_TTL_DAYS, type SinkRig } from '../testing/sink-rig.js';
import { replay } from './replay.js';

const NOW = Date.now();
const HOUR_MS = 3_600_000;
/** Half past, so that an hour of records always lies in two hours. */
const START = Math.floor(NOW / HOUR_MS) * HOUR_MS - 1.5 * HOUR_MS;
let rig: SinkRig;

beforeAll(async () => {
  rig = await openRig();
  await rig.append(Array.from({ length: 12 }, (_, i) => record(i)));
  await rig.load();
});

afterAll(async () => {
  await rig.stop();
});

function record(i: number) {
  return madeRecord({
    node: `node-${i % 3}`,
    partition: i % 2,
    startMs: START + i * 300_000,
    stepMs: 500,
    count: 500,
    first: (i % 10) * 500,
    receivedMs: NOW,
    poison: (index) => (index === 7 ? 'no json' : undefined),
  });
}

function run(swap = false) {
  const options = {
    log: rig.log,
    live: rig.store,
    group: GROUP,
    swap,
    database: 'flowledger_replay',
    openReplay: async (database: string) => {
      await migrateRig(rig.testStore, database, RAW_TTL_DAYS);
      return rig.testStore.store('writer', database);
    },
    rawTtlDays: RAW_TTL_DAYS,
    logger: silentLog,
    limits: { maxRows: 700 },
  };
  return replay(options, new AbortController().signal);
}

describe('replay', () => {
  it('finds tables that were loaded in other batches equal, hour by hour', async () => {
    const report = await run();
    expect(report.differences).toEqual([]);
    expect(report.refused).toEqual([]);
    expect(report.comparedHours).toBeGreaterThan(15);
    expect(report.rows).toBe(await rig.number('SELECT toString(count()) FROM flows'));
    expect(
      await rig.number("SELECT toString(count()) FROM system.databases WHERE name = 'flowledger_replay'"),
    ).toBe(0);
  });

  it('names table and hour where a row was lost or a rollup is wrong', async () => {
    const sql = 'DELETE FROM flows WHERE _lo = 2 AND _lp = 1 AND _li = 100';
    await rig.store.command({ name: 'test', sql, params: {}, settings: { lightweight_deletes_sync: 2 } });
    const more = 'INSERT INTO drops_1m SELECT * REPLACE (1 AS drops) FROM drops_1m WHERE _lp = 0 LIMIT 1';
    await rig.store.command({ name: 'test', sql: more, params: {}, settings: {} });
    const { differences } = await run();
    expect(differences.map(({ table, partition }) => `${table} ${partition}`).toSorted()).toEqual([
      'drops_1m 0',
      'flows 1',
    ]);
  });

  it('puts the replayed tables in place of damaged ones, and loading goes on', async () => {
    const report = await run(true);
    expect(report.swapped).toBe(true);
    expect(report.differences.length).toBeGreaterThan(0);
    expect(await rig.faults()).toEqual([]);
    expect((await run()).differences).toEqual([]);
    await rig.append([record(20), record(21)]);
    await rig.load();
    expect(await rig.faults()).toEqual([]);
  });
});
