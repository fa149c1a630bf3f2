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
  /** Flows of another seed have other uuids: no duplicates of each other. */
  readonly seed?: number;
}

/** The load plan's mix (reliability note, section 7): 50 nodes, 500 workloads, Zipf 1.1, 15 % HTTP, 10 % DNS, 5 % drops. */
export const REALISTIC = {
  nodes: 50,
  namespaces: 25,
  workloads: 500,
  podsPerWorkload: 4,
  callsOut: 4,
  zipf: 1.1,
  http: 0.15,
  dns: 0.1,
  drops: 0.05,
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

function anyPod(workload: Workload, random: Random): Pod {
  const pod = workload.pods[random.below(workload.pods.length)];
  if (pod === undefined) throw new Error('a workload without pods');
  return pod;
}

/** Makes flows one by one, ordered by time. The same shape gives the same bytes. */
export function* makeFlows(shape: TrafficShape): Generator<MadeFlow> {
  const random = new Random(shape.seed ?? SEED);
  const cluster = makeCluster(shape);
  const clients = new Zipf(shape.workloads, shape.zipf);
  const step = shape.spanMs / shape.flows;
  for (let n = 0; n < shape.flows; n++) {
    const client = cluster[clients.pick(random)];
    const server = cluster[client?.servers[random.below(client.servers.length)] ?? 0];
    if (client === undefined || server === undefined) throw new Error('an edge without an end');
    const at = shape.fromMs + n * step;
    const seconds = Math.floor(at / 1000);
    const nanos = Math.min(999_999_999, Math.floor((at - seconds * 1000) * 1_000_000) + random.below(999));
    const draw = random.next();
    const kind: FlowPlan['kind'] =
      draw < shape.http
        ? 'http'
        : draw < shape.http + shape.dns
          ? 'dns'
          : draw < shape.http + shape.dns + shape.drops
            ? 'drop'
            : 'packet';
    const plan = {
      kind,
      seconds,
      nanos,
      server,
      clientPod: anyPod(client, random),
      serverPod: anyPod(server, random),
    };
    yield {
      ...writeFlow(plan, random),
      timeNs: BigInt(seconds) * 1_000_000_000n + BigInt(nanos),
    };
  }
}
