import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadHubbleProto } from '../testing/hubble-proto.js';
import { project, projectLines } from '../testing/project.js';
import { rowsOf } from '../testing/rows.js';

const proto = loadHubbleProto();
const TIME = { seconds: 1_767_323_045n, nanos: 123_456_789 };

function fixture(name: string): string {
  const path = fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
  return readFileSync(path, 'utf8').replace(/\n$/, '');
}

const encode = (event: object) => proto.exportEvent.encode(proto.exportEvent.fromObject(event)).finish();

const OLD_FLOW = {
  time: TIME,
  verdict: 2,
  drop_reason: 133,
  ethernet: { source: '46:e5:ea:1f:95:ff', destination: 'd6:ec:b0:4a:ff:46' },
  IP: { source: '10.1.0.7', destination: 'f00d::a10:0:0:10', ipVersion: 2, encrypted: true },
  l4: { TCP: { source_port: 40_123, destination_port: 8080, flags: { SYN: true } } },
  source: {
    ID: 1466,
    identity: 103_600,
    namespace: 'shop',
    labels: ['k8s:app=cart', 'k8s:io.kubernetes.pod.namespace=shop'],
    pod_name: 'cart-5d6d8cfd55-sj27m',
  },
  destination: { identity: 2, labels: ['reserved:world'] },
  Type: 1,
  node_name: 'worker-1',
  destination_names: ['api.example.com'],
  event_type: { type: 1, sub_type: 133 },
  traffic_direction: 2,
  trace_observation_point: 101,
  reply: true,
  Summary: 'TCP Flags: SYN',
};

const { reply: _reply, ...SHARED } = OLD_FLOW;

const FLOW = {
  ...SHARED,
  uuid: 'b1bc7cbf-d212-4b15-bd6f-9c7778132e4f',
  emitter: { name: 'Hubble', version: '1.19.4' },
  source: { ...OLD_FLOW.source, workloads: [{ name: 'cart', kind: 'Deployment' }], cluster_name: 'prod' },
  node_name: 'prod/worker-1',
  node_labels: ['kubernetes.io/os=linux'],
  policy_match_type: 2,
  trace_reason: 1,
  file: { name: 'bpf_lxc.c', line: 1503 },
  ip_trace_id: { trace_id: 9_007_199_254_740_993n, ip_option_type: 136 },
  drop_reason_desc: 133,
  is_reply: { value: false },
  interface: { index: 129, name: 'lxc5076' },
  proxy_port: 15_001,
  trace_context: { parent: { trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' } },
  socket_cookie: 2n ** 64n - 1n,
  egress_denied_by: [
    {
      name: 'deny-all',
      namespace: 'shop',
      labels: ['k8s:io.cilium.k8s.policy.name=deny-all'],
      revision: 7n,
      kind: 'CiliumNetworkPolicy',
    },
  ],
  policy_log: ['denied by "deny-all" — ünïcode\n\ttab'],
};

const MASKED_FLOW = {
  verdict: 1,
  IP: { source: '10.1.0.7', destination: '10.1.0.8' },
  source: { namespace: 'shop', pod_name: 'cart-5d6d8cfd55-sj27m' },
  destination: { identity: 2 },
  l4: { UDP: { destination_port: 53 } },
};

const SHAPES: readonly (readonly [file: string, event: object])[] = [
  ...[
    'envelope.jsonl',
    'bare-flow.jsonl',
    'reordered-with-spaces.jsonl',
    'escaped.jsonl',
    'log-line.txt',
    'log-record.jsonl',
    'docker-log.jsonl',
    'container-runtime.txt',
    'lower-camel.jsonl',
    'enum-numbers.jsonl',
    'loose-values.jsonl',
  ].map((file) => [file, { flow: FLOW, node_name: 'prod/worker-1', time: TIME }] as const),
  ['old.jsonl', { flow: OLD_FLOW, node_name: 'worker-1', time: TIME }],
  ['masked.jsonl', { flow: MASKED_FLOW }],
];

describe('a JSON line', () => {
  it.each(SHAPES)('%s gives the very batch that its protobuf form gives', (file, event) => {
    const fromJson = projectLines([fixture(file)]);
    const fromWire = project('hubble.get_flows_response', [encode(event)]);
    expect(rowsOf(fromJson.deadLetters)).toEqual([]);
    expect(rowsOf(fromJson.flows)).toEqual(rowsOf(fromWire.flows));
    expect(fromJson).toEqual(fromWire);
    expect(rowsOf(fromJson.flows)).toHaveLength(1);
  });

  it('reads what must not be rounded, and three states of a wrapper', () => {
    const [row] = rowsOf(projectLines([fixture('loose-values.jsonl')]).flows);
    expect(row).toMatchObject({
      bucket_time: 1_767_323_045_123_456_789n,
      ip_trace_id: 9_007_199_254_740_993n,
      socket_cookie: 2n ** 64n - 1n,
      is_reply: 1,
    });
    const replies = ['', ',"is_reply":false', ',"is_reply":true', ',"is_reply":null'].map(
      (member) => rowsOf(projectLines([`{"flow":{"verdict":1${member}}}`]).flows)[0]?.['is_reply'],
    );
    expect(replies).toEqual([0, 1, 2, 0]);
  });

  it('of an event that is no flow becomes a row of events', () => {
    const files = ['lost-events.jsonl', 'node-status.jsonl', 'agent-event.jsonl', 'debug-event.jsonl'];
    const batches = projectLines(files.map(fixture));
    expect(batches.accounts[0]).toMatchObject({ events: 4, otherEvents: 3, skipped: 1 });
    expect(rowsOf(batches.events)).toMatchObject([
      {
        kind: 'lost_events',
        type: 1,
        count: 2n ** 64n - 1n,
        first_time: 1_767_323_045_000_000_000n,
        last_time: 1_767_323_046_500_000_000n,
        cluster: 'c1',
        node: 'worker-1',
        bucket_time: 1_767_323_047_000_000_000n,
      },
      { kind: 'node_status', type: 2, nodes: ['prod/worker-1', 'prod/worker-2'], text: 'connection refused' },
      { kind: 'agent_event', type: 3, labels: ['k8s:io.cilium.k8s.policy.name=deny-all'] },
    ]);
  });

  it('keeps members and enum names that it does not know, in place, in extra', () => {
    const [row] = rowsOf(
      projectLines([
        '{"flow":{"verdict":"PONDERED","ext_error":-7,"l4":{"SCTP":{"source_port":1,"checksum":"c0ffee"}}}}',
      ]).flows,
    );
    expect(row).toMatchObject({ verdict: 0, l4_protocol: 5, src_port: 1 });
    for (const kept of ['verdict\0"PONDERED"', 'ext_error\0-7', 'checksum\0"c0ffee"'])
      expect(row?.['extra']).toContain(kept);
  });
});
