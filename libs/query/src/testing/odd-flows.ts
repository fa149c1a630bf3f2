import { seeded } from './random-calls.js';

type Json = Readonly<Record<string, unknown>>;

/** Values that the random filters also draw from, so that filters hit and miss. */
export const WORDS = {
  ips: [
    '10.0.0.1',
    '10.0.0.200',
    '10.9.8.7',
    '255.255.255.255',
    '0.0.0.0',
    '::1',
    '::',
    'f00d::a10:0:0:10',
    '',
  ],
  namespaces: ['default', 'shop', 'kube-system', ''],
  pods: ['web-1', 'web-2', 'webhook-a', 'redis-0', ''],
  workloads: ['web', 'redis', ''],
  kinds: ['Deployment', 'StatefulSet', ''],
  labels: [
    'k8s:app=web',
    'any:app=db',
    'k8s:tier=7',
    'k8s:tier=',
    'k8s:tier=abc',
    'reserved:world',
    'cidr:10.0.0.0/8',
    'app',
    'k8s:a.b/c=d_e',
  ],
  names: ['example.com', 'api.example.com', 'a_b.example.com', 'API.example.com', 'x'],
  clusters: ['default', 'eu', 'eu-2', ''],
  nodes: ['eu/node-1', 'node-1', 'node-2', 'us/NODE', ''],
  urls: [
    '/',
    '',
    '*',
    '/a/b?q=/secret',
    'http://shop:8080/items/7#frag',
    '/%61b',
    '/bad%zz',
    '/%',
    '/%4',
    '/ünï/%E6%97%A5',
    'https://h',
    '/a\nb',
    '//host/path',
    '/a//b',
  ],
  methods: ['GET', 'get', 'POST', ''],
  queries: ['example.com.', 'api.svc.cluster.local.', '.', '', 'EXAMPLE.com.'],
  codes: [0, 200, 404, 503, 50, 5],
  ports: [0, 53, 80, 443, 8080, 65_535],
  identities: [0, 1, 2, 16_777_217, 4_294_967_295],
  verdicts: [0, 1, 2, 3, 4, 5, 6, 7, 99, -1],
  reasons: [0, 133, 181, 205, 9999],
  traces: ['', 'abc', '4bf92f3577b34da6a3ce929d0e0e4736'],
  ipTraces: ['0', '1', '18446744073709551615'],
  uuids: ['43eea867-dd4b-4e5e-b2b8-fe80e0f51b06', '00000000-0000-0000-0000-000000000001'],
  headers: ['X-Id', 'x-id', 'Accept', ''],
  interfaces: ['eth0', 'lxc1', ''],
} as const;

/** Flows in protobuf JSON with small vocabularies and every odd shape: absent parts, empty texts, unnamed enum numbers. */
export function oddFlows(count: number, seed: number, time: string): readonly Json[] {
  const random = seeded(seed);
  const chance = (percent: number) => random(100) < percent;
  const pick = <T>(values: readonly T[]): T | undefined => values[random(values.length)];
  const some = <T>(values: readonly T[], most: number) =>
    Array.from({ length: random(most + 1) }, () => pick(values));
  const maybe = (percent: number, name: string, value: () => unknown): Json =>
    chance(percent) ? { [name]: value() } : {};
  const endpoint = () => ({
    ...maybe(80, 'identity', () => pick(WORDS.identities)),
    ...maybe(80, 'namespace', () => pick(WORDS.namespaces)),
    ...maybe(80, 'pod_name', () => pick(WORDS.pods)),
    ...maybe(70, 'labels', () => [...new Set(some(WORDS.labels, 4))].sort()),
    ...maybe(50, 'workloads', () =>
      some([0], 2).map(() => ({ name: pick(WORDS.workloads), kind: pick(WORDS.kinds) })),
    ),
    ...maybe(50, 'cluster_name', () => pick(WORDS.clusters)),
  });
  const ports = () => ({ source_port: pick(WORDS.ports), destination_port: pick(WORDS.ports) });
  const flag = (): Json => (chance(40) ? { [pick(['FIN', 'SYN', 'RST', 'ACK', 'NS']) ?? 'SYN']: true } : {});
  const l4 = () =>
    pick<Json>([
      { TCP: { ...ports(), ...maybe(70, 'flags', () => ({ ...flag(), ...flag() })) } },
      { TCP: ports() },
      { UDP: ports() },
      { ICMPv4: { type: 8 } },
      { ICMPv6: { type: 128 } },
      { SCTP: ports() },
      { VRRP: { type: 1 } },
      {},
    ]);
  const header = () => ({ key: pick(WORDS.headers), value: pick(WORDS.traces) });
  const l7 = () => ({
    type: pick(['REQUEST', 'RESPONSE', 'SAMPLE']),
    ...pick<Json>([
      {
        http: {
          code: pick(WORDS.codes),
          method: pick(WORDS.methods),
          url: pick(WORDS.urls),
          headers: some([0], 2).map(header),
        },
      },
      { http: { code: pick(WORDS.codes), method: pick(WORDS.methods), url: pick(WORDS.urls) } },
      { dns: { query: pick(WORDS.queries) } },
      { kafka: { topic: 't' } },
      {},
    ]),
  });
  const service = () => ({ name: pick(WORDS.workloads), namespace: pick(WORDS.namespaces) });
  const ip = () => ({
    source: pick(WORDS.ips),
    destination: pick(WORDS.ips),
    ipVersion: pick(['IPv4', 'IPv6', 'IP_NOT_USED']),
    ...maybe(30, 'encrypted', () => true),
    ...maybe(30, 'source_xlated', () => pick(WORDS.ips)),
  });
  return Array.from({ length: count }, () => ({
    time,
    ...maybe(70, 'uuid', () => pick(WORDS.uuids)),
    ...maybe(90, 'verdict', () => pick(WORDS.verdicts)),
    ...maybe(90, 'IP', ip),
    ...maybe(90, 'l4', l4),
    ...maybe(90, 'source', endpoint),
    ...maybe(90, 'destination', endpoint),
    ...maybe(90, 'node_name', () => pick(WORDS.nodes)),
    ...maybe(30, 'node_labels', () => [...new Set(some(WORDS.labels, 2))].sort()),
    ...maybe(50, 'source_names', () => some(WORDS.names, 2)),
    ...maybe(50, 'destination_names', () => some(WORDS.names, 2)),
    ...maybe(50, 'l7', l7),
    ...maybe(80, 'event_type', () => ({ type: pick([1, 4, 5, 129, 0]), sub_type: pick([0, 3, 133]) })),
    ...maybe(30, 'source_service', service),
    ...maybe(30, 'destination_service', service),
    ...maybe(80, 'traffic_direction', () => pick([0, 1, 2])),
    ...maybe(50, 'drop_reason_desc', () => pick(WORDS.reasons)),
    ...maybe(60, 'is_reply', () => chance(50)),
    ...maybe(40, 'interface', () => ({ index: pick([0, 4]), name: pick(WORDS.interfaces) })),
    ...maybe(40, 'trace_context', () => ({ parent: { trace_id: pick(WORDS.traces) } })),
    ...maybe(40, 'ip_trace_id', () => ({ trace_id: pick(WORDS.ipTraces) })),
  }));
}
