import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openColumnStore } from '@flowledger/column-store';
import { systemClock } from '@flowledger/platform';
import {
  startFaultProxy,
  startTestStore,
  type SeenRequest,
  type TestStore,
  type WireFault,
} from '@flowledger/testkit';
import { madeRecord } from './testing/made-flows.js';
import { openRig } from './testing/sink-rig.js';

const NOW = Date.now();
let testStore: TestStore;
let rigs = 0;

beforeAll(async () => {
  testStore = await startTestStore();
});

afterAll(async () => {
  await testStore.stop();
});

/** Waits are real, only shorter. */
const hasty = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 50, signal),
};

const isInsert = ({ url }: SeenRequest): boolean => /[?&]query=INSERT/i.test(url);

/** Loads 1,600 events through a proxy that does `fault` to some requests; what does not match the log afterwards. */
async function loadThrough(
  name: string,
  fate: (request: SeenRequest, insert: number) => WireFault,
): Promise<{ faults: readonly unknown[]; inserts: number; dead: number }> {
  const database = `wire_${rigs++}`;
  const rig = await openRig({ testStore, database });
  let inserts = 0;
  const proxy = await startFaultProxy(testStore.url, (request) =>
    fate(request, isInsert(request) ? inserts++ : -1),
  );
  const store = openColumnStore({
    url: proxy.url,
    user: 'writer',
    password: testStore.password('writer'),
    database,
    requestTimeoutMs: 2_000,
  });
  try {
    const made = { node: `node-${name}`, startMs: NOW - 600_000, stepMs: 20, receivedMs: NOW };
    await rig.append(
      Array.from({ length: 8 }, (_, i) =>
        madeRecord({ ...made, partition: i % 2, count: 200, first: i * 200 }),
      ),
    );
    await rig.load({ store, clock: hasty, limits: { maxRows: 400 } });
    const dead = await rig.number('SELECT toString(count()) FROM dead_letters');
    return { faults: await rig.faults(), inserts, dead };
  } finally {
    await store.close();
    await proxy.close();
    await rig.stop();
  }
}

describe('a loader whose way to the store is bad', () => {
  it.each<[string, WireFault]>([
    ['resets connections (F27)', 'reset'],
    ['cuts requests in their middle (F28)', 'half-sent'],
    ['loses the answers of inserts that were applied (F27)', 'answer-lost'],
    ['cuts answers', 'answer-cut'],
    ['is slow (F31)', { delayMs: 150 }],
  ])(
    'loads every event once, in tables and rollups, when it %s',
    async (name, fault) => {
      const result = await loadThrough(name, (_, insert) =>
        insert >= 0 && insert % 3 === 0 ? fault : 'pass',
      );
      expect(result).toMatchObject({ faults: [], dead: 0 });
      expect(result.inserts).toBeGreaterThan(4);
    },
    90_000,
  );

  it('looks what became of an insert whose answer never comes', async () => {
    const result = await loadThrough('stalled', (_, insert) => (insert === 0 ? 'stalled' : 'pass'));
    expect(result).toMatchObject({ faults: [], dead: 0 });
  }, 120_000);

  it('gives up no row whichever uncertain fault the server names, however often (F22–F26)', async () => {
    // Timeouts, too many queries, no connection, network, memory, read-only table, no space, too many parts, replicas,
    // unknown status, wrong password, keeper.
    const codes = [159, 202, 203, 209, 210, 241, 242, 243, 252, 285, 319, 516, 999];
    const result = await loadThrough('codes', (_, insert) => {
      const engineCode = codes[insert >> 1];
      return insert < 0 || engineCode === undefined ? 'pass' : { engineCode };
    });
    expect(result).toMatchObject({ faults: [], dead: 0 });
    expect(result.inserts).toBeGreaterThan(2 * codes.length);
  }, 120_000);

  it('believes no answer to a question that was cut, stalled or ended in an exception', async () => {
    const bad: readonly WireFault[] = ['answer-cut', 'late-exception', 'reset', { engineCode: 159 }];
    const result = await loadThrough('questions', (request, insert) =>
      insert < 0 && request.earlier % 2 === 0 && request.earlier < 24
        ? (bad[(request.earlier / 2) % 4] ?? 'pass')
        : 'pass',
    );
    expect(result).toMatchObject({ faults: [], dead: 0 });
  }, 90_000);
});
