import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStore, type TestStore } from '@flowledger/testkit';
import { madeRecord, type MadeEnvelope } from './testing/made-flows.js';
import { openRig, type SinkRig } from './testing/sink-rig.js';

const NOW = Date.now();
let testStore: TestStore;
let rigs = 0;

beforeAll(async () => {
  testStore = await startTestStore();
});

afterAll(async () => {
  await testStore.stop();
});

async function withRig(work: (rig: SinkRig) => Promise<void>): Promise<void> {
  const rig = await openRig({ testStore, database: `sink_${rigs++}` });
  try {
    await work(rig);
  } finally {
    await rig.stop();
  }
}

function envelope(first: number, more: Partial<MadeEnvelope> = {}) {
  const base = {
    node: 'node-1',
    partition: 0,
    startMs: NOW - 600_000,
    stepMs: 20,
    count: 100,
    receivedMs: NOW,
  };
  return madeRecord({ ...base, first, ...more });
}

describe('runLoader', () => {
  it('loads every event of the log exactly once, with rollups and ledger', async () => {
    await withRig(async (rig) => {
      const records = Array.from({ length: 20 }, (_, i) =>
        envelope(i * 100, { partition: i % 2, node: `node-${i % 2}` }),
      );
      await rig.append(records);
      const loader = await rig.load();
      expect(await rig.faults()).toEqual([]);
      expect(await rig.number('SELECT toString(count()) FROM flows')).toBe(2000);
      expect(await rig.number('SELECT toString(sum(requests)) FROM red_1m')).toBe(500);
      expect(loader.partitions.map((p) => p.next).toSorted()).toEqual([10n, 10n]);
    });
  });
});
