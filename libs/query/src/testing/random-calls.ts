import { latencyBucket } from '@flowledger/model';
import { DAY_S, timeLiteral } from './query-fixture.js';
import type { FlowCells } from './query-fixture.js';

/** A flow of the random traffic: what the truth is computed from, and what is written to the store. */
export interface RandomFlow {
  readonly timeNs: bigint;
  readonly client: string;
  readonly server: string;
  readonly clientPod: string;
  readonly port: number;
  readonly endpoint: string;
  /** TrafficDirection: 1 server side, 2 client side, 0 unknown. */
  readonly reporter: number;
  readonly kind: 'response' | 'denied' | 'drop' | 'verdict' | 'audit' | 'trace';
  readonly l7: 'http' | 'dns' | 'none';
  readonly code: number;
  readonly rcode: number;
  readonly latencyNs: bigint;
  readonly weight: number;
  readonly reason: number;
  readonly node: string;
  readonly clientKnown: boolean;
  readonly encrypted: boolean;
  readonly point: number;
  readonly isNew: boolean;
}

/** A small seeded generator (mulberry32): the rows are the same in every run. */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const KINDS = [
  'response',
  'response',
  'response',
  'denied',
  'drop',
  'verdict',
  'audit',
  'trace',
  'trace',
] as const;

function pick<T>(random: (below: number) => number, values: readonly T[], fallback: T): T {
  return values[random(values.length)] ?? fallback;
}

/**
 * Random traffic over five hours of the test day. Some edges are reported by one side only, some by both, some change
 * the side from hour to hour; times crowd at minute and hour borders, where off-by-one errors live.
 */
export function randomFlows(count: number, seed: number): readonly RandomFlow[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (): RandomFlow => {
    const kind = pick(random, KINDS, 'trace');
    const l7 = kind === 'response' || kind === 'denied' ? (random(4) === 0 ? 'dns' : 'http') : 'none';
    const second = DAY_S + 36_000 + random(5 * 3600);
    const border = random(10) === 0 ? second - (second % 60) : second;
    const nanos = random(10) === 0 ? pick(random, [0, 1, 999_999_999], 0) : random(1_000_000_000);
    const server = `s${random(4)}`;
    const hour = Math.floor((border - DAY_S) / 3600);
    const sides = server === 's0' ? [2] : server === 's1' ? [1, 2] : hour % 2 === 0 ? [2, 0] : [1, 2, 0];
    return {
      timeNs: BigInt(border) * 1_000_000_000n + BigInt(nanos),
      client: `c${random(3)}`,
      server,
      clientPod: `pod-${random(5)}`,
      port: pick(random, [80, 8080], 80),
      endpoint: pick(random, ['GET /a', 'GET /b', 'POST /a'], 'GET /a'),
      reporter: pick(random, sides, 1),
      kind,
      l7,
      code: l7 === 'http' && kind === 'response' ? pick(random, [200, 200, 200, 302, 404, 500, 503], 200) : 0,
      rcode: l7 === 'dns' ? pick(random, [0, 0, 2, 3], 0) : 0,
      latencyNs:
        kind === 'response' && l7 === 'http' && random(5) > 0 ? BigInt(1 + random(2_000_000_000)) : 0n,
      weight: random(6) === 0 ? 1 + random(9) : 1,
      reason: kind === 'drop' ? pick(random, [133, 181, 151, 0], 133) : kind === 'verdict' ? 133 : 0,
      node: `n${random(3)}`,
      clientKnown: random(8) > 0,
      encrypted: random(2) === 0,
      point: pick(random, [101, 3, 4, 11, 5], 101),
      isNew: random(2) === 0,
    };
  });
}

const EVENT_TYPES = { response: 129, denied: 129, drop: 1, verdict: 5, audit: 5, trace: 4 } as const;
const VERDICTS = { response: 1, denied: 2, drop: 2, verdict: 2, audit: 4, trace: 1 } as const;
const L7_TYPES = { response: 2, denied: 1, drop: 0, verdict: 0, audit: 0, trace: 0 } as const;
const L7_KINDS = { http: 2, dns: 1, none: 0 } as const;

/** The row of `flows` for a random flow. */
export function flowCells(flow: RandomFlow, index: number): FlowCells {
  return {
    _le: 1,
    _lp: index % 3,
    _lo: Math.floor(index / 100),
    _li: index % 100,
    tenant: 'default',
    cluster: 'default',
    node: flow.node,
    bucket_time: timeLiteral(flow.timeNs),
    verdict: VERDICTS[flow.kind],
    drop_reason: flow.reason,
    event_type: EVENT_TYPES[flow.kind],
    is_reply: flow.kind === 'trace' || flow.kind === 'denied' ? 1 : flow.kind === 'response' ? 2 : 0,
    traffic_direction: flow.reporter,
    trace_observation_point: flow.kind === 'trace' ? flow.point : 0,
    trace_reason: flow.kind === 'trace' ? (flow.isNew ? 1 : 2) : 0,
    encrypted: flow.kind === 'trace' && flow.encrypted ? 1 : 0,
    l4_protocol: flow.l7 === 'dns' ? 2 : 1,
    client_side: flow.clientKnown ? (flow.kind === 'response' ? 2 : 1) : 0,
    src_namespace: 'shop',
    dst_namespace: 'shop',
    src_pod: flow.kind === 'response' && flow.clientKnown ? `${flow.server}-pod` : flow.clientPod,
    dst_pod: flow.kind === 'response' && flow.clientKnown ? flow.clientPod : `${flow.server}-pod`,
    client_namespace: 'shop',
    client_workload: flow.client,
    server_namespace: 'shop',
    server_workload: flow.server,
    server_port: flow.port,
    l7_type: L7_TYPES[flow.kind],
    l7_kind: L7_KINDS[flow.l7],
    latency_ns: flow.latencyNs,
    latency_bucket: latencyBucket(flow.latencyNs),
    http_code: flow.code,
    dns_rcode: flow.rcode,
    endpoint: flow.endpoint,
    weight: flow.weight,
  };
}
