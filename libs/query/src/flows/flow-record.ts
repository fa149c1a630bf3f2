import type { PolicyRef } from '../policies.js';
import type { FlowPosition } from './flow-cursor.js';

/** A row of a flow page as the store returns it: 64-bit integers are decimal text. Absent parts are undefined. */
export interface FlowRow {
  readonly bucket_ns: string;
  readonly _le: string;
  readonly _lp: number;
  readonly _lo: string;
  readonly _li: number;
  readonly [column: string]: string | number | readonly string[];
}

/** One side of a packet. Texts are empty and numbers 0 where the flow does not say. */
export interface EndpointRecord {
  /** Text as in the flow (IPv4 unmapped); null when there is no address. */
  readonly ip: string | null;
  readonly endpointId: number;
  readonly identity: number;
  readonly cluster: string;
  readonly namespace: string;
  readonly pod: string;
  /** `Kind/name` as sent; only on the side local to the node. */
  readonly workloads: readonly string[];
  /** Canonical workload and its kind (empty when guessed from labels). */
  readonly workload: string;
  readonly workloadKind: string;
  readonly serviceNamespace: string;
  readonly serviceName: string;
  readonly names: readonly string[];
  /** Id of the label set, decimal; see `planLabels`. */
  readonly labelSet: string;
}

/** HTTP part of an L7 record. */
export interface HttpRecord {
  readonly code: number;
  readonly method: string;
  readonly url: string;
  readonly pathTemplate: string;
  readonly protocol: string;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
}

/** DNS part of an L7 record. */
export interface DnsRecord {
  readonly query: string;
  readonly ips: readonly string[];
  readonly ttl: number;
  readonly cnames: readonly string[];
  readonly observationSource: string;
  readonly rcode: number;
  readonly qtypes: readonly string[];
  readonly rrtypes: readonly string[];
}

/** Kafka part of an L7 record. */
export interface KafkaRecord {
  readonly errorCode: number;
  readonly apiVersion: number;
  readonly apiKey: string;
  readonly correlationId: number;
  readonly topic: string;
}

/**
 * What no answer shows but a flow given back whole holds (fields of hubble note 1.1): part `wire` of a flow page. Texts
 * are empty and numbers 0 where the flow does not say.
 */
export interface FlowWire {
  readonly emitter: { readonly name: string; readonly version: string };
  /** MAC addresses as text. */
  readonly ethernet: { readonly source: string; readonly destination: string };
  readonly debugCapturePoint: number;
  readonly sockXlatePoint: number;
  readonly socketCookie: bigint;
  readonly cgroupId: bigint;
  readonly ipTraceId: bigint;
  readonly ipOptionType: number;
  /** `IP.encrypted` as sent, whatever the event type. */
  readonly encrypted: boolean;
  /** Id of the label set of the node, decimal; see `planLabels`. */
  readonly nodeLabelSet: string;
  /** Counters of an aggregated record. */
  readonly aggregate: { readonly ingress: number; readonly egress: number; readonly unknown: number };
  /** Fields 21001, 21002, 21004 and 21005 as sent. */
  readonly policies: Uint8Array;
}

/** A flow read back from the store; numbers of enums are kept as numbers, the model names them. */
export interface FlowRecord {
  /** Stable through replay. */
  readonly id: string;
  readonly position: FlowPosition;
  readonly uuid: string | null;
  /** Time as sent, ns since 1970. */
  readonly timeNs: bigint;
  /** 0 ok, 1 future, 2 ancient, 3 absent, 4 invalid. */
  readonly timeQuality: number;
  readonly cluster: string;
  readonly node: string;
  readonly verdict: number;
  readonly dropReason: number;
  readonly authType: number;
  readonly flowType: number;
  /** -1 when the flow has no event type. */
  readonly eventType: number;
  readonly eventSubType: number;
  readonly isReply: boolean | null;
  readonly trafficDirection: number;
  readonly policyMatchType: number;
  readonly traceObservationPoint: number;
  readonly traceReason: number;
  readonly proxyPort: number;
  readonly interface: { readonly index: number; readonly name: string } | null;
  /** BPF source of a drop. */
  readonly file: { readonly name: string; readonly line: number } | null;
  readonly ipVersion: number;
  readonly sourceIpXlated: string | null;
  /** Null where only trace events know. */
  readonly encrypted: boolean | null;
  readonly l4Protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Bits 0..8 FIN to NS; null without a flags message. */
  readonly tcpFlags: number | null;
  readonly icmp: { readonly type: number; readonly code: number } | null;
  readonly source: EndpointRecord;
  readonly destination: EndpointRecord;
  /** Which side called, by evidence; null when unknown. */
  readonly client: 'source' | 'destination' | null;
  readonly serverPort: number;
  readonly l7Type: number;
  readonly l7Kind: number;
  /** Null = unknown. */
  readonly latencyNs: bigint | null;
  readonly http: HttpRecord | null;
  readonly dns: DnsRecord | null;
  readonly kafka: KafkaRecord | null;
  /** What was called; empty when nothing was. */
  readonly endpoint: string;
  readonly policies: readonly PolicyRef[];
  readonly policyLog: readonly string[];
  readonly traceId: string | null;
  readonly weight: bigint;
  /** As sent, kept only where it differs from the text made from the fields. */
  readonly summary: string;
  /** Bytes of fields without a column, protobuf. */
  readonly extra: Uint8Array;
  /** Null when the page was read without the part `wire`. */
  readonly wire: FlowWire | null;
}
