import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStore, type TestStore } from '@flowledger/testkit';
import type { Failpoint, FailpointName } from './load/failpoint.js';
import { madeRecord, type MadeEnvelope } from './testing/made-flows.js';
import { openRig, type RigOptions, type SinkRig } from './testing/sink-rig.js';

const NOW = Date.now();
let testStore: TestStore;
let rigs = 0;

beforeAll(async () => {
  testStore = await startTestStore();
});

afterAll(async () => {
  await testStore.stop();
});

async function withRig(work: (rig: SinkRig) => Promise<void>, options: RigOptions = {}): Promise<void> {
  const rig = await openRig({ testStore, database: `sink_${rigs++}`, ...options });
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

  const points: readonly (readonly [FailpointName, string | undefined])[] = [
    ['before-commit', undefined],
    ['after-intent', undefined],
    ['before-insert', 'flows'],
    ['after-insert', 'flows'],
    ['before-ledger', undefined],
    ['after-ledger', undefined],
  ];
  it.each(points)('finishes what a loader left behind that died %s %s', async (point, table) => {
    await withRig(async (rig) => {
      await rig.append(Array.from({ length: 8 }, (_, i) => envelope(i * 100)));
      const limits = { maxRows: 250 };
      let hits = 0;
      const failpoint: Failpoint = (name, of) => {
        if (name === point && of === table && ++hits === 2) throw new Error('killed here');
      };
      await expect(rig.load({ limits, failpoint })).rejects.toThrow('killed here');
      await rig.load({ limits });
      expect(await rig.faults()).toEqual([]);
    });
  });

  it.each([['flows'], ['red_1m'], ['edges_1m']])(
    'puts right a batch of which %s lost rows',
    async (table) => {
      await withRig(async (rig) => {
        await rig.append(Array.from({ length: 4 }, (_, i) => envelope(i * 100)));
        const failpoint = throwOnce('before-ledger');
        await expect(rig.load({ failpoint })).rejects.toThrow('killed here');
        const sql = `DELETE FROM ${table} WHERE ${table === 'flows' ? '_li % 3 = 1' : '_lp = 0'}`;
        await rig.command(sql);
        expect(await rig.faults()).not.toEqual([]);
        await rig.load();
        expect(await rig.faults()).toEqual([]);
        expect(
          await rig.number(
            'SELECT toString(sum(rollup_rows_corrected)) FROM load_repairs FINAL WHERE done = 1',
          ),
        ).toBeGreaterThan(0);
      });
    },
  );

  it('goes on with its repair when it dies during verification or repair', async () => {
    await withRig(async (rig) => {
      await rig.append(Array.from({ length: 4 }, (_, i) => envelope(i * 100)));
      await expect(rig.load({ failpoint: throwOnce('before-ledger') })).rejects.toThrow('killed here');
      const sql = 'DELETE FROM flows WHERE _li > 50';
      await rig.command(sql);
      await expect(rig.load({ failpoint: throwOnce('during-verify') })).rejects.toThrow('killed here');
      await expect(rig.load({ failpoint: throwOnce('after-insert') })).rejects.toThrow('killed here');
      await expect(rig.load({ failpoint: throwOnce('during-repair') })).rejects.toThrow('killed here');
      await rig.load();
      expect(await rig.faults()).toEqual([]);
    });
  });

  it('removes rows that a late writer put in twice', async () => {
    await withRig(async (rig) => {
      await rig.append([envelope(0), envelope(100)]);
      await expect(rig.load({ failpoint: throwOnce('before-ledger') })).rejects.toThrow('killed here');
      const columns = 'SELECT * FROM flows WHERE _li < 7 SETTINGS insert_deduplicate = 0';
      await rig.store.command({
        name: 'test',
        sql: `INSERT INTO flows ${columns}`,
        params: {},
        settings: {},
      });
      expect(await rig.faults()).not.toEqual([]);
      await rig.load();
      expect(await rig.faults()).toEqual([]);
    });
  });

  it('brings in again what a power cut took from batches that were booked', async () => {
    await withRig(async (rig) => {
      const records = Array.from({ length: 12 }, (_, i) => envelope(i * 80));
      await rig.append(records);
      await rig.load({ limits: { maxRows: 200 } });
      await rig.command('DELETE FROM flows WHERE _lo IN (2, 3, 9)');
      await rig.command('DELETE FROM edges_1m WHERE 1');
      const [loader] = [await rig.load()];
      expect(loader.partitions.find((p) => p.partition === 0)?.repairs).toBe(2);
      expect(await rig.faults()).toEqual([]);
      expect((await rig.load()).partitions.map((p) => p.repairs)).toEqual([0, 0]);
    });
  });

  it('puts rollups right that a power cut took when the rows survived', async () => {
    await withRig(async (rig) => {
      await rig.append(Array.from({ length: 4 }, (_, i) => envelope(i * 100)));
      await rig.load();
      await rig.command('DELETE FROM drops_1m WHERE 1');
      await rig.load({ bootedMs: NOW - 60_000 });
      expect(await rig.faults()).not.toEqual([]);
      await rig.load({ bootedMs: NOW + 60_000 });
      expect(await rig.faults()).toEqual([]);
    });
  });

  it('keeps events out that a stream sent twice, also across a restart', async () => {
    await withRig(async (rig) => {
      await rig.append([envelope(0), envelope(50)]);
      await rig.load();
      await rig.append([envelope(120), envelope(0, { node: 'node-2' })]);
      await rig.load();
      expect(await rig.faults()).toEqual([]);
      expect(
        await rig.number("SELECT toString(count()) FROM skipped_events WHERE reason = 'duplicate'"),
      ).toBe(80);
      expect(await rig.number('SELECT toString(count()) FROM flows')).toBe(320);
    });
  });

  it('keeps events out that an import repeats from long before', async () => {
    await withRig(async (rig) => {
      await rig.append(
        Array.from({ length: 40 }, (_, i) =>
          envelope(i * 1000, { count: 1000, startMs: NOW - 3_600_000 + i * 20_000 }),
        ),
      );
      await rig.load();
      await rig.append([envelope(0, { count: 1000, startMs: NOW - 3_600_000, source: 'import' })]);
      await rig.load();
      expect(await rig.faults()).toEqual([]);
      expect(await rig.number('SELECT toString(count()) FROM flows')).toBe(40_000);
    });
  });

  it('finds what an import repeats from all over two weeks', async () => {
    await withRig(async (rig) => {
      const strewn = { count: 900, startMs: NOW - 12 * 86_400_000, stepMs: 1_000_000 };
      await rig.append([envelope(0, strewn)]);
      await rig.append(Array.from({ length: 40 }, (_, i) => envelope(10_000 + i * 1000, { count: 1000 })));
      await rig.load();
      await rig.append([envelope(0, { ...strewn, source: 'import' })]);
      await rig.load();
      expect(await rig.faults()).toEqual([]);
      expect(await rig.number('SELECT toString(count()) FROM flows')).toBe(40_900);
    });
  });

  it.each([[100], [2], [1]])('keeps one event in %i that cannot be read as a dead letter', async (every) => {
    await withRig(async (rig) => {
      const poison = (index: number) => (index % every === 0 ? '{"flow":' : undefined);
      await rig.append(Array.from({ length: 5 }, (_, i) => envelope(i * 200, { count: 200, poison })));
      await rig.load();
      expect(await rig.faults()).toEqual([]);
      expect(await rig.number('SELECT toString(count()) FROM dead_letters')).toBe(1000 / every);
    });
  });

  it('loads a batch that touches forty days', async () => {
    await withRig(
      async (rig) => {
        const DAY = 86_400_000;
        const spread = Array.from({ length: 40 }, (_, i) =>
          envelope(i, { count: 1, startMs: NOW - i * DAY, receivedMs: NOW - i * DAY }),
        );
        const wide = envelope(1000, { count: 13, startMs: NOW - 12 * DAY, stepMs: DAY });
        await rig.append([...spread, wide]);
        await rig.load({ failpoint: throwOnce('before-ledger') }).catch(() => undefined);
        await rig.load();
        expect(await rig.faults()).toEqual([]);
        expect(await rig.number('SELECT toString(count()) FROM flows')).toBe(53);
      },
      { rawTtlDays: 60 },
    );
  });
});

function throwOnce(point: FailpointName): Failpoint {
  let thrown = false;
  return (name) => {
    if (name !== point || thrown) return;
    thrown = true;
    throw new Error('killed here');
  };
}
