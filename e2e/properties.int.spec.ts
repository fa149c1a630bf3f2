import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askDrops, type DropAnswer } from './truth/drop-question.js';
import { askRed, type RedAnswer, type StatsAnswer } from './truth/red-question.js';
import { HOUR_NS, MINUTE_NS, SCENARIOS, SECOND_NS, SETUP_MS, type Span } from './truth/scenarios.js';
import { startTruthPipeline, type TruthPipeline } from './truth/truth-pipeline.js';

const [SCENARIO] = SCENARIOS.filter(({ name }) => name.startsWith('everything'));
if (SCENARIO === undefined) throw new Error('no scenario');
const { fromNs, toNs } = SCENARIO;
const RUNS = 15;
const IP_VERSIONS = ['IP_NOT_USED', 'IPv4', 'IPv6'];

interface Filters {
  readonly allow?: readonly object[];
  readonly deny?: readonly object[];
}

let pipeline: TruthPipeline;

beforeAll(async () => {
  pipeline = await startTruthPipeline([SCENARIO]);
}, SETUP_MS);

afterAll(() => pipeline?.stop());

/** Moments in and around the run: whole hours, whole minutes, anything. */
const moment = fc.oneof(
  fc.bigInt({ min: 0n, max: 3n }).map((hours) => fromNs - (fromNs % HOUR_NS) + hours * HOUR_NS),
  fc.bigInt({ min: -5n, max: 115n }).map((minutes) => fromNs + minutes * MINUTE_NS),
  fc.bigInt({ min: 0n, max: toNs - fromNs }).map((ns) => fromNs + ns),
);
const moments = (count: number) =>
  fc
    .uniqueArray(moment, { minLength: count, maxLength: count })
    .map((list) => list.toSorted((a, b) => (a < b ? -1 : 1)));
const window: fc.Arbitrary<Span> = moments(2).map(([a = 0n, b = 0n]) => ({ fromNs: a, toNs: b }));

/** Filters that a rollup can answer. */
const keyFilters = fc.constantFrom<Filters>(
  {},
  { allow: [{ destinationWorkload: [{ name: 'catalog' }] }] },
  { allow: [{ sourceWorkload: [{ name: 'frontend' }] }, { destinationPort: ['53'] }] },
  { deny: [{ destinationPort: ['8080'] }] },
  { allow: [{ sourcePod: ['shop/'] }] },
);
/** Filters that only single flows can answer. */
const rowFilters = fc.constantFrom<Filters>(
  { allow: [{ sourceClusterName: ['east'] }] },
  { allow: [{ destinationPod: ['shop/catalog', 'production/my'] }], deny: [{ httpStatusCode: ['5+'] }] },
  { deny: [{ sourceLabel: ['app=frontend'] }] },
);
const anyFilters = fc.oneof(keyFilters, rowFilters);

const RED_DIMENSIONS = [
  { dimension: 'CLUSTER' },
  { dimension: 'WORKLOAD', side: 'CLIENT' },
  { dimension: 'WORKLOAD', side: 'SERVER' },
  { dimension: 'NAMESPACE', side: 'SERVER' },
  { dimension: 'ENDPOINT' },
  { dimension: 'PORT' },
  { dimension: 'PROTOCOL' },
];
const DROP_DIMENSIONS = [
  { dimension: 'DROP_REASON' },
  { dimension: 'WORKLOAD', side: 'CLIENT' },
  { dimension: 'WORKLOAD', side: 'SERVER' },
  { dimension: 'NODE' },
  { dimension: 'DIRECTION' },
  { dimension: 'PORT' },
];
const redGroups = fc.subarray(RED_DIMENSIONS, { maxLength: 4 });
const dropGroups = fc.subarray(DROP_DIMENSIONS, { maxLength: 4 });
const limit = fc.constantFrom(0, 1, 3, 1000);
const step = fc.constantFrom('1m', '5m', '30m', '1h');

/** The same filters, so that only single flows can answer. */
function onRows({ allow, deny }: Filters): Filters {
  const narrowed = (allow ?? [{}]).map((filter) => ({ ...filter, ipVersion: IP_VERSIONS }));
  return { allow: narrowed, ...(deny === undefined ? {} : { deny }) };
}

type Sums = Pick<StatsAnswer, 'requests' | 'denied' | 'errors'> & { readonly maxMs: number };

function summed(parts: readonly StatsAnswer[]): Sums {
  const sum = (of: (part: StatsAnswer) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  return {
    requests: sum((part) => part.requests),
    denied: sum((part) => part.denied),
    errors: sum((part) => part.errors),
    maxMs: parts.reduce((max, part) => Math.max(max, part.maxMs ?? 0), 0),
  };
}

function add(values: readonly (number | null)[] | undefined): number {
  return (values ?? [Number.NaN]).reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

/** An answer without what says how it came about. */
function numbersOf<Answer extends RedAnswer | DropAnswer>(answer: Answer): Omit<Answer, 'answered'> {
  return { ...answer, answered: undefined };
}

/** Raw rows answered, alone or with the history that names an end which a flow does not. */
const SINGLE_FLOWS: unknown = expect.stringMatching(/^flows(\+endpoints)?$/);

function holdsWholeMinute(span: Span): boolean {
  const first = ((span.fromNs + MINUTE_NS - 1n) / MINUTE_NS) * MINUTE_NS;
  return first + MINUTE_NS <= span.toNs;
}

async function check<Values extends unknown[]>(
  property: fc.IAsyncPropertyWithHooks<Values>,
  seed: number,
): Promise<void> {
  await fc.assert(property, { numRuns: RUNS, seed, endOnFailure: true });
}

describe('RED, whatever is asked', () => {
  it('adds up: total = groups + other, and every group = its buckets', async () => {
    const asked = fc.asyncProperty(
      window,
      anyFilters,
      redGroups,
      limit,
      step,
      async (span, filters, groupBy, most, every) => {
        const answer = await askRed(pipeline, { window: span, filters, groupBy, limit: most, step: every });
        const parts = answer.groups.map((group) => group.stats);
        expect(summed(answer.other === null ? parts : [...parts, answer.other])).toEqual(
          summed([answer.total]),
        );
        for (const { stats, series } of answer.groups) {
          expect(add(series?.requests)).toBe(stats.requests);
          expect(add(series?.errors)).toBe(stats.errors);
          expect(series?.requests.length).toBe(answer.buckets.length);
        }
        const alone = await askRed(pipeline, { window: span, filters });
        expect(answer.total).toEqual(alone.total);
      },
    );
    await check(asked, 1);
  });

  it('is additive in time: [a, c) = [a, b) + [b, c)', async () => {
    const asked = fc.asyncProperty(moments(3), anyFilters, async ([a = 0n, b = 0n, c = 0n], filters) => {
      const spans = [
        [a, b],
        [b, c],
        [a, c],
      ] as const;
      const [left, right, whole] = await Promise.all(
        spans.map(([from, to]) => askRed(pipeline, { window: { fromNs: from, toNs: to }, filters })),
      );
      if (left === undefined || right === undefined || whole === undefined) throw new Error('no answer');
      expect(summed([left.total, right.total])).toEqual(summed([whole.total]));
    });
    await check(asked, 2);
  });

  it('says the same from rollups and from single flows, and says which answered', async () => {
    const asked = fc.asyncProperty(
      window,
      keyFilters,
      redGroups,
      step,
      async (span, filters, groupBy, every) => {
        const question = { window: span, groupBy, step: every, limit: 20 };
        const fast = await askRed(pipeline, { ...question, filters });
        const slow = await askRed(pipeline, { ...question, filters: onRows(filters) });
        expect(numbersOf(fast)).toEqual(numbersOf(slow));
        expect(slow.answered).toMatchObject({ table: SINGLE_FLOWS, resolution: null, exact: true });
        expect(/red_1[mh]/.test(fast.answered.table)).toBe(holdsWholeMinute(span));
        expect(fast.answered.exact).toBe(true);
      },
    );
    await check(asked, 3);
  });

  it('reads single flows when a filter or a grouping needs them', async () => {
    const asked = fc.asyncProperty(window, rowFilters, async (span, filters) => {
      expect((await askRed(pipeline, { window: span, filters })).answered.table).toBe('flows');
      const groupBy = [{ dimension: 'POD', side: 'SERVER' }];
      expect((await askRed(pipeline, { window: span, groupBy })).answered.table).toBe('flows');
    });
    await check(asked, 4);
  });
});

describe('drops, whatever is asked', () => {
  it('add up: total = groups + other, and every group = its buckets', async () => {
    const asked = fc.asyncProperty(
      window,
      anyFilters,
      dropGroups,
      limit,
      step,
      async (span, filters, groupBy, most, every) => {
        const question = { window: span, filters, groupBy, limit: most, step: every };
        const answer = await askDrops(pipeline, question);
        expect(add(answer.groups.map((group) => group.count)) + answer.other).toBe(answer.total);
        for (const { count, series } of answer.groups) expect(add(series)).toBe(count);
        const alone = await askDrops(pipeline, { window: span, filters });
        expect([answer.total, answer.audited]).toEqual([alone.total, alone.audited]);
      },
    );
    await check(asked, 5);
  });

  it('are additive in time: [a, c) = [a, b) + [b, c)', async () => {
    const asked = fc.asyncProperty(moments(3), anyFilters, async ([a = 0n, b = 0n, c = 0n], filters) => {
      const ask = (from: bigint, to: bigint) =>
        askDrops(pipeline, { window: { fromNs: from, toNs: to }, filters });
      const [left, right, whole] = [await ask(a, b), await ask(b, c), await ask(a, c)];
      expect(left.total + right.total).toBe(whole.total);
      expect(left.audited + right.audited).toBe(whole.audited);
    });
    await check(asked, 6);
  });

  it('are the same from the rollup and from single flows', async () => {
    const asked = fc.asyncProperty(
      window,
      keyFilters,
      dropGroups,
      step,
      async (span, filters, groupBy, every) => {
        const question = { window: span, groupBy, step: every, limit: 20 };
        const fast = await askDrops(pipeline, { ...question, filters });
        const slow = await askDrops(pipeline, { ...question, filters: onRows(filters) });
        expect(numbersOf(fast)).toEqual(numbersOf(slow));
        expect(slow.answered).toMatchObject({ table: SINGLE_FLOWS, exact: true });
        expect(fast.answered.table.includes('drops_1m')).toBe(holdsWholeMinute(span));
      },
    );
    await check(asked, 7);
  });

  it('are there to be counted in most windows', async () => {
    const minute = { fromNs: fromNs + 40n * MINUTE_NS, toNs: fromNs + 40n * MINUTE_NS + 600n * SECOND_NS };
    expect((await askDrops(pipeline, { window: minute })).total).toBeGreaterThan(10);
    expect((await askRed(pipeline, { window: minute })).total.requests).toBeGreaterThan(100);
  });
});
