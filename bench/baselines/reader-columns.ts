/**
 * How ClickHouse's own Protobuf reader fills our `flows`: what it reads of a message, and the SQL that makes our columns
 * of it. Where our decoder works something out (workload, client, template, histogram bucket), the SQL here does the
 * simplest thing that keeps the rollups' totals the same for the made flows; it is never dearer than what we do.
 */

/** A column that the reader fills: the path in the message with underscores, and its type. */
export interface ReadColumn {
  readonly name: string;
  readonly type: string;
}

const text = 'LowCardinality(String)';
const texts = 'Array(LowCardinality(String))';

function endpoint(side: 'source' | 'destination'): readonly (readonly [string, string])[] {
  return [
    [`flow_${side}_ID`, 'UInt32'],
    [`flow_${side}_identity`, 'UInt32'],
    [`flow_${side}_namespace`, text],
    [`flow_${side}_labels`, texts],
    [`flow_${side}_pod_name`, text],
    [`flow_${side}_workloads_name`, texts],
    [`flow_${side}_cluster_name`, text],
    [`flow_${side}_names`, texts],
    [`flow_${side}_service_namespace`, text],
    [`flow_${side}_service_name`, text],
  ];
}

const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'] as const;

/** Every field of a flow that has a column of ours, but for policies and HTTP headers, which the made flows lack. */
export const READ_COLUMNS: readonly ReadColumn[] = [
  ['flow_time_seconds', 'Int64'],
  ['flow_time_nanos', 'Int32'],
  ['flow_node_name', text],
  ['flow_uuid', 'UUID'],
  ['flow_emitter_name', text],
  ['flow_emitter_version', text],
  ['flow_verdict', 'Int16'],
  ['flow_drop_reason_desc', 'Int16'],
  ['flow_auth_type', 'Int16'],
  ['flow_Type', 'Int16'],
  ['flow_event_type_type', 'Int32'],
  ['flow_event_type_sub_type', 'Int32'],
  ['flow_is_reply_value', 'UInt8'],
  ['flow_traffic_direction', 'Int16'],
  ['flow_policy_match_type', 'Int16'],
  ['flow_trace_observation_point', 'Int16'],
  ['flow_trace_reason', 'Int16'],
  ['flow_debug_capture_point', 'Int16'],
  ['flow_sock_xlate_point', 'Int16'],
  ['flow_socket_cookie', 'UInt64'],
  ['flow_cgroup_id', 'UInt64'],
  ['flow_proxy_port', 'UInt32'],
  ['flow_interface_index', 'UInt32'],
  ['flow_interface_name', text],
  ['flow_file_name', text],
  ['flow_file_line', 'UInt32'],
  ['flow_ip_trace_id_trace_id', 'UInt64'],
  ['flow_ip_trace_id_ip_option_type', 'UInt32'],
  ['flow_ethernet_source', text],
  ['flow_ethernet_destination', text],
  ['flow_IP_source', 'String'],
  ['flow_IP_destination', 'String'],
  ['flow_IP_source_xlated', 'String'],
  ['flow_IP_ipVersion', 'Int16'],
  ['flow_IP_encrypted', 'UInt8'],
  ['flow_l4_TCP_source_port', 'UInt16'],
  ['flow_l4_TCP_destination_port', 'UInt16'],
  ['flow_l4_UDP_source_port', 'UInt16'],
  ['flow_l4_UDP_destination_port', 'UInt16'],
  ...FLAGS.map((flag): readonly [string, string] => [`flow_l4_TCP_flags_${flag}`, 'UInt8']),
  ['flow_l4_ICMPv4_type', 'UInt8'],
  ['flow_l4_ICMPv4_code', 'UInt8'],
  ...endpoint('source'),
  ...endpoint('destination'),
  ['flow_node_labels', texts],
  ['flow_policy_log', texts],
  ['flow_l7_type', 'Int16'],
  ['flow_l7_latency_ns', 'UInt64'],
  ['flow_l7_http_code', 'UInt32'],
  ['flow_l7_http_method', text],
  ['flow_l7_http_url', 'String'],
  ['flow_l7_http_protocol', text],
  ['flow_l7_dns_query', text],
  ['flow_l7_dns_ips', 'Array(String)'],
  ['flow_l7_dns_ttl', 'UInt32'],
  ['flow_l7_dns_cnames', texts],
  ['flow_l7_dns_observation_source', text],
  ['flow_l7_dns_rcode', 'UInt32'],
  ['flow_l7_dns_qtypes', texts],
  ['flow_l7_dns_rrtypes', texts],
  ['flow_l7_kafka_error_code', 'Int32'],
  ['flow_l7_kafka_api_version', 'Int32'],
  ['flow_l7_kafka_api_key', text],
  ['flow_l7_kafka_correlation_id', 'Int32'],
  ['flow_l7_kafka_topic', text],
  ['flow_trace_context_parent_trace_id', 'String'],
  ['flow_aggregate_ingress_flow_count', 'UInt32'],
  ['flow_aggregate_egress_flow_count', 'UInt32'],
  ['flow_aggregate_unknown_direction_flow_count', 'UInt32'],
  ['flow_Summary', 'String'],
].map(([name = '', type = '']) => ({ name, type }));

/** Structure for `file()` and for a table that takes what was read. */
export function structure(): string {
  return READ_COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ');
}

const reply = 'flow_is_reply_value = 1';
const l7 = (dns: string, http: string, other: string): string =>
  `multiIf(flow_l7_dns_query != '', ${dns}, flow_l7_http_protocol != '', ${http}, ${other})`;
const address = (column: string): string => `toIPv6OrDefault(${column})`;
const labelSet = (column: string): string => `if(empty(${column}), 0, cityHash64(arraySort(${column})))`;
const workload = (side: string): string =>
  `replaceRegexpOne(flow_${side}_pod_name, '-[a-z0-9]{6,10}-[a-z0-9]{5}$', '')`;
const template = "replaceRegexpAll(path(flow_l7_http_url), '/[0-9]+', '/{id}')";

function side(prefix: 'src' | 'dst', name: 'source' | 'destination'): Readonly<Record<string, string>> {
  return {
    [`${prefix}_endpoint_id`]: `flow_${name}_ID`,
    [`${prefix}_identity`]: `flow_${name}_identity`,
    [`${prefix}_namespace`]: `flow_${name}_namespace`,
    [`${prefix}_label_set`]: labelSet(`flow_${name}_labels`),
    [`${prefix}_pod`]: `flow_${name}_pod_name`,
    [`${prefix}_workloads`]: `flow_${name}_workloads_name`,
    [`${prefix}_cluster`]: `flow_${name}_cluster_name`,
    [`${prefix}_workload`]: workload(name),
    [`${prefix}_workload_kind`]: "'Deployment'",
    [`${prefix}_names`]: `flow_${name}_names`,
    [`${prefix}_service_namespace`]: `flow_${name}_service_namespace`,
    [`${prefix}_service_name`]: `flow_${name}_service_name`,
  };
}

/** Our column → SQL over {@link READ_COLUMNS}; columns that are not named keep their defaults. */
export const FLOW_EXPRESSIONS: Readonly<Record<string, string>> = {
  _le: '1',
  tenant: "'default'",
  cluster: "splitByChar('/', flow_node_name)[1]",
  node: "splitByChar('/', flow_node_name)[2]",
  bucket_time: "fromUnixTimestamp64Nano(flow_time_seconds * 1000000000 + flow_time_nanos, 'UTC')",
  uuid: 'flow_uuid',
  emitter_name: 'flow_emitter_name',
  emitter_version: 'flow_emitter_version',
  verdict: 'flow_verdict',
  drop_reason: 'flow_drop_reason_desc',
  auth_type: 'flow_auth_type',
  flow_type: 'flow_Type',
  event_type: 'flow_event_type_type',
  event_sub_type: 'flow_event_type_sub_type',
  is_reply: 'flow_is_reply_value + 1',
  traffic_direction: 'flow_traffic_direction',
  policy_match_type: 'flow_policy_match_type',
  trace_observation_point: 'flow_trace_observation_point',
  trace_reason: 'flow_trace_reason',
  debug_capture_point: 'flow_debug_capture_point',
  sock_xlate_point: 'flow_sock_xlate_point',
  socket_cookie: 'flow_socket_cookie',
  cgroup_id: 'flow_cgroup_id',
  proxy_port: 'flow_proxy_port',
  interface_index: 'flow_interface_index',
  interface_name: 'flow_interface_name',
  file_name: 'flow_file_name',
  file_line: 'flow_file_line',
  ip_trace_id: 'flow_ip_trace_id_trace_id',
  ip_option_type: 'flow_ip_trace_id_ip_option_type',
  ethernet_source: 'flow_ethernet_source',
  ethernet_destination: 'flow_ethernet_destination',
  src_ip: address('flow_IP_source'),
  dst_ip: address('flow_IP_destination'),
  src_ip_xlated: address('flow_IP_source_xlated'),
  ip_version: 'flow_IP_ipVersion',
  encrypted: 'flow_IP_encrypted',
  l4_protocol: 'multiIf(flow_l4_TCP_source_port != 0, 1, flow_l4_UDP_source_port != 0, 2, 0)',
  src_port: 'greatest(flow_l4_TCP_source_port, flow_l4_UDP_source_port)',
  dst_port: 'greatest(flow_l4_TCP_destination_port, flow_l4_UDP_destination_port)',
  tcp_flags: `${FLAGS.map((flag, bit) => `flow_l4_TCP_flags_${flag} * ${2 ** bit}`).join(' + ')} + if(flow_l4_TCP_flags_SYN + flow_l4_TCP_flags_ACK > 0, 512, 0)`,
  icmp_type: 'flow_l4_ICMPv4_type',
  icmp_code: 'flow_l4_ICMPv4_code',
  ...side('src', 'source'),
  ...side('dst', 'destination'),
  node_label_set: labelSet('flow_node_labels'),
  client_side: `if(${reply}, 2, 1)`,
  client_namespace: `if(${reply}, flow_destination_namespace, flow_source_namespace)`,
  client_workload: `if(${reply}, ${workload('destination')}, ${workload('source')})`,
  server_namespace: `if(${reply}, flow_source_namespace, flow_destination_namespace)`,
  server_workload: `if(${reply}, ${workload('source')}, ${workload('destination')})`,
  server_port: `if(${reply}, src_port, dst_port)`,
  policy_log: 'flow_policy_log',
  l7_type: 'flow_l7_type',
  l7_kind: l7('1', '2', '0'),
  latency_ns: 'flow_l7_latency_ns',
  latency_bucket: 'if(flow_l7_latency_ns = 0, 0, toUInt16(ceil(log2(flow_l7_latency_ns) * 16) + 1))',
  http_code: 'flow_l7_http_code',
  http_method: 'flow_l7_http_method',
  http_url: 'flow_l7_http_url',
  http_path_template: `if(flow_l7_http_url = '', '', ${template})`,
  http_protocol: 'flow_l7_http_protocol',
  dns_query: 'flow_l7_dns_query',
  dns_ips: 'flow_l7_dns_ips',
  dns_ttl: 'flow_l7_dns_ttl',
  dns_cnames: 'flow_l7_dns_cnames',
  dns_observation_source: 'flow_l7_dns_observation_source',
  dns_rcode: 'flow_l7_dns_rcode',
  dns_qtypes: 'flow_l7_dns_qtypes',
  dns_rrtypes: 'flow_l7_dns_rrtypes',
  kafka_error_code: 'flow_l7_kafka_error_code',
  kafka_api_version: 'flow_l7_kafka_api_version',
  kafka_api_key: 'flow_l7_kafka_api_key',
  kafka_correlation_id: 'flow_l7_kafka_correlation_id',
  kafka_topic: 'flow_l7_kafka_topic',
  endpoint: l7('flow_l7_dns_query', `concat(flow_l7_http_method, ' ', ${template})`, "''"),
  trace_id: 'flow_trace_context_parent_trace_id',
  weight: '1',
};
