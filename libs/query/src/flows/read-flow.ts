import { decodePolicies } from '../policies.js';
import { addressText } from './address-text.js';
import { encodeFlowId } from './flow-cursor.js';
import type {
  DnsRecord,
  EndpointRecord,
  FlowRecord,
  FlowRow,
  FlowWire,
  HttpRecord,
  KafkaRecord,
} from './flow-record.js';

const NO_UUID = '00000000-0000-0000-0000-000000000000';

/** Typed cells of one row of `flows`, by the names of a flow page; a missing column reads as empty. */
export interface FlowCells {
  has(column: string): boolean;
  text(column: string): string;
  number(column: string): number;
  list(column: string): readonly string[];
  /** Of the columns that travel as base64 (`policies_base64`, `extra_base64`). */
  bytes(column: string): Uint8Array;
}

/** The cells of a row that the store answered. */
class RowCells implements FlowCells {
  readonly #row: FlowRow;
  constructor(row: FlowRow) {
    this.#row = row;
  }
  has(column: string): boolean {
    return this.#row[column] !== undefined;
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
  return addressText(text);
}

function endpointOf(cells: FlowCells, side: 'src' | 'dst'): EndpointRecord {
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

function httpOf(cells: FlowCells): HttpRecord {
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

function dnsOf(cells: FlowCells): DnsRecord {
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

function kafkaOf(cells: FlowCells): KafkaRecord {
  return {
    errorCode: cells.number('kafka_error_code'),
    apiVersion: cells.number('kafka_api_version'),
    apiKey: cells.text('kafka_api_key'),
    correlationId: cells.number('kafka_correlation_id'),
    topic: cells.text('kafka_topic'),
  };
}

function packetFacts(cells: FlowCells) {
  const flags = cells.number('tcp_flags');
  const l4 = cells.number('l4_protocol');
  const [index, name] = [cells.number('interface_index'), cells.text('interface_name')];
  const [file, line] = [cells.text('file_name'), cells.number('file_line')];
  return {
    proxyPort: cells.number('proxy_port'),
    interface: index === 0 && name === '' ? null : { index, name },
    file: file === '' && line === 0 ? null : { name: file, line },
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

function eventFacts(cells: FlowCells) {
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

function callFacts(cells: FlowCells) {
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

function wireOf(cells: FlowCells, policies: Uint8Array): FlowWire {
  return {
    emitter: { name: cells.text('emitter_name'), version: cells.text('emitter_version') },
    ethernet: { source: cells.text('ethernet_source'), destination: cells.text('ethernet_destination') },
    debugCapturePoint: cells.number('debug_capture_point'),
    sockXlatePoint: cells.number('sock_xlate_point'),
    socketCookie: BigInt(cells.text('socket_cookie') || '0'),
    cgroupId: BigInt(cells.text('cgroup_id') || '0'),
    ipTraceId: BigInt(cells.text('ip_trace_id') || '0'),
    ipOptionType: cells.number('ip_option_type'),
    encrypted: cells.number('encrypted') === 1,
    nodeLabelSet: cells.text('node_label_set'),
    aggregate: {
      ingress: cells.number('aggregate_ingress'),
      egress: cells.number('aggregate_egress'),
      unknown: cells.number('aggregate_unknown'),
    },
    policies,
  };
}

/** Turns a row of a flow page into a {@link FlowRecord}. */
export function readFlow(row: FlowRow): FlowRecord {
  return readFlowCells(new RowCells(row));
}

/** {@link readFlow} for cells that come from elsewhere than a store's answer. */
export function readFlowCells(cells: FlowCells): FlowRecord {
  const position = {
    bucketNs: BigInt(cells.text('bucket_ns')),
    logEpoch: BigInt(cells.text('_le')),
    partition: cells.number('_lp'),
    offset: BigInt(cells.text('_lo')),
    index: cells.number('_li'),
  };
  const uuid = cells.text('uuid');
  const policies = cells.bytes('policies_base64');
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
    policies: decodePolicies(policies, cells.number('drop_reason')),
    policyLog: cells.list('policy_log'),
    traceId: cells.text('trace_id') || null,
    weight: BigInt(cells.text('weight') || '1'),
    summary: cells.text('summary'),
    extra: cells.bytes('extra_base64'),
    wire: cells.has('emitter_name') ? wireOf(cells, policies) : null,
  };
}
