import protobuf from 'protobufjs';
import { Random, Zipf } from './random.js';

/** What the made cluster looks like; goes into the results. */
export interface ClusterShape {
  readonly nodes: number;
  readonly namespaces: number;
  readonly workloads: number;
  readonly podsPerWorkload: number;
  /** Path templates of one workload. */
  readonly paths: number;
  /** Servers that one workload calls. */
  readonly callsOut: number;
  /** Exponent of how unevenly workloads are busy. */
  readonly zipf: number;
}

/** A pod: its endpoint messages are encoded once, as an agent's bytes for it repeat in every flow. */
export interface Pod {
  readonly ip: string;
  readonly node: number;
  /** `flow.Endpoint` as its own node tells it: with id and workloads. */
  readonly local: Uint8Array;
  /** The same endpoint as another node tells it. */
  readonly remote: Uint8Array;
}

export interface Workload {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly pods: readonly Pod[];
  readonly paths: readonly string[];
  /** Indexes of the workloads that it calls. */
  readonly servers: readonly number[];
}

/** What Kubernetes makes names of, and what of them hashes of pod templates have. */
const NAME_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const TEMPLATE_LETTERS = 'bcdf456789';
const SEED = 11;

function letters(random: Random, from: string, count: number): string {
  return Array.from({ length: count }, () => from[random.below(from.length)]).join('');
}

interface PodPlan {
  readonly id: number;
  readonly identity: number;
  readonly namespace: string;
  readonly workload: string;
  readonly name: string;
}

/** `flow.Endpoint`: ID 1, identity 2, namespace 3, labels 4, pod_name 5, workloads 6, cluster_name 7. */
function encodeEndpoint(plan: PodPlan, local: boolean): Uint8Array {
  const { namespace, workload } = plan;
  const writer = protobuf.Writer.create();
  if (local) writer.uint32((1 << 3) | 0).uint32(plan.id);
  writer.uint32((2 << 3) | 0).uint32(plan.identity);
  writer.uint32((3 << 3) | 2).string(namespace);
  const labels = [
    `k8s:app.kubernetes.io/name=${workload}`,
    'k8s:app.kubernetes.io/part-of=shop',
    `k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=${namespace}`,
    'k8s:io.cilium.k8s.policy.cluster=prod-1',
    `k8s:io.cilium.k8s.policy.serviceaccount=${workload}`,
    `k8s:io.kubernetes.pod.namespace=${namespace}`,
  ];
  for (const label of labels) writer.uint32((4 << 3) | 2).string(label);
  writer.uint32((5 << 3) | 2).string(plan.name);
  if (local) {
    writer.uint32((6 << 3) | 2).fork();
    writer.uint32((1 << 3) | 2).string(workload);
    writer
      .uint32((2 << 3) | 2)
      .string('Deployment')
      .ldelim();
  }
  return writer
    .uint32((7 << 3) | 2)
    .string('prod-1')
    .finish();
}

function makePod(plan: PodPlan, node: number): Pod {
  const ip = `10.${node}.${plan.id >>> 7}.${(plan.id & 127) + 1}`;
  return { ip, node, local: encodeEndpoint(plan, true), remote: encodeEndpoint(plan, false) };
}

/** The workloads of a cluster of this shape, each with its pods, endpoints and the workloads it calls. */
export function makeCluster(shape: ClusterShape): readonly Workload[] {
  const random = new Random(SEED);
  const popularity = new Zipf(shape.workloads, shape.zipf);
  let podId = 0;
  return Array.from({ length: shape.workloads }, (_, index) => {
    const namespace = `team-${index % shape.namespaces}`;
    const name = `service-${index}`;
    const template = letters(random, TEMPLATE_LETTERS, 9);
    const pods = Array.from({ length: shape.podsPerWorkload }, () => {
      const pod = `${name}-${template}-${letters(random, NAME_LETTERS, 5)}`;
      const id = podId++;
      return makePod(
        { id, identity: 20_000 + index, namespace, workload: name, name: pod },
        random.below(shape.nodes),
      );
    });
    const servers = new Set<number>();
    while (servers.size < Math.min(shape.callsOut, shape.workloads - 1)) {
      const server = popularity.pick(random);
      if (server !== index) servers.add(server);
    }
    const paths = Array.from({ length: shape.paths }, (_unused, n) => `/api/v1/${name}/items${n}`);
    return { namespace, name, port: 8000 + (index % 40), pods, paths, servers: [...servers] };
  });
}
