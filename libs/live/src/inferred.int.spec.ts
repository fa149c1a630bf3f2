import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOADER_GROUP } from '@flowledger/event-log';
import {
  compilePredicate,
  DEFAULT_LIMITS,
  planFlows,
  readFlows,
  type FlowFilters,
  type FlowRow,
  type LogCursor,
  type OpenLiveFlows,
  type QueryContext,
  type QueryPlan,
} from '@flowledger/query';
import { Simulation } from '@flowledger/simulator';
import { storedKeys } from '@flowledger/sink';
import { startTestPipeline, type TestPipeline } from '@flowledger/testkit';
import { openLiveFlows } from './open-live-flows.js';

const NOW_MS = Date.UTC(2026, 5, 1, 12, 1);
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
const SECOND_NS = 1_000_000_000n;
const KEPT_NS = 20_000n * 86_400n * SECOND_NS;
const CONTEXT: QueryContext = {
  tenant: 'default',
  nowNs: NOW_NS,
  limits: DEFAULT_LIMITS,
  retention: { rawNs: KEPT_NS, minuteNs: KEPT_NS, hourNs: KEPT_NS },
};

/** Names that many flows carry only on one side, or not at all. */
const FILTERS: Readonly<Record<string, FlowFilters>> = {
  'a destination workload': { allow: [{ destinationWorkload: [{ name: 'catalog' }], matchInferred: true }] },
  'a source workload': { allow: [{ sourceWorkload: [{ name: 'frontend' }], matchInferred: true }] },
  'a kind': { allow: [{ sourceWorkload: [{ kind: 'StatefulSet' }], matchInferred: true }] },
  'a workload of both sides': {
    allow: [
      {
        sourceWorkload: [{ name: 'frontend' }],
        destinationWorkload: [{ kind: 'Deployment' }],
        matchInferred: true,
      },
    ],
  },
  'any workload': { allow: [{ sourceWorkload: [{}], matchInferred: true }] },
  'a destination service': { allow: [{ destinationService: ['shop/catalog'], matchInferred: true }] },
  'services by namespace': { allow: [{ sourceService: ['shop/'], matchInferred: true }] },
  'a workload to leave out': { deny: [{ destinationWorkload: [{ name: 'catalog' }], matchInferred: true }] },
};

let pipeline: TestPipeline;
/** Statements that read the endpoint history. */
let asked = 0;

beforeAll(async () => {
  pipeline = await startTestPipeline({ nowMs: NOW_MS });
  // Two hours, because a flow is matched by the hour it is of.
  await feed(-90, 0);
  await pipeline.loaded();
});

afterAll(() => pipeline?.stop());

async function feed(fromS: number, toS: number): Promise<number> {
  const at = (seconds: number): bigint => NOW_NS + BigInt(seconds) * SECOND_NS;
  const span = { from: at(fromS), to: at(toS) };
  const events = [...new Simulation({ seed: 5, ...span, scenario: 'test', callsPerSecond: 8 }).events()];
  await pipeline.feed(events);
  return events.length;
}

function tail(): OpenLiveFlows {
  return openLiveFlows({
    log: pipeline.log,
    group: LOADER_GROUP,
    tenant: 'default',
    lingerMs: 0,
    rawTtlDays: 20_000,
    keys: storedKeys(pipeline.store),
    endpoints: async <Row>(plan: QueryPlan, signal: AbortSignal) => {
      asked++;
      return (await pipeline.store.query<Row>(plan, signal)).rows;
    },
  });
}

/** Ids of what a tail lets through from a cursor until it has caught up. */
async function live(of: OpenLiveFlows, after: LogCursor, filters: FlowFilters): Promise<readonly string[]> {
  if (of.endpoints === undefined) throw new Error('the tail has no endpoint history');
  const compiled = compilePredicate(filters, { history: of.endpoints });
  if (!compiled.ok) throw new Error(compiled.error.hint);
  await of.endpoints.prepare();
  const bounds = { maxBufferedBytes: 2 ** 28, signal: AbortSignal.timeout(30_000) };
  const found: string[] = [];
  for await (const step of of.tail({ after, matches: compiled.value, ...bounds })) {
    if (step.kind === 'flows') found.push(...step.flows.map(({ flow }) => flow.id));
    if (step.kind === 'caught_up') return found.toSorted();
  }
  throw new Error('the tail did not catch up');
}

/** Ids of what the SQL of the same filters finds behind a cursor. */
async function stored(filters: FlowFilters, { partitions }: LogCursor): Promise<readonly string[]> {
  const found: string[] = [];
  for (let after: string | null = null; ;) {
    const window = { fromNs: NOW_NS - 7_200n * SECOND_NS, toNs: NOW_NS + 7_200n * SECOND_NS };
    const planned = planFlows({ window, filters, first: 1000, after }, CONTEXT);
    if (!planned.ok) throw new Error(planned.error.hint);
    const page = readFlows((await pipeline.store.query<FlowRow>(planned.value.plan)).rows, planned.value);
    for (const { id, position } of page.flows)
      if (position.offset >= (partitions[position.partition]?.offset ?? 0n)) found.push(id);
    if (!page.hasNextPage) return found.toSorted();
    after = page.cursors.at(-1) ?? null;
  }
}

const beginning = (): LogCursor => ({
  epoch: pipeline.log.epoch,
  partitions: Array.from({ length: pipeline.log.partitions }, () => ({ offset: 0n, event: 0 })),
});

describe('a live filter with matchInferred', () => {
  it.each(Object.keys(FILTERS))('on %s lets through what its SQL finds', async (name) => {
    const filters = FILTERS[name] ?? {};
    const expected = await stored(filters, beginning());
    const asSent = { allow: plainly(filters.allow), deny: plainly(filters.deny) };
    expect(expected.length).not.toBe((await stored(asSent, beginning())).length);
    expect(await live(tail(), beginning(), filters)).toEqual(expected);
  });

  it('knows endpoints that only the tail has seen yet', async () => {
    const filters = FILTERS['a destination workload'] ?? {};
    const of = tail();
    const cursor = await of.end();
    // The next hour: the tables say nothing of it when the flows come.
    const end = NOW_NS + 3_700n * SECOND_NS;
    const span = { from: end - 20n * SECOND_NS, to: end };
    const events = [...new Simulation({ seed: 6, ...span, scenario: 'test', callsPerSecond: 8 }).events()];
    await pipeline.feed(events);
    const found = await live(of, cursor, filters);
    await pipeline.loaded();
    const expected = await stored(filters, cursor);
    expect(expected.length).toBeGreaterThan(0);
    // A record is matched by what was told until then: what comes later in the hour may name its addresses for the tables only.
    expect(expected).toEqual(expect.arrayContaining([...found]));
    expect(found.length).toBeGreaterThan(expected.length / 2);
  });

  it('asks the store once for each hour, however many flows are matched', async () => {
    const of = tail();
    const filters = FILTERS['a kind'] ?? {};
    asked = 0;
    await live(of, beginning(), filters);
    const first = asked;
    await live(of, beginning(), filters);
    expect(first).toBeLessThanOrEqual(6);
    expect(asked).toBe(first);
  });

  it('is refused where there is no history', () => {
    expect(compilePredicate(FILTERS['a kind'])).toMatchObject({
      ok: false,
      error: { code: 'BAD_FILTER' },
    });
  });
});

function plainly(list: FlowFilters['allow']): NonNullable<FlowFilters['allow']> {
  return (list ?? []).map((each) => ({ ...each, matchInferred: false }));
}
