/** Numbers that repeat for a seed (mulberry32); fast enough for a hundred thousand messages. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** An integer in [0, below). */
  int(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  }

  chance(percent: number): boolean {
    return this.int(100) < percent;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.int(values.length)];
    if (value === undefined) throw new RangeError('nothing to pick from');
    return value;
  }

  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.int(most + 1) }, make);
  }
}

type Plain = Record<string, unknown>;

const UINT64S = [
  0n,
  1n,
  127n,
  128n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n + 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const WORDS = [
  '',
  'a',
  'shop',
  'kube-system',
  'ünïcode',
  '日本',
  'x'.repeat(200),
  '\u0000nul',
  'frontend',
  '{"json":1}',
  '"quoted"',
];
const PODS = ['', 'web-5d6d8cfd55-sj27m', 'redis-0', 'pos', 'node-local-dns-cw6pv', 'backup-28391040-x2k4q'];
const IPS = [
  '',
  '10.0.0.1',
  '255.255.255.255',
  '0.0.0.0',
  'f00d::a10:0:0:10',
  '::1',
  '::',
  '2606:2800:21f:cb07:6820:80da:af6b:8b2c',
];
const ODD_IPS = [
  '999.1.1.1',
  '::ffff:1.2.3.4',
  'fe80::1%eth0',
  '1.2.3',
  '01.2.3.4',
  '0:0:0:0:0:0:0:1',
  'FE80::1',
  '1:2:3:4:5:6:7:8:9',
  'x',
];
const UUIDS = [
  '',
  'not-a-uuid',
  '00000000-0000-0000-0000-000000000000',
  'B1BC7CBF-D212-4B15-BD6F-9C7778132E4F',
];
const LABELS = [
  'k8s:app=web',
  'k8s:app.kubernetes.io/name=shop',
  'reserved:world',
  'reserved:host',
  'reserved:kube-apiserver',
  'cidr:10.0.0.0/8',
  'k8s:io.kubernetes.pod.namespace=shop',
  'k8s:k8s-app=kube-dns',
];
const URLS = [
  '',
  '/',
  '/api/v1/orders/4711?page=2',
  'http://shop:8080/items/b1bc7cbf-d212-4b15-bd6f-9c7778132e4f',
  'http://h',
  '/ünï/日本',
  '*',
  'https://h:1/a#b',
];

/** An enum number: mostly known, sometimes not, sometimes not even 16 bits. */
function enumeration(random: Random, most: number): number {
  const kind = random.int(40);
  if (kind === 0) return random.pick([-1, 99, 9999, 32_767, -32_768]);
  return kind === 1 ? random.pick([32_768, 70_000, -40_000, 2 ** 31 - 1]) : random.int(most + 1);
}

function uint32(random: Random): number {
  return random.chance(20)
    ? random.pick([0, 1, 127, 128, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1])
    : random.int(70_000);
}

function uint64(random: Random): bigint {
  return random.pick(UINT64S);
}

function int32(random: Random): number {
  return random.pick([0, 1, -1, 7, 2 ** 31 - 1, -(2 ** 31)]);
}

function endpoint(random: Random): Plain {
  return {
    ID: random.chance(50) ? random.int(5000) : undefined,
    identity: random.pick([0, 1, 2, 7, 20_000, 0x0100_0001, 0x0200_0001, 2 ** 32 - 1]),
    namespace: random.pick(WORDS),
    labels: [...new Set(random.list(4, () => random.pick(LABELS)))].sort(),
    pod_name: random.pick(PODS),
    workloads: random.list(2, () => ({
      name: random.pick(['', 'web', 'redis']),
      kind: random.pick(['', 'Deployment']),
    })),
    cluster_name: random.pick(['', 'c1', 'c2']),
  };
}

function ports(random: Random): Plain {
  return {
    source_port: random.pick([0, 53, 80, 8080, 40_000, 65_535, 70_000]),
    destination_port: uint32(random),
  };
}

function l4(random: Random): Plain {
  const flags = {
    FIN: random.chance(20),
    SYN: random.chance(30),
    RST: random.chance(5),
    PSH: random.chance(30),
    ACK: random.chance(60),
    URG: random.chance(2),
    ECE: random.chance(2),
    CWR: random.chance(2),
    NS: random.chance(2),
  };
  const icmp = { type: random.pick([0, 3, 8, 128, 129, 135, 255, 256]), code: random.int(20) };
  switch (random.int(8)) {
    case 0:
      return { UDP: ports(random) };
    case 1:
      return { ICMPv4: icmp };
    case 2:
      return { ICMPv6: icmp };
    case 3:
      return { SCTP: ports(random) };
    case 4:
      return { VRRP: { type: 1, vrid: 2, priority: random.int(3) } };
    case 5:
      return { IGMP: { type: 22, group_address: '224.0.0.1' } };
    default:
      return { TCP: { ...ports(random), flags: random.chance(80) ? flags : undefined } };
  }
}

function l7(random: Random): Plain {
  const head = {
    type: enumeration(random, 3),
    latency_ns: random.chance(50) ? uint64(random) : BigInt(random.int(1e9)),
  };
  const words = (most: number) => random.list(most, () => random.pick(WORDS));
  switch (random.int(4)) {
    case 0:
      return {
        ...head,
        dns: {
          query: random.pick(['', '.', 'shop.svc.cluster.local.', 'no-dot']),
          ips: random.list(2, () => random.pick(IPS)),
          ttl: uint32(random),
          cnames: words(2),
          observation_source: random.pick(['proxy', '', 'agent']),
          rcode: random.pick([0, 2, 3, 99]),
          qtypes: random.list(2, () => random.pick(['A', 'AAAA'])),
          rrtypes: random.list(2, () => random.pick(['A', 'CNAME'])),
        },
      };
    case 1:
      return {
        ...head,
        http: {
          code: random.pick([0, 200, 404, 503, 70_000]),
          method: random.pick(['', 'GET', 'POST']),
          url: random.pick(URLS),
          protocol: random.pick(['', 'HTTP/1.1']),
          headers: random.list(3, () => ({
            key: random.pick(['', 'X-Request-Id', 'Accept']),
            value: random.pick(WORDS),
          })),
        },
      };
    case 2:
      return {
        ...head,
        kafka: {
          error_code: int32(random),
          api_version: int32(random),
          api_key: random.pick(['', 'produce']),
          correlation_id: int32(random),
          topic: random.pick(WORDS),
        },
      };
    default:
      return head;
  }
}

function policies(random: Random): Plain[] {
  return random.list(2, () => ({
    name: random.pick(WORDS),
    namespace: random.pick(WORDS),
    labels: random.list(2, () => random.pick(LABELS)),
    revision: uint64(random),
    kind: 'CiliumNetworkPolicy',
  }));
}

function time(random: Random): Plain {
  const seconds = random.chance(80)
    ? BigInt(1_790_000_000 + random.int(10_000_000))
    : random.pick([0n, -1n, -(10n ** 15n), 10n ** 15n, 9_223_372_036n, -2_208_988_801n, 2n ** 62n]);
  return { seconds, nanos: random.chance(95) ? random.int(1e9) : random.pick([-1, 1e9, 2e9]) };
}

function uuid(random: Random): string {
  if (random.chance(10)) return random.pick(UUIDS);
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => '0123456789abcdef'[random.int(16)]).join('');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}

/** How to make a value for each field of `flow.Flow`, by number: the check that no field is forgotten reads its keys. */
export const FLOW_VALUES: Readonly<
  Record<number, readonly [name: string, make: (random: Random) => unknown]>
> = {
  1: ['time', time],
  2: ['verdict', (random) => enumeration(random, 7)],
  3: ['drop_reason', (random) => random.pick([0, 133, 181, 40_000])],
  4: [
    'ethernet',
    (random) => ({ source: random.pick(['', '46:e5:ea:1f:95:ff']), destination: random.pick(WORDS) }),
  ],
  5: ['IP', ip],
  6: ['l4', l4],
  8: ['source', endpoint],
  9: ['destination', endpoint],
  10: ['Type', (random) => enumeration(random, 3)],
  11: ['node_name', (random) => random.pick(['c1/n1', 'n2', 'a/b/c', '/n', 'c/', '日本/n'])],
  13: ['source_names', (random) => random.list(3, () => random.pick(WORDS))],
  14: ['destination_names', (random) => random.list(3, () => random.pick(WORDS))],
  15: ['l7', l7],
  16: ['reply', (random) => random.chance(50)],
  19: [
    'event_type',
    (random) => ({ type: random.pick([0, 1, 4, 5, 7, 129, -1, 2 ** 31 - 1]), sub_type: int32(random) }),
  ],
  20: ['source_service', (random) => ({ name: random.pick(WORDS), namespace: random.pick(WORDS) })],
  21: ['destination_service', (random) => ({ name: random.pick(WORDS), namespace: random.pick(WORDS) })],
  22: ['traffic_direction', (random) => enumeration(random, 2)],
  23: ['policy_match_type', (random) => random.pick([0, 1, 6, 32_768, 2 ** 32 - 1])],
  24: ['trace_observation_point', (random) => (random.chance(20) ? 101 : enumeration(random, 13))],
  25: ['drop_reason_desc', (random) => random.pick([0, 133, 205, 9999, 40_000])],
  26: ['is_reply', (random) => ({ value: random.chance(50) })],
  27: ['debug_capture_point', (random) => enumeration(random, 11)],
  28: ['interface', (random) => ({ index: uint32(random), name: random.pick(WORDS) })],
  29: ['proxy_port', uint32],
  30: ['trace_context', (random) => (random.chance(80) ? { parent: { trace_id: random.pick(WORDS) } } : {})],
  31: ['sock_xlate_point', (random) => enumeration(random, 4)],
  32: ['socket_cookie', uint64],
  33: ['cgroup_id', uint64],
  34: ['uuid', uuid],
  35: ['auth_type', (random) => enumeration(random, 2)],
  36: ['trace_reason', (random) => enumeration(random, 8)],
  37: ['node_labels', (random) => [...new Set(random.list(3, () => random.pick(LABELS)))].sort()],
  38: ['file', (random) => ({ name: random.pick(WORDS), line: uint32(random) })],
  39: [
    'tunnel',
    (random) => ({ protocol: 1, IP: { source: '1.2.3.4' }, l4: { UDP: ports(random) }, vni: 7 }),
  ],
  40: ['ip_trace_id', (random) => ({ trace_id: uint64(random), ip_option_type: uint32(random) })],
  41: ['emitter', (random) => ({ name: 'Hubble', version: random.pick(WORDS) })],
  21001: ['egress_allowed_by', policies],
  21002: ['ingress_allowed_by', policies],
  21004: ['egress_denied_by', policies],
  21005: ['ingress_denied_by', policies],
  21006: ['policy_log', (random) => random.list(2, () => random.pick(WORDS))],
  21007: [
    'aggregate',
    (random) => ({
      ingress_flow_count: uint32(random),
      egress_flow_count: uint32(random),
      unknown_direction_flow_count: random.int(3),
    }),
  ],
  100000: ['Summary', (random) => random.pick(['', 'TCP Flags: SYN', 'UDP', 'something else', ...WORDS])],
  150000: [
    'extensions',
    (random) => ({ type_url: 'type.googleapis.com/x.Y', value: new Uint8Array([random.int(256)]) }),
  ],
};

function ip(random: Random): Plain {
  const address = () => (random.chance(5) ? random.pick(ODD_IPS) : random.pick(IPS));
  return {
    source: address(),
    destination: address(),
    ipVersion: enumeration(random, 2),
    encrypted: random.chance(30),
    source_xlated: random.chance(10) ? address() : '',
  };
}

const ENTRIES = Object.values(FLOW_VALUES);

/** A flow as protobufjs takes it: each field with the given chance, in per cent. */
export function randomFlow(random: Random, percent = 50): Plain {
  const flow: Plain = {};
  for (const [name, make] of ENTRIES) if (random.chance(percent)) flow[name] = make(random);
  return flow;
}
