import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '@flowledger/platform';
import { startTestStore, type TestStore } from '@flowledger/testkit';
import { faultyStore, type InsertFate } from './testing/faulty-store.js';
import { madeRecord, type MadeEnvelope } from './testing/made-flows.js';
import { openRig, type SinkRig } from './testing/sink-rig.js';

const NOW = Date.now();
let testStore: TestStore;
let rigs = 0;

beforeAll(async () => {
  testStore = await startTestStore({ maxCrashes: Infinity });
});

afterAll(async () => {
  await testStore.stop();
});

async function withRig(work: (rig: SinkRig) => Promise<void>): Promise<void> {
  const rig = await openRig({ testStore, database: `faults_${rigs++}` });
  try {
    await work(rig);
  } finally {
    await rig.stop();
  }
}

function envelopes(count: number, more: Partial<MadeEnvelope> = {}) {
  const base = { node: 'node-1', partition: 0, startMs: NOW - 600_000, stepMs: 20, receivedMs: NOW };
  return Array.from({ length: count }, (_, i) =>
    madeRecord({ ...base, count: 200, first: i * 200, ...more }),
  );
}

async function command(rig: SinkRig, sql: string): Promise<void> {
  await rig.store.command({ name: 'test', sql, params: {}, settings: {} });
}

describe('a loader whose store fails', () => {
  it.each<[string, InsertFate]>([
    ['was never reached', 'unreached'],
    ['lost the request', 'lost'],
    ['applied the insert and lost the answer', 'applied'],
    ['lacks a table for a while', { engineCode: 60 }],
  ])('loads every event once when the store %s', async (_, fate) => {
    await withRig(async (rig) => {
      await rig.append(envelopes(6));
      let inserts = 0;
      const store = faultyStore(rig.store, (table) =>
        table === 'flows' && inserts++ % 3 === 0 ? fate : 'ok',
      );
      const failed = typeof fate === 'object' ? { maxRows: 1_000_000 } : { maxRows: 300 };
      // Waits are real, only shorter.
      const clock = {
        ...systemClock,
        sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 20, signal),
      };
      await rig.load({ store, clock, limits: failed });
      expect(inserts).toBeGreaterThan(1);
      expect(await rig.faults()).toEqual([]);
    });
  });

  it('makes the one row a dead letter that the store refuses', async () => {
    await withRig(async (rig) => {
      await command(
        rig,
        `ALTER TABLE flows ADD COLUMN refusal UInt8 MATERIALIZED toUInt8(if(_li = 113 AND _lo = 1, 'no', '1'))`,
      );
      await rig.append(envelopes(3));
      await rig.load();
      expect(await rig.faults()).toEqual([]);
      expect(await rig.number('SELECT toString(count()) FROM flows')).toBe(599);
      const letter = `SELECT toString(count()) FROM dead_letters WHERE reason = 'store_rejected' AND _lo = 1 AND _li = 113 AND bytes LIKE '%6f1c0000-%'`;
      expect(await rig.number(letter)).toBe(1);
      expect(await rig.number('SELECT toString(sum(dead)) FROM load_ledger FINAL')).toBe(1);
    });
  });

  it('believes that rows are in when only a view refuses them', async () => {
    await withRig(async (rig) => {
      await command(rig, 'CREATE TABLE strict (n UInt8) ENGINE = MergeTree ORDER BY n');
      await command(
        rig,
        `CREATE MATERIALIZED VIEW strict_mv TO strict AS SELECT toUInt8(if(_li = 13, 'no', '1')) AS n FROM flows`,
      );
      await rig.append(envelopes(3));
      await rig.load();
      expect(await rig.faults()).toEqual([]);
      expect(await rig.number('SELECT toString(count()) FROM dead_letters')).toBe(0);
    });
  });

  it('loses and doubles nothing when the store is killed while it inserts', async () => {
    await withRig(async (rig) => {
      await rig.append(envelopes(30));
      let kills = 0;
      const failpoint = (name: string, table?: string): void => {
        if (name !== 'before-insert' || table !== 'flows' || kills >= 5) return;
        kills++;
        setTimeout(() => process.kill(testStore.server.pid, 'SIGKILL'), kills * 7);
      };
      await rig.load({ failpoint, limits: { maxRows: 600 } });
      expect(kills).toBe(5);
      expect(await rig.faults()).toEqual([]);
    });
  }, 120_000);
});
