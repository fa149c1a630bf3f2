import { decodePolicies } from '../policies.js';
import type { PolicyRef } from '../policies.js';
import { encodeFlowId } from './flow-cursor.js';
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
}

const NO_UUID = '00000000-0000-0000-0000-000000000000';

/** Reads typed cells of a row; a missing column reads as empty. */
class Cells {
  readonly #row: FlowRow;
  constructor(row: FlowRow) {
    this.#row = row;
  }
  text(column: string): string {
    const value = this.#row[column];
    return typeof value === 'string' ? value : String(value ?? '');
  }
  number(column: string): number {
    return Number(this.#row[column] ?? 0);
  }
  list(column: string): readonly string[] {
    const value = this.#row[column];
    return Array.isArray(value) ? value : [];
  }
  bytes(column: string): Uint8Array {
    return Buffer.from(this.text(column), 'base64');
  }
}

function address(text: string, ipVersion: number): string | null {
  if (text === '::' && ipVersion !== 2) return null;
  return text.startsWith('::ffff:') && text.includes('.') ? text.slice('::ffff:'.length) : text;
}

function endpointOf(cells: Cells, side: 'src' | 'dst'): EndpointRecord {
  return {
    ip: address(cells.text(`${side}_ip`), cells.number('ip_version')),
    endpointId: cells.number(`${side}_endpoint_id`),
    identity: cells.number(`${side}_identity`),
    cluster: cells.text(`${side}_cluster`),
    namespace: cells.text(`${side}_namespace`),
    pod: cells.text(`${side}_pod`),
    workloads: cells.list(`${side}_workloads`),
    workload: cells.text(`${side}_workload`),
    workloadKind: cells.text(`${side}_workload_kind`),
    serviceNamespace: cells.text(`${side}_service_namespace`),
    serviceName: cells.text(`${side}_service_name`),
    names: cells.list(`${side}_names`),
    labelSet: cells.text(`${side}_label_set`),
  };
}

function httpOf(cells: Cells): HttpRecord {
  const values = cells.list('http_header_values');
  return {
    code: cells.number('http_code'),
    method: cells.text('http_method'),
    url: cells.text('http_url'),
    pathTemplate: cells.text('http_path_template'),
    protocol: cells.text('http_protocol'),
    headers: cells.list('http_header_keys').map((key, index) => ({ key, value: values[index] ?? '' })),
  };
}

function dnsOf(cells: Cells): DnsRecord {
  return {
    query: cells.text('dns_query'),
    ips: cells.list('dns_ips'),
    ttl: cells.number('dns_ttl'),
    cnames: cells.list('dns_cnames'),
    observationSource: cells.text('dns_observation_source'),
    rcode: cells.number('dns_rcode'),
    qtypes: cells.list('dns_qtypes'),
    rrtypes: cells.list('dns_rrtypes'),
  };
}

function kafkaOf(cells: Cells): KafkaRecord {
  return {
    errorCode: cells.number('kafka_error_code'),
    apiVersion: cells.number('kafka_api_version'),
    apiKey: cells.text('kafka_api_key'),
    correlationId: cells.number('kafka_correlation_id'),
    topic: cells.text('kafka_topic'),
  };
}

function packetFacts(cells: Cells) {
  const flags = cells.number('tcp_flags');
  const l4 = cells.number('l4_protocol');
  const [index, name] = [cells.number('interface_index'), cells.text('interface_name')];
  const [file, line] = [cells.text('file_name'), cells.number('file_line')];
  return {
    proxyPort: cells.number('proxy_port'),
    interface: index === 0 && name === '' ? null : { index, name },
    file: file === '' ? null : { name: file, line },
    ipVersion: cells.number('ip_version'),
    sourceIpXlated: address(cells.text('src_ip_xlated'), 0),
    encrypted: cells.number('event_type') === 4 ? cells.number('encrypted') === 1 : null,
    l4Protocol: l4,
    sourcePort: cells.number('src_port'),
    destinationPort: cells.number('dst_port'),
    tcpFlags: (flags & 512) === 0 ? null : flags & 511,
    icmp: l4 === 3 || l4 === 4 ? { type: cells.number('icmp_type'), code: cells.number('icmp_code') } : null,
  };
}

function eventFacts(cells: Cells) {
  return {
    timeQuality: cells.number('time_quality'),
    cluster: cells.text('cluster'),
    node: cells.text('node'),
    verdict: cells.number('verdict'),
    dropReason: cells.number('drop_reason'),
    authType: cells.number('auth_type'),
    flowType: cells.number('flow_type'),
    eventType: cells.number('event_type'),
    eventSubType: cells.number('event_sub_type'),
    isReply: [null, false, true][cells.number('is_reply')] ?? null,
    trafficDirection: cells.number('traffic_direction'),
    policyMatchType: cells.number('policy_match_type'),
    traceObservationPoint: cells.number('trace_observation_point'),
    traceReason: cells.number('trace_reason'),
  };
}

function callFacts(cells: Cells) {
  const kind = cells.number('l7_kind');
  const latency = BigInt(cells.text('latency_ns') || '0');
  return {
    client: ([null, 'source', 'destination'] as const)[cells.number('client_side')] ?? null,
    serverPort: cells.number('server_port'),
    l7Type: cells.number('l7_type'),
    l7Kind: kind,
    latencyNs: latency === 0n ? null : latency,
    http: kind === 2 ? httpOf(cells) : null,
    dns: kind === 1 ? dnsOf(cells) : null,
    kafka: kind === 3 ? kafkaOf(cells) : null,
    endpoint: cells.text('endpoint'),
  };
}

/** Turns a row of a flow page into a {@link FlowRecord}. */
export function readFlow(row: FlowRow): FlowRecord {
  const cells = new Cells(row);
  const position = {
    bucketNs: BigInt(row.bucket_ns),
    logEpoch: BigInt(row._le),
    partition: row._lp,
    offset: BigInt(row._lo),
    index: row._li,
  };
  const uuid = cells.text('uuid');
  return {
    id: encodeFlowId(position),
    position,
    uuid: uuid === NO_UUID || uuid === '' ? null : uuid,
    timeNs: position.bucketNs + BigInt(cells.text('time_shift') || '0'),
    ...eventFacts(cells),
    ...packetFacts(cells),
    source: endpointOf(cells, 'src'),
    destination: endpointOf(cells, 'dst'),
    ...callFacts(cells),
    policies: decodePolicies(cells.bytes('policies_base64'), cells.number('drop_reason')),
    policyLog: cells.list('policy_log'),
    traceId: cells.text('trace_id') || null,
    weight: BigInt(cells.text('weight') || '1'),
    summary: cells.text('summary'),
    extra: cells.bytes('extra_base64'),
  };
}
