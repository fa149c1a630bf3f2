import type { FixedType } from './columns.js';

/** ClickHouse type of a table column. */
export type FieldType =
  FixedType | 'String' | 'LowCardinality(String)' | 'Array(String)' | 'Array(LowCardinality(String))';

/**
 * One column of `flows`. This table is the single source of the column batch layout, the filter fields, the GraphQL
 * inputs and the field reference; `migrations/` is compared with it by a test. Adding a field is three edits: a row
 * here, the decoder, a migration.
 */
export interface FieldSpec {
  readonly column: string;
  readonly type: FieldType;
  /** Path in `flow.Flow` that fills it, proto names; null for derived columns. */
  readonly proto: string | null;
  /** The same path as field numbers (hubble note, section 1); several, with commas, when the column reads several fields. */
  readonly numbers: string | null;
  readonly meaning: string;
  readonly unit?: string;
  /** FlowFilter fields (camelCase) that read this column. */
  readonly filters?: readonly string[];
  readonly codec?: string;
  /** Type of the table's column, where it is not that of the batch; the server converts. */
  readonly stored?: FieldType;
}

function field(
  column: string,
  type: FieldType,
  proto: string | null,
  numbers: string | null,
  meaning: string,
  more: Pick<FieldSpec, 'unit' | 'filters' | 'codec' | 'stored'> = {},
): FieldSpec {
  return { column, type, proto, numbers, meaning, ...more };
}

/** Columns of `flows`, in table order. One line a column, so that it reads as the table it is. */
// prettier-ignore
export const FLOW_FIELDS: readonly FieldSpec[] = [
  field('_le', 'UInt64', null, null, 'log epoch: names the log this row came from; part of the row identity'),
  field('_lp', 'UInt16', null, null, 'log partition; part of the row identity'),
  field('_lo', 'UInt64', null, null, 'offset of the envelope in its log partition; part of the row identity'),
  field('_li', 'UInt32', null, null, 'index of the event in its envelope; part of the row identity'),
  field('tenant', 'LowCardinality(String)', null, null, 'tenant of the envelope; every query is scoped by it'),
  field('cluster', 'LowCardinality(String)', 'node_name', '11', 'cluster of the observing node: the part of node_name before the slash, else the cluster of the envelope', { filters: ['sourceClusterName', 'destinationClusterName'] }),
  field('node', 'LowCardinality(String)', 'node_name', '11', 'observing node without its cluster prefix; `unknown` when absent', { filters: ['nodeName'] }),
  field('bucket_time', "DateTime64(9, 'UTC')", 'time', '1', 'time that partitions, TTL and rollups use: the time as sent when it lies within [received - raw TTL, received + 1 h], else the received time of the envelope', { unit: 'ns', codec: 'DoubleDelta, ZSTD(1)' }),
  field('time_shift', 'Int64', 'time', '1', 'time as sent minus bucket_time (0 for a good clock); `time` is an alias of their sum', { unit: 'ns', codec: 'ZSTD(1)' }),
  field('time_quality', 'UInt8', 'time', '1', '0 ok, 1 future, 2 ancient, 3 absent, 4 invalid (before 1900 or after 2262, or nanos out of range; the bytes are in extra)'),
  field('uuid', 'UUID', 'uuid', '34', 'id of the decoded event, random in the agent; zero when absent or not a UUID (then the bytes are in extra)', { filters: ['uuid'] }),
  field('fallback_key', 'UInt64', 'uuid', '34', 'hash over decoded fields that stands in for a missing uuid when duplicates are searched; 0 when uuid is set'),
  field('emitter_name', 'LowCardinality(String)', 'emitter.name', '41.1', 'who emitted the flow'),
  field('emitter_version', 'LowCardinality(String)', 'emitter.version', '41.2', 'version of the emitter'),
  field('verdict', 'Int16', 'verdict', '2', 'Verdict number, unknown numbers kept', { filters: ['verdict'] }),
  field('drop_reason', 'Int16', 'drop_reason_desc', '25, 3', 'DropReason number (field 25, else the deprecated field 3); 0 when absent', { filters: ['dropReasonDesc'] }),
  field('auth_type', 'Int16', 'auth_type', '35', 'AuthType number'),
  field('flow_type', 'Int16', 'Type', '10', 'FlowType number'),
  field('event_type', 'Int32', 'event_type.type', '19.1', 'CiliumEventType.type; -1 when the message is absent', { filters: ['eventType'] }),
  field('event_sub_type', 'Int32', 'event_type.sub_type', '19.2', 'CiliumEventType.sub_type', { filters: ['eventType'] }),
  field('is_reply', 'UInt8', 'is_reply', '26, 16', '0 absent, 1 false, 2 true (wrapper with three states; the deprecated `reply` = true counts as true when the wrapper is absent)', { filters: ['reply'] }),
  field('traffic_direction', 'Int16', 'traffic_direction', '22', 'TrafficDirection number of the connection at the local endpoint; 1 ingress = reported by the server side, 2 egress = by the client side', { filters: ['trafficDirection'] }),
  field('policy_match_type', 'Int16', 'policy_match_type', '23', 'policy verdicts: what part of the key matched'),
  field('trace_observation_point', 'Int16', 'trace_observation_point', '24', 'TraceObservationPoint number'),
  field('trace_reason', 'Int16', 'trace_reason', '36', 'TraceReason number: the conntrack result'),
  field('debug_capture_point', 'Int16', 'debug_capture_point', '27', 'DebugCapturePoint number'),
  field('sock_xlate_point', 'Int16', 'sock_xlate_point', '31', 'SocketTranslationPoint number'),
  field('socket_cookie', 'UInt64', 'socket_cookie', '32', 'socket cookie of a trace-sock event'),
  field('cgroup_id', 'UInt64', 'cgroup_id', '33', 'cgroup of a trace-sock event'),
  field('proxy_port', 'UInt32', 'proxy_port', '29', 'port of the proxy on to-proxy events'),
  field('interface_index', 'UInt32', 'interface.index', '28.1', 'network interface index', { filters: ['interface'] }),
  field('interface_name', 'LowCardinality(String)', 'interface.name', '28.2', 'network interface name', { filters: ['interface'] }),
  field('file_name', 'LowCardinality(String)', 'file.name', '38.1', 'BPF source file of a drop'),
  field('file_line', 'UInt32', 'file.line', '38.2', 'BPF source line of a drop'),
  field('ip_trace_id', 'UInt64', 'ip_trace_id.trace_id', '40.1', 'trace id carried in an IP option', { filters: ['ipTraceId'] }),
  field('ip_option_type', 'UInt32', 'ip_trace_id.ip_option_type', '40.2', 'IP option that carried the trace id'),
  field('ethernet_source', 'LowCardinality(String)', 'ethernet.source', '4.1', 'source MAC as text'),
  field('ethernet_destination', 'LowCardinality(String)', 'ethernet.destination', '4.2', 'destination MAC as text'),
  field('src_ip', 'IPv6', 'IP.source', '5.1', 'sender of this packet; IPv4 as ::ffff:a.b.c.d; :: when absent or not an address (then the bytes are in extra)', { filters: ['sourceIp'] }),
  field('dst_ip', 'IPv6', 'IP.destination', '5.2', 'receiver of this packet, same form', { filters: ['destinationIp'] }),
  field('src_ip_xlated', 'IPv6', 'IP.source_xlated', '5.5', 'source after SNAT, when src_ip was restored to the one before', { filters: ['sourceIpXlated'] }),
  field('ip_version', 'Int16', 'IP.ipVersion', '5.3', 'IPVersion number; 0 = no IP', { filters: ['ipVersion'] }),
  field('encrypted', 'UInt8', 'IP.encrypted', '5.4', '1 when the packet was encrypted; only trace events know', { filters: ['encrypted'] }),
  field('l4_protocol', 'UInt8', 'l4', '6', 'case of the Layer4 oneof: 0 none, 1 TCP, 2 UDP, 3 ICMPv4, 4 ICMPv6, 5 SCTP, 6 VRRP, 7 IGMP', { filters: ['protocol'] }),
  field('src_port', 'UInt16', 'l4.*.source_port', '6.*.1', 'source port of TCP, UDP, SCTP', { filters: ['sourcePort'] }),
  field('dst_port', 'UInt16', 'l4.*.destination_port', '6.*.2', 'destination port of TCP, UDP, SCTP', { filters: ['destinationPort'] }),
  field('tcp_flags', 'UInt16', 'l4.TCP.flags', '6.1.3', 'bits 0..8 = FIN SYN RST PSH ACK URG ECE CWR NS; bit 9 = a flags message is present', { filters: ['tcpFlags'] }),
  field('icmp_type', 'UInt8', 'l4.ICMPv4.type', '6.3.1, 6.4.1', 'ICMP type (v4 or v6 by l4_protocol)'),
  field('icmp_code', 'UInt8', 'l4.ICMPv4.code', '6.3.2, 6.4.2', 'ICMP code'),
  field('src_endpoint_id', 'UInt32', 'source.ID', '8.1', 'endpoint id; set only where the endpoint is local to the observing node'),
  field('src_identity', 'UInt32', 'source.identity', '8.2', 'numeric security identity', { filters: ['sourceIdentity'] }),
  field('src_namespace', 'LowCardinality(String)', 'source.namespace', '8.3', 'Kubernetes namespace', { filters: ['sourcePod'] }),
  field('src_label_set', 'UInt64', 'source.labels', '8.4', 'hash of the sorted labels; the labels are in label_sets', { filters: ['sourceLabel'] }),
  field('src_pod', 'LowCardinality(String)', 'source.pod_name', '8.5', 'pod name', { filters: ['sourcePod'] }),
  field('src_workloads', 'Array(LowCardinality(String))', 'source.workloads', '8.6', 'workloads as sent, `Kind/name`; only on the side local to the node', { filters: ['sourceWorkload'] }),
  field('src_cluster', 'LowCardinality(String)', 'source.cluster_name', '8.7', 'cluster of the endpoint', { filters: ['sourceClusterName'] }),
  field('src_workload', 'LowCardinality(String)', null, null, 'canonical workload: a pure function of namespace, pod name and labels, the same for both sides; `reserved:world` and the like for what is no pod', { filters: ['sourceWorkload'] }),
  field('src_workload_kind', 'LowCardinality(String)', null, null, 'kind of the canonical workload; empty when only guessed from labels', { filters: ['sourceWorkload'] }),
  field('src_names', 'Array(LowCardinality(String))', 'source_names', '13', 'names the DNS proxy learned for the address, no trailing dot', { filters: ['sourceFqdn'], stored: 'Array(String)' }),
  field('src_service_namespace', 'LowCardinality(String)', 'source_service.namespace', '20.2', 'namespace of the service, only visible before address translation', { filters: ['sourceService'] }),
  field('src_service_name', 'LowCardinality(String)', 'source_service.name', '20.1', 'service, only visible before address translation', { filters: ['sourceService'] }),
  field('dst_endpoint_id', 'UInt32', 'destination.ID', '9.1', 'endpoint id; set only where the endpoint is local to the observing node'),
  field('dst_identity', 'UInt32', 'destination.identity', '9.2', 'numeric security identity', { filters: ['destinationIdentity'] }),
  field('dst_namespace', 'LowCardinality(String)', 'destination.namespace', '9.3', 'Kubernetes namespace', { filters: ['destinationPod'] }),
  field('dst_label_set', 'UInt64', 'destination.labels', '9.4', 'hash of the sorted labels; the labels are in label_sets', { filters: ['destinationLabel'] }),
  field('dst_pod', 'LowCardinality(String)', 'destination.pod_name', '9.5', 'pod name', { filters: ['destinationPod'] }),
  field('dst_workloads', 'Array(LowCardinality(String))', 'destination.workloads', '9.6', 'workloads as sent, `Kind/name`; only on the side local to the node', { filters: ['destinationWorkload'] }),
  field('dst_cluster', 'LowCardinality(String)', 'destination.cluster_name', '9.7', 'cluster of the endpoint', { filters: ['destinationClusterName'] }),
  field('dst_workload', 'LowCardinality(String)', null, null, 'canonical workload: a pure function of namespace, pod name and labels, the same for both sides; `reserved:world` and the like for what is no pod', { filters: ['destinationWorkload'] }),
  field('dst_workload_kind', 'LowCardinality(String)', null, null, 'kind of the canonical workload; empty when only guessed from labels', { filters: ['destinationWorkload'] }),
  field('dst_names', 'Array(LowCardinality(String))', 'destination_names', '14', 'names the DNS proxy learned for the address, no trailing dot', { filters: ['destinationFqdn'], stored: 'Array(String)' }),
  field('dst_service_namespace', 'LowCardinality(String)', 'destination_service.namespace', '21.2', 'namespace of the service, only visible before address translation', { filters: ['destinationService'] }),
  field('dst_service_name', 'LowCardinality(String)', 'destination_service.name', '21.1', 'service, only visible before address translation', { filters: ['destinationService'] }),
  field('node_label_set', 'UInt64', 'node_labels', '37', 'hash of the labels of the observing node; the labels are in label_sets', { filters: ['nodeLabels'] }),
  field('client_side', 'UInt8', null, null, 'who is the client, by evidence: 0 unknown (source is taken), 1 source, 2 destination'),
  field('client_namespace', 'LowCardinality(String)', null, null, 'namespace of the client'),
  field('client_workload', 'LowCardinality(String)', null, null, 'canonical workload of the client'),
  field('server_namespace', 'LowCardinality(String)', null, null, 'namespace of the server'),
  field('server_workload', 'LowCardinality(String)', null, null, 'canonical workload of the server'),
  field('server_port', 'UInt16', null, null, 'port of the server; 0 when the protocol has none or the client is unknown'),
  field('policies', 'LowCardinality(String)', 'egress_allowed_by', '21001, 21002, 21004, 21005', 'bytes of fields 21001, 21002, 21004 and 21005 as sent, in order: the policies that allowed or denied'),
  field('policy_log', 'Array(LowCardinality(String))', 'policy_log', '21006', 'log texts of the matching policies', { stored: 'Array(String)' }),
  field('l7_type', 'Int16', 'l7.type', '15.1', 'L7FlowType number: 1 request, 2 response, 3 sample; 0 when there is no l7'),
  field('l7_kind', 'UInt8', 'l7', '15', '0 none, 1 dns, 2 http, 3 kafka, 4 an l7 record without a known body', { filters: ['protocol'] }),
  field('latency_ns', 'UInt64', 'l7.latency_ns', '15.2', 'latency of a response; 0 = unknown, not fast', { unit: 'ns' }),
  field('latency_bucket', 'UInt16', null, null, 'exponential histogram bucket at scale 4 (base 2^(1/16), upper bound inclusive) plus 2; 0 = latency unknown'),
  field('http_code', 'UInt32', 'l7.http.code', '15.101.1', 'HTTP status; 0 on requests', { filters: ['httpStatusCode'] }),
  field('http_method', 'LowCardinality(String)', 'l7.http.method', '15.101.2', 'HTTP method', { filters: ['httpMethod'] }),
  field('http_url', 'String', 'l7.http.url', '15.101.3', 'URL as sent, absolute or only a path', { filters: ['httpUrl', 'httpPath'], codec: 'ZSTD(1)' }),
  field('http_path_template', 'LowCardinality(String)', 'l7.http.url', '15.101.3', 'path without query string, ids replaced by placeholders'),
  field('http_protocol', 'LowCardinality(String)', 'l7.http.protocol', '15.101.4', 'for example HTTP/1.1'),
  field('http_header_keys', 'Array(LowCardinality(String))', 'l7.http.headers', '15.101.5.1', 'header names in order, duplicates kept', { filters: ['httpHeader'], stored: 'Array(String)' }),
  field('http_header_values', 'Array(String)', 'l7.http.headers', '15.101.5.2', 'header values in the same order', { filters: ['httpHeader'] }),
  field('dns_query', 'LowCardinality(String)', 'l7.dns.query', '15.100.1', 'name asked for, with its trailing dot', { filters: ['dnsQuery'] }),
  field('dns_ips', 'Array(String)', 'l7.dns.ips', '15.100.2', 'addresses answered'),
  field('dns_ttl', 'UInt32', 'l7.dns.ttl', '15.100.3', 'time to live of the answer', { unit: 's' }),
  field('dns_cnames', 'Array(LowCardinality(String))', 'l7.dns.cnames', '15.100.4', 'canonical names answered', { stored: 'Array(String)' }),
  field('dns_observation_source', 'LowCardinality(String)', 'l7.dns.observation_source', '15.100.5', 'who saw it, normally `proxy`'),
  field('dns_rcode', 'UInt32', 'l7.dns.rcode', '15.100.6', 'DNS response code'),
  field('dns_qtypes', 'Array(LowCardinality(String))', 'l7.dns.qtypes', '15.100.7', 'question types', { stored: 'Array(String)' }),
  field('dns_rrtypes', 'Array(LowCardinality(String))', 'l7.dns.rrtypes', '15.100.8', 'answer types', { stored: 'Array(String)' }),
  field('kafka_error_code', 'Int32', 'l7.kafka.error_code', '15.102.1', 'Kafka error code'),
  field('kafka_api_version', 'Int32', 'l7.kafka.api_version', '15.102.2', 'Kafka API version'),
  field('kafka_api_key', 'LowCardinality(String)', 'l7.kafka.api_key', '15.102.3', 'Kafka API key as text'),
  field('kafka_correlation_id', 'Int32', 'l7.kafka.correlation_id', '15.102.4', 'Kafka correlation id'),
  field('kafka_topic', 'LowCardinality(String)', 'l7.kafka.topic', '15.102.5', 'Kafka topic'),
  field('endpoint', 'LowCardinality(String)', null, null, 'what was called: `METHOD template`, the DNS name without trailing dot, or `api_key topic`'),
  field('trace_id', 'String', 'trace_context.parent.trace_id', '30.1.1', 'W3C trace id in hex, as sent', { filters: ['traceId'], codec: 'ZSTD(1)' }),
  field('weight', 'UInt64', 'aggregate', '21007', 'how many flows this record stands for: the sum of the three aggregate counters, else 1'),
  field('aggregate_ingress', 'UInt32', 'aggregate.ingress_flow_count', '21007.1', 'flows with direction ingress in an aggregated record'),
  field('aggregate_egress', 'UInt32', 'aggregate.egress_flow_count', '21007.2', 'flows with direction egress in an aggregated record'),
  field('aggregate_unknown', 'UInt32', 'aggregate.unknown_direction_flow_count', '21007.3', 'flows with unknown direction in an aggregated record'),
  field('summary', 'String', 'Summary', '100000', 'the text as sent, kept only where it differs from the text made from the columns', { codec: 'ZSTD(1)' }),
  field('extra', 'String', null, null, 'bytes of every field that the columns cannot give back (tag and value, in the order sent); normally empty', { codec: 'ZSTD(1)' }),
];
