/** What an address is to Cilium: a managed pod, a reserved entity, or something outside the cluster. */
export type PartyKind =
  'pod' | 'host' | 'remote-node' | 'health' | 'kube-apiserver' | 'world' | 'cluster-ip' | 'nobody';

/** What makes a party; see {@link Party}. */
export interface PartyFacts {
  readonly kind: PartyKind;
  /** Empty for what is no pod. */
  readonly namespace: string;
  /** Owner of the pod, or `reserved:<entity>`: the name under which truth keeps it. */
  readonly workload: string;
  readonly workloadKind: string;
  readonly pod: string;
  /** Index of the node it runs on; -1 outside the cluster. */
  readonly node: number;
  readonly ip: string;
  readonly ip6: string;
  readonly mac: string;
  /** Security identity; node-local ones (CIDR, FQDN) differ by observing node, see {@link Party.identityOn}. */
  readonly identity: number;
  /** Sorted, with their source (`k8s:`, `reserved:`, `cidr:`, `fqdn:`). */
  readonly labels: readonly string[];
  readonly endpointId: number;
  readonly interfaceIndex: number;
  readonly interfaceName: string;
  /** Names that DNS proxies know for its address, without trailing dot. */
  readonly names: readonly string[];
}

const NODE_LOCAL_SCOPE = 0x01000000;

/** One end of a call as it is at one moment. Immutable but for the cache of its encoded forms. */
export class Party implements PartyFacts {
  readonly kind: PartyKind;
  readonly namespace: string;
  readonly workload: string;
  readonly workloadKind: string;
  readonly pod: string;
  readonly node: number;
  readonly ip: string;
  readonly ip6: string;
  readonly mac: string;
  readonly identity: number;
  readonly labels: readonly string[];
  readonly endpointId: number;
  readonly interfaceIndex: number;
  readonly interfaceName: string;
  readonly names: readonly string[];
  /** Encoded `flow.Endpoint` by observing node: the encoder's cache. */
  readonly encoded: (Uint8Array | undefined)[] = [];

  constructor(facts: PartyFacts) {
    this.kind = facts.kind;
    this.namespace = facts.namespace;
    this.workload = facts.workload;
    this.workloadKind = facts.workloadKind;
    this.pod = facts.pod;
    this.node = facts.node;
    this.ip = facts.ip;
    this.ip6 = facts.ip6;
    this.mac = facts.mac;
    this.identity = facts.identity;
    this.labels = facts.labels;
    this.endpointId = facts.endpointId;
    this.interfaceIndex = facts.interfaceIndex;
    this.interfaceName = facts.interfaceName;
    this.names = facts.names;
  }

  /** True for what has an endpoint of Cilium: pods and the health endpoint. Only these are observed as local. */
  get managed(): boolean {
    return this.kind === 'pod' || this.kind === 'health';
  }

  /** Identity as one node numbers it: CIDR and FQDN identities (scope byte 0x01) are allocated by every node alone. */
  identityOn(node: number): number {
    if (this.identity < NODE_LOCAL_SCOPE) return this.identity;
    return NODE_LOCAL_SCOPE + ((this.identity + node * 7) % 4096) + 1;
  }
}
