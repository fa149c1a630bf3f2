import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planFirstSeen, type FirstSeenRequest } from '../first-seen/plan-first-seen.js';
import {
  readFirstSeen,
  readHistoryBegin,
  type FirstSeenRow,
  type HistoryBeginRow,
} from '../first-seen/read-first-seen.js';
import { CONTEXT, DAY_S, must, startQueryFixture, timeLiteral } from '../testing/query-fixture.js';
import type { FlowCells, QueryFixture } from '../testing/query-fixture.js';
import {
  planPolicyEdges,
  readPolicyEdges,
  type PolicyEdge,
  type PolicyEdgeRow,
  type PolicyOutcome,
} from './policy-edges.js';

const SECOND = 1_000_000_000n;
const HOUR = 3600n * SECOND;
const NOON = BigInt(DAY_S + 43_200) * SECOND + 17n * SECOND + 5n;
const WINDOW = { fromNs: NOON - HOUR, toNs: NOON + HOUR };

/** A packet from web/frontend to shop/cart that passed, seen where it arrives. */
const PASSED: FlowCells = {
  _le: 1,
  _lp: 0,
  _lo: 0,
  _li: 0,
  tenant: 'default',
  cluster: 'east',
  node: 'n1',
  bucket_time: timeLiteral(NOON),
  verdict: 1,
  drop_reason: 0,
  flow_type: 1,
  event_type: 4,
  trace_observation_point: 101,
  traffic_direction: 1,
  src_ip: '::ffff:10.0.0.1',
  dst_ip: '::ffff:10.0.0.2',
  ip_version: 1,
  l4_protocol: 1,
  icmp_type: 0,
  src_port: 40_000,
  dst_port: 8080,
  src_namespace: 'web',
  src_workload: 'frontend',
  src_label_set: 11,
  src_identity: 20_000,
  src_names: [],
  dst_namespace: 'shop',
  dst_workload: 'cart',
  dst_label_set: 22,
  dst_identity: 30_000,
  dst_names: [],
  client_side: 1,
  client_namespace: 'web',
  client_workload: 'frontend',
  server_namespace: 'shop',
  server_workload: 'cart',
  server_port: 8080,
  weight: 1,
};
const DROP = { verdict: 2, event_type: 1, drop_reason: 133, trace_observation_point: 0 };
/** The same connection as its answer: the sender is the server. */
const ANSWER = {
  src_ip: '::ffff:10.0.0.2',
  dst_ip: '::ffff:10.0.0.1',
  src_port: 8080,
  dst_port: 40_000,
  src_namespace: 'shop',
  src_workload: 'cart',
  src_label_set: 22,
  dst_namespace: 'web',
  dst_workload: 'frontend',
  dst_label_set: 11,
  client_side: 2,
};
const WORLD = {
  dst_namespace: '',
  dst_workload: 'reserved:world',
  dst_label_set: 33,
  dst_identity: 16_777_217,
  server_namespace: '',
  server_workload: 'reserved:world',
  server_port: 443,
  traffic_direction: 2,
  trace_observation_point: 3,
};

let serial = 0;
const row = (at: bigint, cells: Readonly<Record<string, FlowCells[string]>> = {}): FlowCells => ({
  ...PASSED,
  _lo: ++serial,
  bucket_time: timeLiteral(at),
  ...cells,
});

let fixture: QueryFixture;

beforeAll(async () => {
  fixture = await startQueryFixture();
  await fixture.insert([
    row(NOON, { weight: 4 }),
    row(NOON + SECOND, ANSWER),
    row(NOON + 2n * SECOND, { src_label_set: 12 }),
    // Says nothing about the server's ingress: left its node, unknown direction, unknown client, translation, L7.
    row(NOON, { traffic_direction: 0 }),
    row(NOON, { client_side: 0 }),
    row(NOON, { event_type: 7, verdict: 6 }),
    row(NOON, { flow_type: 2, event_type: 129 }),
    row(NOON, { ...WORLD, dst_ip: '::ffff:203.0.113.9', dst_names: ['b.example.com', 'a.example.com'] }),
    row(NOON, { ...WORLD, dst_ip: '2001:db8::1', dst_names: ['a.example.com', 'b.example.com'] }),
    row(NOON, { l4_protocol: 3, icmp_type: 8, server_port: 0, src_port: 0, dst_port: 0 }),
    row(NOON, { ...ANSWER, l4_protocol: 3, icmp_type: 0, server_port: 0, src_port: 0, dst_port: 0 }),
    // Refused: only two reasons are a policy's, and the verdict is not a second drop.
    row(NOON, { ...DROP, weight: 2 }),
    row(NOON, { ...DROP, event_type: 5 }),
    row(NOON, { ...DROP, drop_reason: 158 }),
    row(NOON, { ...DROP, drop_reason: 181, traffic_direction: 2 }),
    row(NOON, { verdict: 4, event_type: 5, trace_observation_point: 0 }),
    row(NOON, { tenant: 'other' }),
    row(NOON, { cluster: 'west' }),
    row(NOON + HOUR, { ...DROP }),
    // History of two hours before.
    row(NOON - 2n * HOUR),
    row(NOON - 2n * HOUR, { ...DROP }),
    row(NOON - 2n * HOUR, { ...WORLD, dst_ip: '::ffff:203.0.113.9', dst_names: ['a.example.com'] }),
  ]);
});

afterAll(() => fixture.stop());

async function edges(outcome: PolicyOutcome, more: object = {}): Promise<readonly PolicyEdge[]> {
  const plan = planPolicyEdges({ window: WINDOW, outcome, cluster: 'east', ...more }, CONTEXT);
  const read = readPolicyEdges(await fixture.run<PolicyEdgeRow>(plan));
  expect(read.total).toBeGreaterThanOrEqual(read.edges.length);
  return read.edges;
}

describe('connections that policies judged', () => {
  it('are one for each pair of label sets, answers with their calls, by weight', async () => {
    const found = (await edges('FORWARDED', { namespace: 'shop' })).filter(({ protocol }) => protocol === 1);
    expect(found.map(({ client, flows }) => [client.labelSet, flows])).toEqual([
      ['11', 5n],
      ['12', 1n],
    ]);
    expect(found[0]).toMatchObject({
      direction: 'INGRESS',
      client: { namespace: 'web', workload: 'frontend', identity: 0, addresses: [] },
      server: { namespace: 'shop', workload: 'cart', labelSet: '22' },
      port: 8080,
      icmpType: null,
      firstNs: NOON,
      lastNs: NOON + SECOND,
    });
    expect(found[0]?.samples).toHaveLength(2);
    expect(found[1]?.samples).toHaveLength(1);
  });

  it('keep ICMP messages by type, and no answers to pings', async () => {
    const pings = (await edges('FORWARDED')).filter(({ protocol }) => protocol === 3);
    expect(pings.map(({ icmpType, port, flows }) => [icmpType, port, flows])).toEqual([[8, 0, 1n]]);
  });

  it('keep names and addresses of what is no pod, and local identities', async () => {
    const [world, ...rest] = await edges('FORWARDED', { namespace: 'web' });
    expect(rest).toEqual([]);
    expect(world).toMatchObject({
      direction: 'EGRESS',
      flows: 2n,
      server: {
        names: ['a.example.com', 'b.example.com'],
        addresses: ['2001:db8::1', '203.0.113.9'].toSorted((a, b) => (a < b ? -1 : 1)),
        addressCount: 2,
        identity: 16_777_217,
      },
    });
  });

  it('that were refused are drops for a policy’s reason within the window, at the end that refused', async () => {
    const found = await edges('DENIED');
    expect(found.map(({ direction, flows }) => [direction, flows])).toEqual([
      ['INGRESS', 2n],
      ['EGRESS', 1n],
    ]);
    expect(await edges('DENIED', { namespace: 'web' })).toHaveLength(1);
    expect(await edges('DENIED', { limit: 1 })).toHaveLength(1);
  });

  it('that audit mode let pass are counted apart', async () => {
    expect((await edges('AUDITED')).map(({ flows }) => flows)).toEqual([1n]);
  });
});

describe('what was never seen before', () => {
  async function found(request: FirstSeenRequest) {
    const plan = must(planFirstSeen({ window: WINDOW, cluster: 'east', ...request }, CONTEXT));
    const kinds = await Promise.all(
      plan.plans.map(async ({ kind, plan: one }) =>
        readFirstSeen(kind, await fixture.run<FirstSeenRow>(one)),
      ),
    );
    const begins = readHistoryBegin(await fixture.run<HistoryBeginRow>(plan.begins));
    return { items: kinds.flatMap(({ items }) => items), begins };
  }

  it('leaves out what the history has, and knows when that begins', async () => {
    const { items, begins } = await found({});
    expect(begins).toBe(NOON - 2n * HOUR);
    expect(items.map(({ text }) => text)).toEqual([
      'web/frontend calls shop/cart on ICMPv4',
      'packets from web to shop are dropped with SERVICE_BACKEND_NOT_FOUND',
      'packets from web to shop are dropped with POLICY_DENY',
      'web/frontend calls b.example.com on 443',
    ]);
  });

  it('is everything where the history is too short', async () => {
    const { items, begins } = await found({ historyNs: HOUR / 2n, kinds: ['EDGE', 'EXTERNAL_DESTINATION'] });
    expect(begins).toBeNull();
    expect(items.map(({ text }) => text)).toContain('web/frontend calls shop/cart on TCP 8080');
    expect(items.map(({ server }) => server)).toEqual(
      expect.arrayContaining(['a.example.com', 'b.example.com']),
    );
  });

  it('is asked of one namespace, with a limit and a sensible window', async () => {
    expect((await found({ namespace: 'nobody' })).items).toEqual([]);
    expect((await found({ limit: 1, kinds: ['DROP_REASON'] })).items).toHaveLength(1);
    for (const wrong of [{ limit: 0 }, { limit: 1001 }, { historyNs: 0n }])
      expect(planFirstSeen(wrong, CONTEXT).ok).toBe(false);
  });
});
