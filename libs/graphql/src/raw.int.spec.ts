import { encodeEnvelope, Projection } from '@flowledger/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, startApiFixture, type ApiFixture } from './testing/api-fixture.js';
import { at, HOUR_START_MS } from './testing/flow-rows.js';

/** A policy verdict with fields that no other answer shows: MACs, emitter, node labels, policies, an extension of IP. */
const FLOW = {
  time: at(60.25),
  uuid: '43eea867-dd4b-4e5e-b2b8-fe80e0f51b06',
  verdict: 'DROPPED',
  ethernet: { source: '0a:58:0a:00:00:01', destination: '0a:58:0a:00:00:02' },
  IP: { source: '10.0.0.1', destination: 'f00d::a10:0:0:10', ipVersion: 'IPv4' },
  l4: { TCP: { source_port: 41000, destination_port: 5432, flags: { SYN: true } } },
  source: {
    ID: 7,
    identity: 1234,
    cluster_name: 'eu',
    namespace: 'shop',
    labels: ['k8s:app=web', 'k8s:tier=front'],
    pod_name: 'web-1',
    workloads: [{ name: 'web', kind: 'Deployment' }],
  },
  destination: { identity: 2, labels: ['reserved:world'] },
  Type: 'L3_L4',
  node_name: 'eu/node-1',
  node_labels: ['kubernetes.io/hostname=node-1'],
  event_type: { type: 5 },
  traffic_direction: 'EGRESS',
  drop_reason: 133,
  drop_reason_desc: 'POLICY_DENIED',
  socket_cookie: '18446744073709551615',
  emitter: { name: 'Hubble', version: '1.19.4' },
  egress_denied_by: [{ name: 'deny', namespace: 'shop', revision: '7', kind: 'CiliumNetworkPolicy' }],
  Summary: 'TCP Flags: SYN',
};

let api: ApiFixture;

beforeAll(async () => {
  api = await startApiFixture();
  const header = { version: 1, tenant: 'default', cluster: 'eu', stream: 'node-1', source: 'test' } as const;
  const envelope = { ...header, codec: 'hubble.export_json', count: 1, receivedMs: HOUR_START_MS } as const;
  const line = Buffer.from(JSON.stringify({ flow: FLOW }));
  const projection = new Projection({
    logEpoch: 7n,
    partition: 0,
    rawTtlMs: 86_400_000,
    isDuplicate: () => false,
  });
  projection.add({ offset: 0n, value: encodeEnvelope(envelope, [line]) });
  const { flows, labelSets } = projection.take();
  await api.writer.insert(flows, { token: 'flows' });
  await api.writer.insert(labelSets, { token: 'labels' });
});
afterAll(() => api.stop());

describe('raw', () => {
  it('is the flow that was sent, field by field, through the store and back', async () => {
    const server = await api.serve();
    const query = `{ flows(window: { from: "${at(0)}", to: "${at(3600)}" }) { nodes { id raw again: raw } } }`;
    const { data, errors } = await ask(server, query);
    expect(errors).toEqual([]);
    const flows = data?.['flows'] as { nodes: { id: string; raw: string; again: string }[] } | undefined;
    const [node] = flows?.nodes ?? [];
    expect(JSON.parse(node?.raw ?? '{}')).toEqual(FLOW);
    expect(node?.again).toBe(node?.raw);
    const single = await ask(server, 'query ($id: ID) { flow(id: $id) { raw } }', { id: node?.id });
    expect(single.data).toEqual({ flow: { raw: node?.raw } });
  });
});
