import type { JsonObject } from './json.js';
import type { Selector } from './selector.js';

/** Kinds of policy object that are understood. */
export type PolicyKind = 'CiliumNetworkPolicy' | 'CiliumClusterwideNetworkPolicy' | 'NetworkPolicy';

/** Directions as the endpoint sees them that a policy selects. */
export type Direction = 'INGRESS' | 'EGRESS';

/** What names a policy object. `namespace` is empty for cluster-wide ones. */
export interface PolicyName {
  readonly kind: PolicyKind;
  readonly namespace: string;
  readonly name: string;
}

/** Who a rule is about. */
export type Peer =
  /** `anywhere`: a cluster-wide policy's selector that says nothing about namespaces. */
  | { readonly kind: 'selector'; readonly selector: Selector; readonly anywhere: boolean }
  | { readonly kind: 'entity'; readonly entity: string }
  | { readonly kind: 'cidr'; readonly cidr: string; readonly except: readonly string[] }
  | { readonly kind: 'fqdn'; readonly name: string; readonly pattern: string }
  | { readonly kind: 'nodes'; readonly text: string }
  /** Not understood, or about objects that are not stored (services, groups): cannot be judged. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Ports of a rule. */
export interface PortRule {
  /** TCP, UDP, SCTP, or ANY for all three. */
  readonly protocol: string;
  /** 0 = every port of the protocol. */
  readonly from: number;
  readonly to: number;
  /** A named port, which only the pod's definition resolves; '' otherwise. */
  readonly named: string;
  /** L7 rules on these ports: packets pass, calls are judged by the proxy. */
  readonly l7: boolean;
}

/** An ICMP message of a rule; type -1 when its name is not known to us. */
export interface IcmpRule {
  readonly family: 'IPv4' | 'IPv6';
  readonly type: number;
}

/** One element of an ingress, egress, ingressDeny or egressDeny list. */
export interface Entry {
  /** Place in the object, for example `spec.ingressDeny[0]`. */
  readonly path: string;
  /** Null = everybody (only the ports matter); an empty list selects nobody. */
  readonly peers: readonly Peer[] | null;
  /** Null = every port and protocol. */
  readonly ports: readonly PortRule[] | null;
  /** Null = the rule is not about ICMP messages. */
  readonly icmps: readonly IcmpRule[] | null;
  /** Members that keep a match from being certain: not understood, or dependent on what no flow shows. */
  readonly doubts: readonly string[];
}

/** What a rule says about one direction. */
export interface DirectionRules {
  /** Whether the direction is denied unless something allows it. */
  readonly defaultDeny: boolean;
  readonly allow: readonly Entry[];
  readonly deny: readonly Entry[];
}

/** One `spec` (or element of `specs`) of a policy. */
export interface Rule {
  readonly subject: Selector | null;
  /** The rule is about nodes, not pods; which nodes is not judged. */
  readonly aboutNodes: boolean;
  readonly ingress: DirectionRules;
  readonly egress: DirectionRules;
  /** What of the rule as a whole was not understood; whom it selects is then not certain. */
  readonly doubts: readonly string[];
}

/** A policy object, typed. */
export interface Policy extends PolicyName {
  /** `metadata.creationTimestamp`, ns since 1970; null when the object does not say. */
  readonly createdNs: bigint | null;
  readonly rules: readonly Rule[];
  /** Why the object may not be what was in force; its rules then decide nothing for certain. */
  readonly doubt: string | null;
  /** The object as read, so that a draft can change it. */
  readonly object: JsonObject;
}

/** Something in a policy object that was not understood, or that Cilium would refuse. */
export interface Problem {
  /** `Kind namespace/name`, or the place in the input where there is no name. */
  readonly policy: string;
  /** Place in the object. */
  readonly path: string;
  readonly reason: string;
}

/** `Kind namespace/name`, as people write it. */
export function policyTitle({ kind, namespace, name }: PolicyName): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
}
