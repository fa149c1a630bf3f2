import { hash32, hashText } from '../random.js';
import { generatedPart, hexText, macText, templateHash } from './names.js';
import { planNodes, type NodePlan } from './nodes.js';
import { Outside } from './outside.js';
import { Party, type PartyFacts } from './party.js';
import {
  POLICIES,
  SERVICES,
  WORKLOADS,
  type PolicyPlan,
  type ServicePlan,
  type WorkloadPlan,
} from './plan.js';

/** A place for one replica: pods come and go in it, one generation after another. */
export interface ReplicaSlot {
  readonly workload: WorkloadPlan;
  readonly index: number;
  readonly node: number;
  /** Position on its node; two neighbours share two addresses, which they swap at every generation. */
  readonly position: number;
  /** Shift of the generations, s. */
  readonly phase: number;
}

/** A service with its address. */
export interface Service extends ServicePlan {
  readonly ip: string;
  /** The address as an endpoint of a packet before translation. */
  readonly party: Party;
}

const JOB_PERIOD_S = 900;
/** Jobs come and go at their own times, so they cannot swap addresses with a neighbour. */
const JOB_ADDRESSES = 180;

/**
 * The cluster as a pure function of seed and time: nodes, pods, services, policies. Pods are made when first asked
 * for and kept by generation, so asking costs a look-up.
 */
export class Cluster {
  readonly nodes: readonly NodePlan[];
  readonly slots: readonly ReplicaSlot[];
  readonly services = new Map<string, Service>();
  readonly policies = new Map<string, PolicyPlan>();
  readonly outside: Outside;
  private readonly byWorkload = new Map<string, ReplicaSlot[]>();
  private readonly current = new Map<ReplicaSlot, { generation: number; pod: Party }>();

  constructor(
    readonly seed: number,
    readonly name: string,
    nodeCount: number,
    /** Life of a pod, s; 0 = for ever. */
    readonly churnSeconds: number,
  ) {
    this.nodes = planNodes(seed, name, nodeCount);
    this.outside = new Outside(seed, this.nodes);
    this.slots = this.place();
    for (const slot of this.slots) {
      const key = `${slot.workload.namespace}/${slot.workload.name}`;
      const list = this.byWorkload.get(key);
      if (list === undefined) this.byWorkload.set(key, [slot]);
      else list.push(slot);
    }
    SERVICES.forEach((plan, index) => {
      const ip = `10.96.${index}.${10 + (hash32(seed, index, 5) % 200)}`;
      const party = this.outside.clusterIp(ip);
      this.services.set(`${plan.namespace}/${plan.name}`, { ...plan, ip, party });
    });
    for (const policy of POLICIES) this.policies.set(policy.name, policy);
  }

  /** Replica places of `namespace/name`. Throws RangeError when there is no such workload. */
  replicas(workload: string): readonly ReplicaSlot[] {
    const slots = this.byWorkload.get(workload);
    if (slots === undefined) throw new RangeError(`no workload ${workload}`);
    return slots;
  }

  /** A service by `namespace/name`. Throws RangeError when there is none. */
  service(name: string): Service {
    const service = this.services.get(name);
    if (service === undefined) throw new RangeError(`no service ${name}`);
    return service;
  }

  /** The node of an index. Throws RangeError when there is none. */
  node(index: number): NodePlan {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`no node ${index}`);
    return node;
  }

  /** Number of the pod that lives in a place in a given second since 1970. */
  generation(slot: ReplicaSlot, second: number): number {
    const period = slot.workload.kind === 'CronJob' ? JOB_PERIOD_S : this.churnSeconds;
    return period === 0 ? 0 : Math.floor((second + slot.phase) / period);
  }

  /** The pod that lives in a place in a given second since 1970. */
  podAt(slot: ReplicaSlot, second: number): Party {
    const generation = this.generation(slot, second);
    const known = this.current.get(slot);
    if (known?.generation === generation) return known.pod;
    const pod = this.makePod(slot, generation);
    this.current.set(slot, { generation, pod });
    return pod;
  }

  /**
   * The pod that lived in a place `seconds` ago, when it has gone since: no endpoint of its node any more, so neither
   * id nor owner are known. Undefined when the pod of then still lives.
   */
  departed(slot: ReplicaSlot, second: number, seconds: number): Party | undefined {
    const then = this.generation(slot, second - seconds);
    if (then === this.generation(slot, second) || slot.workload.kind === 'CronJob') return undefined;
    return new Party({ ...this.makePod(slot, then), endpointId: 0, workloadKind: '' } satisfies PartyFacts);
  }

  private place(): ReplicaSlot[] {
    const used = this.nodes.map(() => 0);
    const slots: ReplicaSlot[] = [];
    let next = 0;
    for (const workload of WORKLOADS) {
      const count = workload.kind === 'DaemonSet' ? this.nodes.length : workload.replicas;
      for (let index = 0; index < count; index++) {
        const node = (workload.kind === 'DaemonSet' ? index : (workload.node ?? next++)) % this.nodes.length;
        const position = used[node] ?? 0;
        used[node] = position + 1;
        const phase =
          workload.kind === 'CronJob' || this.churnSeconds === 0
            ? 0
            : hash32(this.seed, node, position >> 1, 9) % this.churnSeconds;
        slots.push({ workload, index, node, position, phase });
      }
    }
    return slots;
  }

  private makePod(slot: ReplicaSlot, generation: number): Party {
    const { workload } = slot;
    const own = hash32(this.seed, hashText(`${workload.namespace}/${workload.name}`), slot.index, generation);
    const canary = workload.canary === slot.index && generation % 2 === 0;
    const labels = podLabels(workload, this.name, canary);
    const shared = 10 + (slot.position & ~1) + ((generation + slot.position) & 1);
    const address = workload.kind === 'CronJob' ? JOB_ADDRESSES + slot.position : shared;
    return new Party({
      kind: 'pod',
      namespace: workload.namespace,
      workload: workload.name,
      workloadKind: workload.kind,
      pod: podName(workload, slot.index, generation, own, canary, this.seed),
      node: slot.node,
      ip: `10.0.${slot.node}.${address}`,
      // Counted from 1: a zero there would have to be part of `::`, as agents write addresses.
      ip6: `fd00:10:0:${(slot.node + 1).toString(16)}::${address.toString(16)}`,
      mac: macText(own),
      identity: 10_000 + (hashText(labels.join(',')) % 50_000),
      labels,
      endpointId: 100 + (own % 3900),
      interfaceIndex: 20 + (own % 400),
      interfaceName: `lxc${hexText(own, 12)}`,
      names: [],
    });
  }
}

function podName(
  workload: WorkloadPlan,
  index: number,
  generation: number,
  own: number,
  canary: boolean,
  seed: number,
): string {
  if (workload.kind === 'StatefulSet') return `${workload.name}-${index}`;
  if (workload.kind === 'DaemonSet') return `${workload.name}-${generatedPart(own, 5)}`;
  if (workload.kind === 'CronJob')
    return `${workload.name}-${generation * (JOB_PERIOD_S / 60)}-${generatedPart(own, 5)}`;
  if (workload.podPrefix !== undefined) return `${workload.podPrefix}${hexText(own, 6)}`;
  const template = templateHash(hash32(seed, hashText(workload.name), canary ? 2 : 1));
  return `${workload.name}-${template}-${generatedPart(own, 5)}`;
}

function podLabels(workload: WorkloadPlan, cluster: string, canary: boolean): string[] {
  const app = workload.appLabel === undefined ? `app=${workload.name}` : `${workload.appLabel}=kube-dns`;
  const extra = (workload.labels ?? []).filter((label) => !(canary && label.startsWith('version=')));
  if (canary) extra.push('track=canary', 'version=v2');
  return [
    app,
    ...extra,
    `io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=${workload.namespace}`,
    `io.cilium.k8s.policy.cluster=${cluster}`,
    `io.cilium.k8s.policy.serviceaccount=${workload.account ?? workload.name}`,
    `io.kubernetes.pod.namespace=${workload.namespace}`,
  ]
    .map((label) => `k8s:${label}`)
    .sort();
}
