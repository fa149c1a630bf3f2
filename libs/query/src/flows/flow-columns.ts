/** A column of a flow page: SQL text and the name it gets in the row. */
export interface SelectedColumn {
  readonly name: string;
  readonly sql: string;
}

/** Groups of columns that a request may leave out. */
export type FlowPart = 'l7' | 'policies' | 'extra' | 'wire';

/** Every part that answers show. */
export const ALL_PARTS: readonly FlowPart[] = ['l7', 'policies', 'extra'];

/** Every part there is: what `encodeFlow` needs to give a flow back as it was sent. */
export const COMPLETE_PARTS: readonly FlowPart[] = ['l7', 'policies', 'extra', 'wire'];

const IDENTITY = ['_le', '_lp', '_lo', '_li'];

const CORE = [
  'cluster',
  'node',
  'time_shift',
  'time_quality',
  'uuid',
  'verdict',
  'drop_reason',
  'auth_type',
  'flow_type',
  'event_type',
  'event_sub_type',
  'is_reply',
  'traffic_direction',
  'policy_match_type',
  'trace_observation_point',
  'trace_reason',
  'proxy_port',
  'interface_index',
  'interface_name',
  'file_name',
  'file_line',
  'src_ip',
  'dst_ip',
  'src_ip_xlated',
  'ip_version',
  'encrypted',
  'l4_protocol',
  'src_port',
  'dst_port',
  'tcp_flags',
  'icmp_type',
  'icmp_code',
  'src_endpoint_id',
  'src_identity',
  'src_namespace',
  'src_label_set',
  'src_pod',
  'src_workloads',
  'src_cluster',
  'src_workload',
  'src_workload_kind',
  'src_names',
  'src_service_namespace',
  'src_service_name',
  'dst_endpoint_id',
  'dst_identity',
  'dst_namespace',
  'dst_label_set',
  'dst_pod',
  'dst_workloads',
  'dst_cluster',
  'dst_workload',
  'dst_workload_kind',
  'dst_names',
  'dst_service_namespace',
  'dst_service_name',
  'client_side',
  'server_port',
  'l7_type',
  'l7_kind',
  'latency_ns',
  'trace_id',
  'weight',
  'summary',
];

const L7 = [
  'http_code',
  'http_method',
  'http_url',
  'http_path_template',
  'http_protocol',
  'http_header_keys',
  'http_header_values',
  'dns_query',
  'dns_ips',
  'dns_ttl',
  'dns_cnames',
  'dns_observation_source',
  'dns_rcode',
  'dns_qtypes',
  'dns_rrtypes',
  'kafka_error_code',
  'kafka_api_version',
  'kafka_api_key',
  'kafka_correlation_id',
  'kafka_topic',
  'endpoint',
];

/** What only a flow given back whole shows; see FlowWire. */
const WIRE = [
  'emitter_name',
  'emitter_version',
  'ethernet_source',
  'ethernet_destination',
  'debug_capture_point',
  'sock_xlate_point',
  'socket_cookie',
  'cgroup_id',
  'ip_trace_id',
  'ip_option_type',
  'node_label_set',
  'aggregate_ingress',
  'aggregate_egress',
  'aggregate_unknown',
];

/** Columns of bytes by part. */
const BYTES_COLUMNS: Readonly<Record<'policies' | 'extra', readonly string[]>> = {
  policies: ['policies', 'policy_log'],
  extra: ['extra'],
};

/** Bytes travel as base64: JSON answers hold text only. */
const BYTES: Readonly<Record<'policies' | 'extra', readonly SelectedColumn[]>> = {
  policies: [
    { name: 'policies_base64', sql: 'base64Encode(policies)' },
    { name: 'policy_log', sql: 'policy_log' },
  ],
  extra: [{ name: 'extra_base64', sql: 'base64Encode(extra)' }],
};

/**
 * Columns of a flow page, in order: time and identity, the flow, then the parts asked for. `binary` is for answers that
 * hold bytes (Native), where they are read by `FlowBatchPage`.
 */
export function flowColumns(parts: readonly FlowPart[], binary = false): readonly SelectedColumn[] {
  const plain = (name: string): SelectedColumn => ({ name, sql: name });
  const bytesOf = (part: 'policies' | 'extra') => (binary ? BYTES_COLUMNS[part].map(plain) : BYTES[part]);
  return [
    { name: 'bucket_ns', sql: 'toUnixTimestamp64Nano(bucket_time)' },
    ...IDENTITY.map(plain),
    ...CORE.map(plain),
    ...(parts.includes('l7') ? L7.map(plain) : []),
    ...(parts.includes('policies') ? bytesOf('policies') : []),
    ...(parts.includes('extra') ? bytesOf('extra') : []),
    ...(parts.includes('wire') ? WIRE.map(plain) : []),
  ];
}

/** Select list of the columns. */
export function selectList(columns: readonly SelectedColumn[]): string {
  return columns.map(({ name, sql }) => (name === sql ? name : `${sql} AS ${name}`)).join(',\n  ');
}
