import { makeCluster, type ClusterShape, type Pod, type Workload } from './made-cluster.js';
import { writeFlow, type FlowPlan } from './write-flow.js';
import { Random, Zipf } from './random.js';

/** Which flows to make; goes into the results. */
export interface TrafficShape extends ClusterShape {
  readonly flows: number;
  /** First moment, ms since 1970. */
  readonly fromMs: number;
  /** The flows are spread evenly over this time, ms. */
  readonly spanMs: number;
  /** Shares of all flows; what is left are packets of TCP connections. */
  readonly http: number;
  readonly dns: number;
  readonly drops: number;
  /** Pods of a workload that are there at one moment; the oldest goes when the next comes. Absent: all of them, always. */
  readonly podsAlive?: number;
  /** How often in the span a fifth of the flows since the last time comes within a fiftieth of the time. Absent: never. */
  readonly bursts?: number;
  /** Share of flows that are up to ten minutes older than those around them in the log. */
  readonly late?: number;
  /** Share of flows that are sent twice, as a source does that begins again. */
  readonly duplicates?: number;
  /** Flows of another seed have other uuids: no duplicates of each other. */
  readonly seed?: number;
}

/** The load plan's mix (reliability note, section 7): 50 nodes, 500 workloads, Zipf 1.1, 15 % HTTP, 10 % DNS, 5 % drops. */
export const REALISTIC = {
  nodes: 50,
  namespaces: 25,
  workloads: 500,
  podsPerWorkload: 4,
  paths: 4,
  callsOut: 4,
  zipf: 1.1,
  http: 0.15,
  dns: 0.1,
  drops: 0.05,
} as const;

/**
 * What history is asked of: 200 nodes, 20,000 pods of which half are there at a time, 5,000 edges, 50,000 endpoint
 * templates, bursts, late and duplicate records.
 */
export const LARGE_CLUSTER = {
  ...REALISTIC,
  nodes: 200,
  workloads: 1000,
  podsPerWorkload: 20,
  podsAlive: 10,
  paths: 50,
  callsOut: 5,
  bursts: 48,
  late: 0.005,
  duplicates: 0.002,
} as const;

/** One event as a relay sends it: an encoded `observer.GetFlowsResponse`. */
export interface MadeFlow {
  /** `cluster/node`. */
  readonly node: string;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  readonly bytes: Uint8Array;
}

const SEED = 42;

const BURST_FLOWS = 0.2;
const BURST_TIME = 0.02;
const LATEST_MS = 600_000;

/** Where in the span the flow at `share` of all flows is: evenly, or with a burst at the end of each period. */
function momentOf(share: number, bursts: number | undefined): number {
  if (bursts === undefined) return share;
  const period = Math.floor(share * bursts);
  const within = share * bursts - period;
  const calm = 1 - BURST_FLOWS;
  const moment =
    within < calm
      ? (within / calm) * (1 - BURST_TIME)
      : 1 - BURST_TIME + ((within - calm) / BURST_FLOWS) * BURST_TIME;
  return (period + moment) / bursts;
}

/** A pod of the workload that is there at a moment of the span, 0 to 1. */
function anyPod({ pods }: Workload, alive: number | undefined, moment: number, random: Random): Pod {
  const there = Math.min(alive ?? pods.length, pods.length);
  const gone = Math.floor(moment * (pods.length - there + 1));
  const pod = pods[Math.min(gone, pods.length - there) + random.below(there)];
  if (pod === undefined) throw new Error('a workload without pods');
  return pod;
}

function kindOf({ http, dns, drops }: TrafficShape, draw: number): FlowPlan['kind'] {
  if (draw < http) return 'http';
  if (draw < http + dns) return 'dns';
  return draw < http + dns + drops ? 'drop' : 'packet';
}

/** Makes flows one by one, ordered by time but for the late ones. The same shape gives the same bytes. */
export function* makeFlows(shape: TrafficShape): Generator<MadeFlow> {
  const { fromMs, spanMs, podsAlive, bursts, late = 0, duplicates = 0 } = shape;
  const random = new Random(shape.seed ?? SEED);
  const cluster = makeCluster(shape);
  const clients = new Zipf(shape.workloads, shape.zipf);
  for (let n = 0; n < shape.flows; n++) {
    const client = cluster[clients.pick(random)];
    const server = cluster[client?.servers[random.below(client.servers.length)] ?? 0];
    if (client === undefined || server === undefined) throw new Error('an edge without an end');
    const moment = momentOf(n / shape.flows, bursts);
    const lateMs = late > 0 && random.chance(late) ? random.below(LATEST_MS) : 0;
    const at = Math.max(fromMs, fromMs + moment * spanMs - lateMs);
    const seconds = Math.floor(at / 1000);
    const nanos = Math.min(999_999_999, Math.floor((at - seconds * 1000) * 1_000_000) + random.below(999));
    const plan = {
      kind: kindOf(shape, random.next()),
      seconds,
      nanos,
      server,
      clientPod: anyPod(client, podsAlive, moment, random),
      serverPod: anyPod(server, podsAlive, moment, random),
    };
    const flow = {
      ...writeFlow(plan, random),
      timeNs: BigInt(seconds) * 1_000_000_000n + BigInt(nanos),
    };
    yield flow;
    if (duplicates > 0 && random.chance(duplicates)) yield flow;
  }
}
