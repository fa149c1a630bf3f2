import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlowFilters } from '../filter/flow-filter.js';
import type { GroupBy } from '../group/dimensions.js';
import { planSamples } from '../group/plan-samples.js';
import { readFlow } from '../flows/read-flow.js';
import type { FlowRow } from '../flows/flow-record.js';
import { CONTEXT, DAY_S, must, startQueryFixture, timeLiteral } from '../testing/query-fixture.js';
import type { FlowCells, QueryFixture } from '../testing/query-fixture.js';
import { flowCells, randomFlows } from '../testing/random-calls.js';
import type { RandomFlow } from '../testing/random-calls.js';
import { planDrops } from './plan-drops.js';
import type { DropsRequest } from './plan-drops.js';
import { readDrops } from './read-drops.js';
import type { DropRow } from './read-drops.js';

const HOUR = 3_600_000_000_000n;
const MINUTE = 60_000_000_000n;
const START = BigInt(DAY_S + 36_000) * 1_000_000_000n;
const FLOWS = randomFlows(5000, 23);
const RAW_ONLY: FlowFilters = { allow: [{ encrypted: [true, false] }] };

function sum(flows: readonly RandomFlow[]): bigint {
  return flows.reduce((total, flow) => total + BigInt(flow.weight), 0n);
}

const time = fc.oneof(
  fc.bigInt({ min: 0n, max: 300n }).map((minutes) => START + minutes * MINUTE),
  fc.bigInt({ min: 0n, max: 5n * HOUR }).map((ns) => START + ns),
);
const windows = fc
  .tuple(time, time)
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => (a < b ? { fromNs: a, toNs: b } : { fromNs: b, toNs: a }));
const groupings = fc.subarray<GroupBy>(
  [
    { dimension: 'DROP_REASON' },
    { dimension: 'NAMESPACE', side: 'CLIENT' },
    { dimension: 'WORKLOAD' },
    { dimension: 'NODE' },
    { dimension: 'DIRECTION' },
    { dimension: 'PROTOCOL' },
    { dimension: 'PORT' },
    { dimension: 'CLUSTER' },
  ],
  { maxLength: 4 },
);
const filters = fc.constantFrom<{ filters: FlowFilters | null; matches: (flow: RandomFlow) => boolean }>(
  { filters: null, matches: () => true },
  { filters: { allow: [{ nodeName: ['n1'] }] }, matches: (flow) => flow.node === 'n1' },
  {
    filters: { allow: [{ dropReasonDesc: ['POLICY_DENY'] }, { dropReasonDesc: ['133'] }] },
    matches: (flow) => [133, 181].includes(flow.reason),
  },
  {
    filters: { deny: [{ sourceWorkload: [{ name: 'c0' }] }, { trafficDirection: ['INGRESS'] }] },
    matches: (flow) => flow.client !== 'c0' && flow.reporter !== 1,
  },
  {
    filters: { allow: [{ dropReasonDesc: ['DROP_REASON_UNKNOWN'] }] },
    matches: (flow) => flow.reason === 0,
  },
  {
    filters: { allow: [{ dropReasonDesc: ['0'], encrypted: [true, false] }] },
    matches: (flow) => flow.reason === 0,
  },
  { filters: { allow: [{ sourcePod: ['shop/pod-3'] }] }, matches: (flow) => flow.clientPod === 'pod-3' },
);

describe('drops on the real engine', () => {
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    await fixture.insert(FLOWS.map(flowCells));
  });

  afterAll(() => fixture.stop());

  async function ask(request: DropsRequest) {
    const planned = must(planDrops(request, CONTEXT));
    const answer = readDrops(await fixture.run<DropRow>(planned.plan), planned);
    return { answer, planned };
  }

  it('counts drop events only: no verdict twins, and audited verdicts apart', async () => {
    await fc.assert(
      fc.asyncProperty(windows, filters, async (window, filter) => {
        const inside = FLOWS.filter(
          (flow) => flow.timeNs >= window.fromNs && flow.timeNs < window.toNs && filter.matches(flow),
        );
        const { answer } = await ask({ window, filters: filter.filters });
        expect(answer.total).toBe(sum(inside.filter((flow) => flow.kind === 'drop')));
        expect(answer.audited).toBe(sum(inside.filter((flow) => flow.kind === 'audit')));
      }),
      { numRuns: 25, seed: 1 },
    );
  });

  it('answers from the rollup and from raw rows alike', async () => {
    await fc.assert(
      fc.asyncProperty(windows, groupings, async (window, groupBy) => {
        const fast = await ask({ window, groupBy, limit: 1000 });
        const raw = await ask({ window, groupBy, limit: 1000, filters: RAW_ONLY });
        expect(raw.planned.answered.table).toBe('flows');
        expect(fast.answer).toEqual(raw.answer);
      }),
      { numRuns: 25, seed: 2 },
    );
  });

  it('adds up: total = sum of groups + other, and every group = sum of its buckets', async () => {
    await fc.assert(
      fc.asyncProperty(windows, groupings, fc.integer({ min: 0, max: 4 }), async (window, groupBy, limit) => {
        const { answer } = await ask({ window, groupBy, limit, stepNs: 5n * MINUTE });
        const shown = answer.groups.reduce((total, group) => total + group.count, 0n);
        expect(shown + answer.other).toBe(answer.total);
        expect(answer.groups.length).toBe(Math.min(limit, answer.groupCount));
        for (const group of answer.groups) {
          expect(group.series?.reduce<bigint>((total, value) => total + (value ?? 0n), 0n)).toBe(group.count);
          expect([...group.reasons.values()].reduce((total, count) => total + count, 0n)).toBe(group.count);
        }
      }),
      { numRuns: 20, seed: 3 },
    );
  });

  it('is additive over windows', async () => {
    await fc.assert(
      fc.asyncProperty(windows, time, async (window, middle) => {
        fc.pre(middle > window.fromNs && middle < window.toNs);
        const whole = await ask({ window });
        const left = await ask({ window: { fromNs: window.fromNs, toNs: middle } });
        const right = await ask({ window: { fromNs: middle, toNs: window.toNs } });
        expect(left.answer.total + right.answer.total).toBe(whole.answer.total);
      }),
      { numRuns: 15, seed: 4 },
    );
  });

  it('gives the first and the last drop of a group, its text and its remedy', async () => {
    const window = { fromNs: START, toNs: START + 5n * HOUR };
    const { answer } = await ask({ window });
    const stale = answer.groups.find((group) => group.key[0]?.value === 'STALE_OR_UNROUTABLE_IP');
    const times = FLOWS.filter((flow) => flow.reason === 151).map((flow) => flow.timeNs);
    expect(stale?.firstSeenNs).toBe(times.reduce((a, b) => (a < b ? a : b)));
    expect(stale?.lastSeenNs).toBe(times.reduce((a, b) => (a > b ? a : b)));
    expect(stale?.text).toContain('stale');
    expect(stale?.remedy).not.toBeNull();
  });

  it('finds samples of a group by its id', async () => {
    const window = { fromNs: START, toNs: START + 5n * HOUR };
    const { answer, planned } = await ask({
      window,
      groupBy: [{ dimension: 'DROP_REASON' }, { dimension: 'WORKLOAD' }],
    });
    const [group] = answer.groups;
    const request = {
      question: 'drops',
      window,
      keys: planned.keys,
      groupId: group?.id ?? '',
      first: 3,
    } as const;
    const rows = await fixture.run<FlowRow>(must(planSamples(request, CONTEXT)));
    const samples = rows.map(readFlow);
    expect(samples.length).toBe(3);
    for (const sample of samples) {
      expect(sample.eventType).toBe(1);
      expect(group?.reasons.has(sample.dropReason)).toBe(true);
    }
    expect(samples[0]?.position.bucketNs).toBe(group?.lastSeenNs);
  });

  it('groups drops by the policy that their verdict twin names, the nearest within a second', async () => {
    const name = 'deny-front';
    const kind = 'CiliumNetworkPolicy';
    const policy = `\n${String.fromCodePoint(name.length)}${name}\u0012\u0004shop*${String.fromCodePoint(kind.length)}${kind}`;
    const at = START + 9n * HOUR;
    const row = (index: number, nanos: bigint, cells: FlowCells): FlowCells => ({
      ...flowCells(FLOWS[0]!, index),
      tenant: 'twins',
      bucket_time: timeLiteral(at + nanos),
      event_type: 1,
      verdict: 2,
      drop_reason: 181,
      l7_kind: 0,
      l7_type: 0,
      weight: 1,
      src_port: 4000,
      policies: '',
      ...cells,
    });
    const verdict = { event_type: 5 };
    const rows = [
      row(0, 0n, {}),
      row(1, -900_000_000n, { event_type: 5 }),
      row(2, 200_000n, verdict),
      row(3, 1n, { src_port: 4001 }),
      row(4, 1_000_000_002n, { ...verdict, src_port: 4001 }),
      row(5, 2n, { drop_reason: 151, src_port: 4002 }),
      row(6, 3n, { ...verdict, src_port: 4002 }),
      row(7, 4n, { node: 'other' }),
    ];
    await fixture.insert(rows);
    // Field 21005 with its length, which is not UTF-8, goes in by its hex.
    await fixture.writer.command({
      name: 'test_policies',
      sql: `INSERT INTO flows (_le, _lp, _lo, tenant, cluster, node, bucket_time, verdict, drop_reason, event_type, l4_protocol, src_port, weight, policies)
        SELECT 9, 0, number, 'twins', 'default', '${FLOWS[0]!.node}', '${timeLiteral(at + 100_000n)}', 2, 181, 5, 1, 4000, 1,
        concat(unhex('EAA00A'), char(${policy.length}), {policy:String}) FROM numbers(1)`,
      params: { policy },
      settings: {},
    });
    const window = { fromNs: at - HOUR, toNs: at + HOUR };
    const planned = must(
      planDrops({ window, groupBy: [{ dimension: 'POLICY' }] }, { ...CONTEXT, tenant: 'twins' }),
    );
    const { groups, total } = readDrops(await fixture.run<DropRow>(planned.plan), planned);
    expect(groups.map((group) => [group.key[0]?.value, group.count])).toEqual([
      [null, 3n],
      ['CiliumNetworkPolicy shop/deny-front', 1n],
    ]);
    expect(total).toBe(4n);
    const samples = await Promise.all(
      groups.map(async ({ id, policies }) => {
        const request = { question: 'drops', window, keys: planned.keys, groupId: id, policies } as const;
        const plan = must(planSamples({ ...request, first: 20 }, { ...CONTEXT, tenant: 'twins' }));
        return (await fixture.run<FlowRow>(plan)).map(readFlow);
      }),
    );
    // All drops of a group, and no verdict beside them.
    expect(samples.map((flows) => flows.map((flow) => flow.eventType))).toEqual([[1, 1, 1], [1]]);
    const ids = samples.flat().map((flow) => flow.id);
    expect(new Set(ids).size).toBe(4);
  });
});
