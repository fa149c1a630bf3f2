/** Name and kind of a workload; an unset or empty part matches any. */
export interface WorkloadValue {
  readonly name?: string | null;
  readonly kind?: string | null;
}

/** Index and name of a network interface; an unset, zero or empty part matches any. */
export interface InterfaceValue {
  readonly index?: number | null;
  readonly name?: string | null;
}

/** Event type and, when given, sub type (0 is a real sub type: to-endpoint). */
export interface EventTypeValue {
  readonly type: number;
  readonly subType?: number | null;
}

/** One HTTP header, compared exactly. */
export interface HeaderValue {
  readonly key: string;
  readonly value: string;
}

/** Names of TCP flags, in the order of the bits of the column `tcp_flags`. */
export const TCP_FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr', 'ns'] as const;

/** Flags that must be set; false and null ask for nothing. */
export type TcpFlagsValue = { readonly [flag in (typeof TCP_FLAGS)[number]]?: boolean | null };

/**
 * Value lists of Hubble's FlowFilter (hubble note, section 3) as the API hands them over: enum values by name. Field
 * names and meanings are those of `FILTER_FIELDS` in the model, compared by a test.
 */
export interface FlowFilterLists {
  readonly uuid: readonly string[];
  readonly sourceIp: readonly string[];
  readonly destinationIp: readonly string[];
  readonly sourceIpXlated: readonly string[];
  readonly ipVersion: readonly string[];
  readonly encrypted: readonly boolean[];
  readonly sourcePod: readonly string[];
  readonly destinationPod: readonly string[];
  readonly sourceService: readonly string[];
  readonly destinationService: readonly string[];
  readonly sourceFqdn: readonly string[];
  readonly destinationFqdn: readonly string[];
  readonly sourceLabel: readonly string[];
  readonly destinationLabel: readonly string[];
  readonly nodeLabels: readonly string[];
  readonly sourceWorkload: readonly WorkloadValue[];
  readonly destinationWorkload: readonly WorkloadValue[];
  readonly sourceIdentity: readonly number[];
  readonly destinationIdentity: readonly number[];
  readonly sourceClusterName: readonly string[];
  readonly destinationClusterName: readonly string[];
  readonly nodeName: readonly string[];
  readonly interface: readonly InterfaceValue[];
  readonly sourcePort: readonly string[];
  readonly destinationPort: readonly string[];
  readonly protocol: readonly string[];
  readonly tcpFlags: readonly TcpFlagsValue[];
  readonly reply: readonly boolean[];
  readonly verdict: readonly string[];
  readonly dropReasonDesc: readonly string[];
  readonly trafficDirection: readonly string[];
  readonly eventType: readonly EventTypeValue[];
  readonly dnsQuery: readonly string[];
  readonly httpStatusCode: readonly string[];
  readonly httpMethod: readonly string[];
  readonly httpPath: readonly string[];
  readonly httpUrl: readonly string[];
  readonly httpHeader: readonly HeaderValue[];
  readonly traceId: readonly string[];
  readonly ipTraceId: readonly (string | bigint)[];
  readonly celExpression: readonly string[];
}

/** One filter: set fields are AND, values of a field are OR; null and an empty list mean "not set". */
export type FlowFilter = { readonly [Field in keyof FlowFilterLists]?: FlowFilterLists[Field] | null } & {
  /** Ours: also match workloads and services that were inferred. */
  readonly matchInferred?: boolean | null;
};

/** A flow passes when `allow` is empty or any of it matches, and nothing of `deny` matches. */
export interface FlowFilters {
  readonly allow?: readonly FlowFilter[] | null;
  readonly deny?: readonly FlowFilter[] | null;
}
