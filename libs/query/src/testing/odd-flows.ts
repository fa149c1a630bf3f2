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
    'shop:8080/items',
    '1shop:80/a',
    'http:/b',
    'a#\n%zz',
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

/** Draws the parts of a flow. */
class OddParts {
  readonly #random: (below: number) => number;
  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  chance(percent: number): boolean {
    return this.#random(100) < percent;
  }

  pick<T>(values: readonly T[]): T | undefined {
    return values[this.#random(values.length)];
  }

  some<T>(values: readonly T[], most: number): readonly (T | undefined)[] {
    return Array.from({ length: this.#random(most + 1) }, () => this.pick(values));
  }

  set(values: readonly string[], most: number): readonly (string | undefined)[] {
    return [...new Set(this.some(values, most))].sort();
  }

  maybe(percent: number, name: string, value: () => unknown): Json {
    return this.chance(percent) ? { [name]: value() } : {};
  }

  endpoint(): Json {
    const workload = () => ({ name: this.pick(WORDS.workloads), kind: this.pick(WORDS.kinds) });
    return {
      ...this.maybe(80, 'identity', () => this.pick(WORDS.identities)),
      ...this.maybe(80, 'namespace', () => this.pick(WORDS.namespaces)),
      ...this.maybe(80, 'pod_name', () => this.pick(WORDS.pods)),
      ...this.maybe(70, 'labels', () => this.set(WORDS.labels, 4)),
      ...this.maybe(50, 'workloads', () => this.some([0], 2).map(workload)),
      ...this.maybe(50, 'cluster_name', () => this.pick(WORDS.clusters)),
    };
  }

  l4(): Json | undefined {
    const ports = () => ({ source_port: this.pick(WORDS.ports), destination_port: this.pick(WORDS.ports) });
    const flag = () => this.maybe(40, this.pick(['FIN', 'SYN', 'RST', 'ACK', 'NS']) ?? 'SYN', () => true);
    return this.pick<Json>([
      { TCP: { ...ports(), ...this.maybe(70, 'flags', () => ({ ...flag(), ...flag() })) } },
      { TCP: ports() },
      { UDP: ports() },
      { ICMPv4: { type: 8 } },
      { ICMPv6: { type: 128 } },
      { SCTP: ports() },
      { VRRP: { type: 1 } },
      {},
    ]);
  }

  l7(): Json {
    const header = () => ({ key: this.pick(WORDS.headers), value: this.pick(WORDS.traces) });
    const http = {
      code: this.pick(WORDS.codes),
      method: this.pick(WORDS.methods),
      url: this.pick(WORDS.urls),
      headers: this.some([0], 2).map(header),
    };
    return {
      type: this.pick(['REQUEST', 'RESPONSE', 'SAMPLE']),
      ...this.pick<Json>([
        { http },
        { http },
        { dns: { query: this.pick(WORDS.queries) } },
        { kafka: { topic: 't' } },
        {},
      ]),
    };
  }

  service(): Json {
    return { name: this.pick(WORDS.workloads), namespace: this.pick(WORDS.namespaces) };
  }

  ip(): Json {
    return {
      source: this.pick(WORDS.ips),
      destination: this.pick(WORDS.ips),
      ipVersion: this.pick(['IPv4', 'IPv6', 'IP_NOT_USED']),
      ...this.maybe(30, 'encrypted', () => true),
      ...this.maybe(30, 'source_xlated', () => this.pick(WORDS.ips)),
    };
  }

  eventType(): Json {
    return { type: this.pick([1, 4, 5, 129, 0]), sub_type: this.pick([0, 3, 133]) };
  }
}

/** Flows in protobuf JSON with small vocabularies and every odd shape: absent parts, empty texts, unnamed enum numbers. */
export function oddFlows(count: number, seed: number, time: string): readonly Json[] {
  const parts = new OddParts(seed);
  return Array.from({ length: count }, () => ({
    time,
    ...parts.maybe(70, 'uuid', () => parts.pick(WORDS.uuids)),
    ...parts.maybe(90, 'verdict', () => parts.pick(WORDS.verdicts)),
    ...parts.maybe(90, 'IP', () => parts.ip()),
    ...parts.maybe(90, 'l4', () => parts.l4()),
    ...parts.maybe(90, 'source', () => parts.endpoint()),
    ...parts.maybe(90, 'destination', () => parts.endpoint()),
    ...parts.maybe(90, 'node_name', () => parts.pick(WORDS.nodes)),
    ...parts.maybe(30, 'node_labels', () => parts.set(WORDS.labels, 2)),
    ...parts.maybe(50, 'source_names', () => parts.some(WORDS.names, 2)),
    ...parts.maybe(50, 'destination_names', () => parts.some(WORDS.names, 2)),
    ...parts.maybe(50, 'l7', () => parts.l7()),
    ...parts.maybe(80, 'event_type', () => parts.eventType()),
    ...parts.maybe(30, 'source_service', () => parts.service()),
    ...parts.maybe(30, 'destination_service', () => parts.service()),
    ...parts.maybe(80, 'traffic_direction', () => parts.pick([0, 1, 2])),
    ...parts.maybe(50, 'drop_reason_desc', () => parts.pick(WORDS.reasons)),
    ...parts.maybe(60, 'is_reply', () => parts.chance(50)),
    ...parts.maybe(40, 'interface', () => ({
      index: parts.pick([0, 4]),
      name: parts.pick(WORDS.interfaces),
    })),
    ...parts.maybe(40, 'trace_context', () => ({ parent: { trace_id: parts.pick(WORDS.traces) } })),
    ...parts.maybe(40, 'ip_trace_id', () => ({ trace_id: parts.pick(WORDS.ipTraces) })),
  }));
}
