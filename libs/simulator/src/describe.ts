import type { Settings } from './options.js';
import type { Cluster } from './topology/cluster.js';
import { INCIDENT_POLICY, POLICIES, SERVICES, WORKLOADS } from './topology/plan.js';

/** The incident in words and numbers. */
export interface IncidentDescription {
  /** One sentence, for a person. */
  readonly text: string;
  /** ns since 1970; undefined when there is none. */
  readonly startNs: bigint | undefined;
  /** `namespace/workload` that is denied, and where it wants to go. */
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** DropReason number. */
  readonly reason: number;
  /** `namespace/name` of the policy that was applied. */
  readonly policy: string;
}

/** What there is in the cluster. */
export interface ClusterDescription {
  readonly cluster: string;
  readonly nodes: readonly string[];
  readonly namespaces: readonly string[];
  readonly workloads: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly kind: string;
    /** Pods at the start of the run. */
    readonly pods: readonly { readonly name: string; readonly node: string; readonly ip: string }[];
  }[];
  readonly services: readonly { readonly namespace: string; readonly name: string; readonly ip: string }[];
  readonly policies: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly kind: string;
    readonly text: string;
  }[];
  readonly incident: IncidentDescription;
}

/** Describes the cluster as it is at the start of a run. */
export function describeCluster(cluster: Cluster, settings: Settings): ClusterDescription {
  return {
    cluster: cluster.name,
    nodes: cluster.nodes.map((node) => node.absoluteName),
    namespaces: [...new Set(WORKLOADS.map((workload) => workload.namespace))].sort(),
    workloads: WORKLOADS.map(({ namespace, name, kind }) => ({
      namespace,
      name,
      kind,
      pods: cluster.replicas(`${namespace}/${name}`).map((slot) => {
        const pod = cluster.podAt(slot, settings.from);
        return { name: pod.pod, node: cluster.node(slot.node).absoluteName, ip: pod.ip };
      }),
    })),
    services: SERVICES.map(({ namespace, name }) => ({
      namespace,
      name,
      ip: cluster.service(`${namespace}/${name}`).ip,
    })),
    policies: POLICIES.map(({ namespace, name, kind, text }) => ({ namespace, name, kind, text })),
    incident: describeIncident(settings.incidentStart),
  };
}

function describeIncident(startNs: bigint | undefined): IncidentDescription {
  const since =
    startNs === undefined ? '' : new Date(Number(startNs / 1_000_000n)).toISOString().replace('.000Z', 'Z');
  return {
    text: startNs === undefined ? 'nothing happens' : `shop/checkout -> payments is denied since ${since}`,
    startNs,
    client: 'shop/checkout',
    server: 'shop/payments',
    port: 8443,
    reason: 181,
    policy: `shop/${INCIDENT_POLICY}`,
  };
}
