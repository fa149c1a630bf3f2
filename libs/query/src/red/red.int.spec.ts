import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlowFilters } from '../filter/flow-filter.js';
import type { GroupBy } from '../group/dimensions.js';
import { CONTEXT, DAY_S, must, startQueryFixture } from '../testing/query-fixture.js';
import type { QueryFixture } from '../testing/query-fixture.js';
import { flowCells, randomFlows } from '../testing/random-calls.js';
import type { RandomFlow } from '../testing/random-calls.js';
import { addHistograms, quantileMs } from './latency-histogram.js';
import { planRed } from './plan-red.js';
import type { RedPlan, RedRequest } from './plan-red.js';
import { rankRed } from './rank-red.js';
import type { UnrankedRedRow } from './rank-red.js';
import { readRed } from './read-red.js';
import { refineRed } from './refine-red.js';
import type { RedAnswer, RedRow, RedStats } from './read-red.js';

const HOUR = 3_600_000_000_000n;
const MINUTE = 60_000_000_000n;
const START = BigInt(DAY_S + 36_000) * 1_000_000_000n;
const END = START + 5n * HOUR;
const FLOWS = randomFlows(6000, 17);

/** Matches every flow but needs a column that only raw rows have. */
const RAW_ONLY: FlowFilters = { allow: [{ encrypted: [true, false] }] };

function edgeHour(flow: RandomFlow): string {
  return [flow.client, flow.server, flow.port, flow.l7, flow.timeNs / HOUR].join('|');
}

/** Best reporter, of answers or denials, of every edge and hour: 1 server, then 2 client, then whoever. */
const BEST = new Map<string, number>();
for (const flow of FLOWS.filter((one) => one.l7 !== 'none')) {
  const rank = flow.reporter === 0 ? 3 : flow.reporter;
  BEST.set(edgeHour(flow), Math.min(BEST.get(edgeHour(flow)) ?? 9, rank));
}

interface Truth {
  readonly requests: bigint;
  readonly denied: bigint;
  readonly faults: bigint;
  readonly failures: bigint;
  readonly latencies: readonly bigint[];
}

function truthOf(fromNs: bigint, toNs: bigint, matches: (flow: RandomFlow) => boolean): Truth {
  const inside = FLOWS.filter((flow) => flow.timeNs >= fromNs && flow.timeNs < toNs && matches(flow));
  const counted = inside.filter((flow) => {
    const rank = flow.reporter === 0 ? 3 : flow.reporter;
    return flow.kind === 'response' && BEST.get(edgeHour(flow)) === rank;
  });
  const sum = (flows: readonly RandomFlow[]): bigint =>
    flows.reduce((total, flow) => total + BigInt(flow.weight), 0n);
  return {
    requests: sum(counted),
    denied: sum(inside.filter((flow) => flow.kind === 'denied')),
    faults: sum(counted.filter((flow) => flow.code >= 500 || flow.rcode === 2)),
    failures: sum(counted.filter((flow) => flow.code >= 400 || flow.rcode !== 0)),
    latencies: counted.flatMap((flow) =>
      flow.latencyNs === 0n ? [] : Array.from({ length: flow.weight }, () => flow.latencyNs),
    ),
  };
}

function summed(stats: readonly RedStats[]): {
  requests: bigint;
  denied: bigint;
  errors: bigint;
  known: bigint;
} {
  const histogram = addHistograms(stats.map((one) => one.histogram));
  return {
    requests: stats.reduce((sum, one) => sum + one.requests, 0n),
    denied: stats.reduce((sum, one) => sum + one.denied, 0n),
    errors: stats.reduce((sum, one) => sum + one.errors, 0n),
    known: [...histogram.values()].reduce((sum, count) => sum + count, 0n),
  };
}

const time = fc.oneof(
  fc.bigInt({ min: 0n, max: 5n }).map((hours) => START + hours * HOUR),
  fc.bigInt({ min: 0n, max: 300n }).map((minutes) => START + minutes * MINUTE),
  fc.bigInt({ min: 0n, max: 5n * HOUR }).map((ns) => START + ns),
);
const windows = fc
  .tuple(time, time)
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => (a < b ? { fromNs: a, toNs: b } : { fromNs: b, toNs: a }));
const groupings = fc.subarray<GroupBy>(
  [
    { dimension: 'WORKLOAD' },
    { dimension: 'WORKLOAD', side: 'CLIENT' },
    { dimension: 'ENDPOINT' },
    { dimension: 'PORT' },
    { dimension: 'PROTOCOL' },
  ],
  { maxLength: 4 },
);
const filters = fc.constantFrom<{ filters: FlowFilters | null; matches: (flow: RandomFlow) => boolean }>(
  { filters: null, matches: () => true },
  {
    filters: { allow: [{ destinationWorkload: [{ name: 's2' }] }] },
    matches: (flow) => flow.server === 's2',
  },
  {
    filters: {
      allow: [{ sourceWorkload: [{ name: 'c1' }], destinationPort: ['80'] }],
      deny: [{ protocol: ['dns'] }],
    },
    matches: (flow) => flow.client === 'c1' && flow.port === 80 && flow.l7 !== 'dns',
  },
  { filters: { allow: [{ httpStatusCode: ['5+'] }] }, matches: (flow) => flow.code >= 500 },
  { filters: { allow: [{ sourcePod: ['shop/pod-1'] }] }, matches: (flow) => flow.clientPod === 'pod-1' },
);

describe('RED on the real engine', () => {
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    await fixture.insert(FLOWS.map(flowCells));
  });

  afterAll(() => fixture.stop());

  async function ask(request: RedRequest): Promise<RedAnswer & { readonly table: string }> {
    const planned = must(planRed(request, CONTEXT));
    const { rows, plan } = await settled(planned);
    return { ...readRed(rows, plan), table: plan.answered.table };
  }

  /** As the API asks. */
  async function settled(planned: RedPlan, context = CONTEXT) {
    const rows = await fixture.run<RedRow>(planned.plan);
    const refined = refineRed(planned, rows, context);
    if (refined === null) return { rows, plan: planned };
    const plan = must(refined);
    return { rows: await fixture.run<RedRow>(plan.plan), plan };
  }

  it('gives the numbers that the flows themselves give, in any window, by any filter', async () => {
    await fc.assert(
      fc.asyncProperty(windows, filters, async (window, filter) => {
        const truth = truthOf(window.fromNs, window.toNs, filter.matches);
        const fault = await ask({ window, filters: filter.filters });
        expect(summed([fault.total])).toEqual({
          requests: truth.requests,
          denied: truth.denied,
          errors: truth.faults,
          known: BigInt(truth.latencies.length),
        });
        const any = await ask({ window, filters: filter.filters, errorRule: 'ANY_FAILURE' });
        expect(any.total.errors).toBe(truth.failures + truth.denied);
      }),
      { numRuns: 25, seed: 1 },
    );
  }, 120_000);

  it('answers from rollups and from raw rows with the same numbers', async () => {
    await fc.assert(
      fc.asyncProperty(windows, groupings, async (window, groupBy) => {
        const request = { window, groupBy, limit: 1000 };
        const fast = await ask(request);
        const raw = await ask({ ...request, filters: RAW_ONLY });
        expect(raw.table).toBe('flows');
        expect({ ...fast, table: '' }).toEqual({ ...raw, table: '' });
      }),
      { numRuns: 25, seed: 2 },
    );
  }, 120_000);

  it('ranks few groups here exactly as the store ranks any number of them', async () => {
    const orders = fc.constantFrom('REQUESTS', 'ERRORS', 'ERROR_RATIO', 'P95', 'P99');
    const rules = fc.constantFrom('SERVER_FAULT', 'ANY_FAILURE');
    await fc.assert(
      fc.asyncProperty(
        windows,
        groupings,
        fc.integer({ min: 0, max: 8 }),
        orders,
        rules,
        async (window, groupBy, limit, orderBy, errorRule) => {
          const asked = must(planRed({ window, groupBy, limit, orderBy, errorRule } as RedRequest, CONTEXT));
          const { rows: store, plan: planned } = await settled(asked);
          const { unranked } = planned;
          if (unranked === null) throw new Error('no unranked statement');
          const here = rankRed(await fixture.run<UnrankedRedRow>(unranked.plan), planned);
          expect(readRed(here, planned)).toEqual(readRed(store, planned));
        },
      ),
      { numRuns: 12, seed: 6 },
    );
  }, 120_000);

  it('adds up: total = sum of groups + other, and every group = sum of its buckets', async () => {
    const steps = fc.constantFrom(HOUR, 5n * MINUTE, MINUTE, 30_000_000_000n);
    await fc.assert(
      fc.asyncProperty(
        windows,
        groupings,
        fc.integer({ min: 0, max: 5 }),
        steps,
        async (window, groupBy, limit, stepNs) => {
          const answer = await ask({ window, groupBy, limit, stepNs });
          const parts = [
            ...answer.groups.map((group) => group.stats),
            ...(answer.other === null ? [] : [answer.other]),
          ];
          expect(summed(parts)).toEqual(summed([answer.total]));
          expect(answer.groups.length).toBe(Math.min(limit, answer.groupCount));
          for (const group of answer.groups) {
            const requests = group.series?.requests.reduce<bigint>((sum, value) => sum + (value ?? 0n), 0n);
            const errors = group.series?.errors.reduce<bigint>((sum, value) => sum + (value ?? 0n), 0n);
            expect({ requests, errors }).toEqual({
              requests: group.stats.requests,
              errors: group.stats.errors,
            });
          }
        },
      ),
      { numRuns: 20, seed: 3 },
    );
  }, 120_000);

  it('is additive: RED[a, c) = RED[a, b) + RED[b, c) for any b', async () => {
    await fc.assert(
      fc.asyncProperty(windows, time, filters, async (window, middle, filter) => {
        fc.pre(middle > window.fromNs && middle < window.toNs);
        const question = { filters: filter.filters };
        const whole = await ask({ ...question, window });
        const left = await ask({ ...question, window: { fromNs: window.fromNs, toNs: middle } });
        const right = await ask({ ...question, window: { fromNs: middle, toNs: window.toNs } });
        expect(summed([left.total, right.total])).toEqual(summed([whole.total]));
      }),
      { numRuns: 20, seed: 4 },
    );
  }, 120_000);

  it('counts every call once although both sides report it', async () => {
    const window = { fromNs: START, toNs: END };
    const all = FLOWS.filter((flow) => flow.kind === 'response').reduce((sum, flow) => sum + flow.weight, 0);
    const { total } = await ask({ window });
    expect(Number(total.requests)).toBeLessThan(all);
    expect(total.reporter).toBe('mixed');
  });

  it('gives percentiles at most 2.2 % from those of the known latencies', async () => {
    const window = { fromNs: START, toNs: END };
    const { total } = await ask({ window });
    const sorted = truthOf(START, END, () => true).latencies.toSorted((a, b) => (a < b ? -1 : 1));
    for (const q of [0.01, 0.5, 0.9, 0.95, 0.99, 1]) {
      const exact = Number(sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]) / 1e6;
      const given = quantileMs(total.histogram, q) ?? Number.NaN;
      expect(Math.abs(given - exact) / exact).toBeLessThanOrEqual(0.022);
    }
    expect(total.maxMs).toBe(Number(sorted.at(-1)) / 1e6);
  });

  it.each(['REQUESTS', 'ERRORS', 'ERROR_RATIO', 'P95', 'P99'] as const)(
    'ranks groups by %s',
    async (orderBy) => {
      const groupBy: readonly GroupBy[] = [{ dimension: 'WORKLOAD' }, { dimension: 'ENDPOINT' }];
      const { groups } = await ask({ window: { fromNs: START, toNs: END }, groupBy, orderBy });
      const value = (stats: RedStats): number =>
        ({
          REQUESTS: Number(stats.requests),
          ERRORS: Number(stats.errors),
          ERROR_RATIO: stats.errorRatio ?? 0,
          P95: quantileMs(stats.histogram, 0.95) ?? 0,
          P99: quantileMs(stats.histogram, 0.99) ?? 0,
        })[orderBy];
      const values = groups.map((group) => value(group.stats));
      expect(values).toEqual(values.toSorted((a, b) => b - a));
      expect(new Set(values).size).toBeGreaterThan(1);
    },
  );

  it('uses the coarsest rows that are exact and says which', async () => {
    const tables = async (window: { fromNs: bigint; toNs: bigint }, stepNs: bigint | null = null) =>
      (await ask({ window, stepNs })).table;
    expect(await tables({ fromNs: START, toNs: END })).toBe('red_edges_1h');
    const byEndpoint = await ask({
      window: { fromNs: START, toNs: END },
      groupBy: [{ dimension: 'ENDPOINT' }],
    });
    expect(byEndpoint.table).toBe('red_1h');
    expect(await tables({ fromNs: START + MINUTE, toNs: END })).toBe('red_edges_1h+red_1m');
    expect(await tables({ fromNs: START, toNs: START + 30n * MINUTE })).toBe('red_1m');
    expect(await tables({ fromNs: START + 1n, toNs: END })).toBe('red_edges_1h+red_1m+flows');
    expect(await tables({ fromNs: START, toNs: END }, MINUTE)).toBe('red_1m');
    expect(await tables({ fromNs: START, toNs: START + 60_000_000_000n }, 1_000_000_000n)).toBe('flows');
  });

  it('answers nothing with nulls and a reason, not with zeros', async () => {
    const answer = await ask({ window: { fromNs: START - 2n * HOUR, toNs: START - HOUR } });
    expect(answer.total).toMatchObject({
      requests: 0n,
      errorRatio: null,
      avgMs: null,
      maxMs: null,
      reporter: 'none',
    });
    expect(answer.missing.map((missing) => missing.reason)).toEqual(['NO_L7_VISIBILITY']);
  });

  it('says that DNS has no latency, and where HTTP has one says nothing', async () => {
    const answer = await ask({ window: { fromNs: START, toNs: END }, groupBy: [{ dimension: 'PROTOCOL' }] });
    const dns = answer.groups.findIndex((group) => group.key[0]?.value === 'dns');
    expect(answer.groups[dns]?.stats).toMatchObject({ avgMs: null, maxMs: null, unknownLatencyShare: 1 });
    expect(answer.missing.map(({ path, reason }) => [path, reason])).toEqual([
      [`groups[${dns}].stats.quantilesMs`, 'PROTOCOL_HAS_NONE'],
    ]);
  });

  it('gives null, not zero, for buckets that have not begun, and no rate for the future', async () => {
    const context = { ...CONTEXT, nowNs: START + HOUR };
    const window = { fromNs: START, toNs: START + 4n * HOUR };
    const planned = must(planRed({ window, stepNs: HOUR }, context));
    const { rows, plan } = await settled(planned, context);
    const answer = readRed(rows, plan);
    const empty = must(planRed({ window: { fromNs: START - HOUR, toNs: END }, stepNs: HOUR }, context));
    expect(answer.total.ratePerSecond).toBe(Number(answer.total.requests) / 3600);
    const early = await settled(empty, context);
    const [first] = readRed(early.rows, early.plan).groups[0]?.series?.requests ?? [];
    expect(first).toBe(0n);
    const later = must(planRed({ window: { fromNs: START, toNs: END + 2n * HOUR }, stepNs: HOUR }, context));
    const late = await settled(later, context);
    const series = readRed(late.rows, late.plan).groups[0]?.series;
    expect(series?.requests.slice(-2)).toEqual([null, null]);
  });

  it('asks again only where a report came from neither side, and never reads such rows as an answer', async () => {
    const sided = FLOWS.filter((flow) => flow.reporter !== 0);
    expect(sided.length).toBeLessThan(FLOWS.length);
    for (const [server, again] of [
      ['s1', false],
      ['s2', true],
    ] as const) {
      const filters = { allow: [{ destinationWorkload: [{ name: server }] }] };
      const planned = must(planRed({ window: { fromNs: START, toNs: END }, filters }, CONTEXT));
      const rows = await fixture.run<RedRow>(planned.plan);
      expect(refineRed(planned, rows, CONTEXT) !== null).toBe(again);
      if (again) expect(() => readRed(rows, planned)).toThrow('neither side');
      else expect(readRed(rows, planned).total.requests).toBeGreaterThan(0n);
    }
  });

  it('shows another tenant nothing', async () => {
    const planned = must(planRed({ window: { fromNs: START, toNs: END } }, { ...CONTEXT, tenant: 'other' }));
    expect(readRed(await fixture.run<RedRow>(planned.plan), planned).total.requests).toBe(0n);
  });
});
