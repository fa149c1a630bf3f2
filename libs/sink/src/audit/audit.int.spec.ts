import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeRecord } from '../testing/made-flows.js';
import { openRig, RAW_TTL_DAYS, type SinkRig } from '../testing/sink-rig.js';
import { audit } from './audit.js';

const NOW = Date.now();
let rig: SinkRig;

function record(i: number, partition = i % 2) {
  const made = {
    node: `node-${partition}`,
    partition,
    startMs: NOW - 3_600_000,
    stepMs: 100,
    receivedMs: NOW,
  };
  return madeRecord({ ...made, count: 300, first: i * 250 });
}

beforeAll(async () => {
  rig = await openRig();
  await rig.append(Array.from({ length: 6 }, (_, i) => record(i)));
  await rig.load({ limits: { maxRows: 400 } });
});

afterAll(async () => {
  await rig.stop();
});

function run() {
  const options = { log: rig.log, store: rig.store, rawTtlDays: RAW_TTL_DAYS, nowMs: NOW };
  return audit(options, new AbortController().signal);
}

async function break_(sql: string): Promise<void> {
  const settings = { lightweight_deletes_sync: 2, mutations_sync: 2 };
  await rig.store.command({ name: 'test', sql, params: {}, settings });
}

describe('audit', () => {
  it('closes the books of a loaded log and counts what is pending', async () => {
    expect(await run()).toMatchObject({
      ok: true,
      partitions: [{ unaccounted: 0, pending: 0 }, { unaccounted: 0 }],
    });
    await rig.append([record(100, 1)]);
    expect(await run()).toMatchObject({
      ok: true,
      partitions: [{ pending: 0 }, { pending: 300, unaccounted: 0 }],
    });
    await rig.load();
    expect((await run()).ok).toBe(true);
  });

  it('names the rollup, the lost row and the copy', async () => {
    await break_('DELETE FROM red_1m WHERE _lp = 0 AND requests > 0');
    expect((await run()).partitions[0]?.rollupFaults).toHaveProperty('red_1m');
    await break_('DELETE FROM flows WHERE _lp = 1 AND _lo = 0 AND _li = 7');
    const [, lost] = (await run()).partitions;
    expect(lost?.rowFaults).toMatchObject([{ table: 'flows' }]);
    expect(lost?.rowFaults[0]?.rows).toBe((lost?.rowFaults[0]?.booked ?? 0) - 1);
    await break_('INSERT INTO flows SELECT * FROM flows WHERE _lp = 1 AND _lo = 0 AND _li = 8');
    const [, copied] = (await run()).partitions;
    expect(copied?.rowFaults[0]?.ids).toBe((copied?.rowFaults[0]?.rows ?? 0) - 1);
  });

  it('counts the events of a batch that the ledger lost', async () => {
    await break_('ALTER TABLE load_ledger DELETE WHERE _lp = 0 AND from_offset = 0');
    const [first] = (await run()).partitions;
    expect(first?.unaccounted).toBeGreaterThan(0);
  });
});
