import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFlow } from '../flows/read-flow.js';
import type { FlowRecord, FlowRow } from '../flows/flow-record.js';
import { planFlows } from '../flows/plan-flows.js';
import { CONTEXT, DAY_S, must, startQueryFixture, timeLiteral } from '../testing/query-fixture.js';
import type { FlowCells, QueryFixture } from '../testing/query-fixture.js';
import { explainDrop } from './explain-drop.js';
import type { DropExplanation, DropHistoryRow } from './explain-drop.js';
import { isExplainable, planChanges, planExplanation } from './plan-explanation.js';
import type { ChangeRow } from './preceding-changes.js';
import { readTwins } from './twins.js';

const SECOND = 1_000_000_000n;
const HOUR = 3600n * SECOND;
/** Noon of the test day, and a little, so that minutes are ragged. */
const NOON = BigInt(DAY_S + 43_200) * SECOND + 17n * SECOND + 5n;

const INGRESS = 1;
const EGRESS = 2;

/** Hex of a `flow.Policy` {name, namespace, kind} in a list of `flow.Flow`; field 21005 is `ingress_denied_by`. */
function policyHex(field: number, name: string): string {
  const text = (number: number, value: string): number[] => [
    number * 8 + 2,
    value.length,
    ...Buffer.from(value),
  ];
  const policy = [...text(1, name), ...text(2, 'shop'), ...text(5, 'CiliumNetworkPolicy')];
  const tag = field * 8 + 2;
  const varint = [(tag & 127) | 128, ((tag >> 7) & 127) | 128, tag >> 14];
  return Buffer.from([...varint, policy.length, ...policy]).toString('hex');
}

const BLANK: FlowCells = {
  _le: 1,
  _lp: 0,
  _lo: 0,
  _li: 0,
  tenant: 'default',
  cluster: 'east',
  node: 'n1',
  bucket_time: timeLiteral(NOON),
  verdict: 2,
  drop_reason: 133,
  event_type: 1,
  traffic_direction: INGRESS,
  src_ip: '::ffff:10.0.0.1',
  dst_ip: '::ffff:10.0.0.2',
  ip_version: 1,
  l4_protocol: 1,
  src_port: 40_000,
  dst_port: 8080,
  src_namespace: 'web',
  src_workload: 'frontend',
  dst_namespace: 'shop',
  dst_workload: 'cart',
  client_side: 1,
  client_namespace: 'web',
  client_workload: 'frontend',
  server_namespace: 'shop',
  server_workload: 'cart',
  server_port: 8080,
  l7_type: 0,
  l7_kind: 0,
  endpoint: '',
  http_method: '',
  policies: '',
  weight: 1,
};

/** Bytes cannot be written as text: rows of this tenant carry them as hex and are copied to the right one. */
const HEX = 'hex';
const OTHERS = Object.keys(BLANK).filter((name) => name !== 'tenant' && name !== 'policies');
const DECODED = `INSERT INTO flows (tenant, policies, ${OTHERS.join(', ')})
  SELECT 'default', unhex(policies), ${OTHERS.join(', ')} FROM flows WHERE tenant = '${HEX}'`;

let serial = 0;
const row = (timeNs: bigint, cells: Partial<Record<string, FlowCells[string]>> = {}): FlowCells => {
  const named = Object.fromEntries(
    Object.entries(cells).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return { ...BLANK, _lo: ++serial, bucket_time: timeLiteral(timeNs), ...named };
};

describe('an explanation on the real engine', () => {
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    const denied = { drop_reason: 181, src_port: 41_000 };
    const verdict = { ...denied, event_type: 5, tenant: HEX };
    const call = { event_type: 129, l7_type: 1, l7_kind: 2, drop_reason: 0, endpoint: 'DELETE /carts/{id}' };
    await fixture.insert([
      // Default deny: two like it before, one too old, one of another workload, one by another tenant's cluster.
      row(NOON),
      row(NOON - 2n * HOUR, { weight: 3 }),
      row(NOON - 10n * SECOND),
      row(NOON - 25n * HOUR),
      row(NOON - HOUR, { server_workload: 'orders' }),
      row(NOON - HOUR, { cluster: 'west' }),
      row(NOON - HOUR, { tenant: 'other' }),
      // Explicit deny and the verdicts around it: nearest, farther, other port, other node.
      row(NOON, denied),
      row(NOON - 3_000_000n, { ...verdict, policies: policyHex(21_005, 'no-web') }),
      row(NOON + 900_000_000n, { ...verdict, policies: policyHex(21_005, 'farther') }),
      row(NOON - 1_000n, { ...verdict, src_port: 41_001, policies: policyHex(21_005, 'other-port') }),
      row(NOON - 1_000n, { ...verdict, node: 'n2', policies: policyHex(21_005, 'other-node') }),
      // A denied call, two like it and one of another endpoint.
      row(NOON, call),
      row(NOON - HOUR, call),
      row(NOON - 5n * SECOND, call),
      row(NOON - HOUR, { ...call, endpoint: 'GET /carts' }),
      // Others.
      row(NOON, { drop_reason: 158, traffic_direction: EGRESS }),
      row(NOON, { drop_reason: 9999, traffic_direction: 0 }),
      row(NOON, { drop_reason: 196, node: 'n3' }),
      row(NOON, { verdict: 1, event_type: 4, drop_reason: 0 }),
    ]);
    await fixture.writer.command({ name: 'test_policies', sql: DECODED, params: {}, settings: {} });
    await events();
  });

  afterAll(() => fixture.stop());

  /** Agent events before the first default deny, two hours before noon. */
  async function events(): Promise<void> {
    const first = NOON - 2n * HOUR;
    const label = (namespace: string, name: string): string =>
      `['k8s:io.cilium.k8s.policy.namespace=${namespace}', 'k8s:io.cilium.k8s.policy.name=${name}']`;
    const event = (timeNs: bigint, node: string, type: number, labels: string): string =>
      `('default', 'east', '${node}', '${timeLiteral(timeNs)}', 'agent_event', ${type}, ${labels})`;
    const values = [
      event(first - 30n * SECOND, 'n1', 3, label('shop', 'isolate')),
      event(first - 31n * SECOND, 'n2', 3, label('shop', 'isolate')),
      event(first - 40n * SECOND, 'n1', 3, label('billing', 'other-namespace')),
      event(first - 200n * SECOND, 'n1', 5, "['k8s:io.kubernetes.pod.namespace=shop', 'k8s:app=cart']"),
      event(first - 301n * SECOND, 'n1', 4, label('shop', 'too-early')),
      event(first - 20n * SECOND, 'n1', 9, '[]'),
      event(first + SECOND, 'n1', 4, label('shop', 'afterwards')),
    ];
    const sql = `INSERT INTO events (tenant, cluster, node, bucket_time, kind, type, labels) VALUES ${values.join(', ')}`;
    await fixture.writer.command({ name: 'test_events', sql, params: {}, settings: {} });
  }

  async function at(matches: (flow: FlowRecord) => boolean): Promise<FlowRecord> {
    const window = { fromNs: NOON, toNs: NOON + 1n };
    const { plan } = must(planFlows({ window, first: 100 }, CONTEXT));
    const found = (await fixture.run<FlowRow>(plan)).map(readFlow).filter(matches);
    expect(found).toHaveLength(1);
    const [flow] = found;
    if (flow === undefined) throw new Error('no such flow');
    return flow;
  }

  async function explained(drop: FlowRecord): Promise<DropExplanation> {
    const plan = planExplanation(drop, CONTEXT);
    const history = (await fixture.run<DropHistoryRow>(plan.history))[0] ?? null;
    const twins = plan.twins === null ? [] : await fixture.run<FlowRow>(plan.twins);
    const twin = readTwins(twins, [drop]).get(drop.id) ?? null;
    const since =
      history === null || history.drop_count === '0' ? drop.position.bucketNs : BigInt(history.first_ns);
    const changes = await fixture.run<ChangeRow>(planChanges(drop, since, CONTEXT));
    return explainDrop({ drop, twin, history, changes });
  }

  it('tells a default deny, since when, and what changed on its node before', async () => {
    const answer = await explained(await at((flow) => flow.dropReason === 133));
    expect(answer).toMatchObject({ kind: 'DEFAULT_DENY', enforcedAt: 'SERVER', policies: [] });
    expect(answer).toMatchObject({ similarBefore: 4n, firstSeenNs: NOON - 2n * HOUR });
    expect(answer.conclusion).toContain('web/frontend to shop/cart TCP port 8080');
    expect(answer.precedingChanges.map(({ kind, object }) => [kind, object])).toEqual([
      ['ENDPOINT_REGENERATE_SUCCESS', 'k8s:io.kubernetes.pod.namespace=shop, k8s:app=cart'],
      ['POLICY_UPDATED', 'shop/isolate'],
    ]);
    expect(answer.missing.map(({ path }) => path)).toEqual(['policies']);
    expect(answer.remedy).toContain('Check both directions');
  });

  it('names the policy of the nearest verdict of the same node and connection', async () => {
    const answer = await explained(await at((flow) => flow.dropReason === 181));
    expect(answer.kind).toBe('EXPLICIT_DENY');
    expect(answer.policies.map(({ name }) => name)).toEqual(['no-web']);
    expect(answer.conclusion).toContain('CiliumNetworkPolicy shop/no-web');
    expect(answer.evidence.map(({ level }) => level)).toEqual(['EXACT', 'STRONG', 'EXACT']);
    expect(answer.similarBefore).toBe(0n);
  });

  it('counts the denied calls of the same endpoint for a call that the proxy denied', async () => {
    const answer = await explained(await at((flow) => flow.l7Kind === 2));
    expect(answer).toMatchObject({ kind: 'L7_DENY', similarBefore: 2n });
    expect(answer.firstSeenNs).toBe(((NOON - HOUR) / (60n * SECOND)) * 60n * SECOND);
    expect(answer.conclusion).toContain('DELETE /carts/{id}');
  });

  it('blames no policy for a drop with another reason', async () => {
    const answer = await explained(await at((flow) => flow.dropReason === 158));
    expect(answer).toMatchObject({ kind: 'NOT_POLICY', enforcedAt: 'CLIENT', policies: [] });
    expect(answer.conclusion).toContain('no backend that is ready');
  });

  it('leaves a reason that is newer than its table undetermined', async () => {
    const answer = await explained(await at((flow) => flow.dropReason === 9999));
    expect(answer).toMatchObject({ kind: 'UNDETERMINED', enforcedAt: 'NONE', remedy: null });
  });

  it('says when agent events of the node are not recorded, so that silence means nothing', async () => {
    const answer = await explained(await at((flow) => flow.dropReason === 196));
    expect(answer.precedingChanges).toEqual([]);
    expect(answer.missing.map(({ path }) => path)).toEqual(['precedingChanges']);
  });

  it('explains only what was dropped', async () => {
    expect(isExplainable(await at((flow) => flow.verdict === 1))).toBe(false);
    expect(isExplainable(await at((flow) => flow.l7Kind === 2))).toBe(true);
  });
});
