/** How a field is written in protobuf JSON. Messages are named by their key in {@link MESSAGES}, enums in `ENUMS`. */
export type FieldKind =
  | 'string'
  | 'number'
  | 'uint64'
  | 'bool'
  | 'time'
  | 'bool-value'
  | 'number-value'
  | { readonly message: string }
  | { readonly enumeration: string };

/** A field: its proto name, how it is written, and whether it repeats. */
export interface FieldShape {
  readonly name: string;
  readonly kind: FieldKind;
  readonly repeated: boolean;
}

/** Fields of a message by number. */
export type MessageShape = ReadonlyMap<number, FieldShape>;

type Line = readonly [number: number, name: string, kind: FieldKind, repeated?: 'repeated'];

const message = (name: string): FieldKind => ({ message: name });
const enumeration = (name: string): FieldKind => ({ enumeration: name });

function shape(...lines: readonly Line[]): MessageShape {
  return new Map(
    lines.map(([number, name, kind, repeated]) => [number, { name, kind, repeated: repeated !== undefined }]),
  );
}

const PORTS = shape([1, 'source_port', 'number'], [2, 'destination_port', 'number']);
const ICMP = shape([1, 'type', 'number'], [2, 'code', 'number']);
const FLAG_NAMES = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'];

/** The fields of Hubble's messages that the simulator writes (hubble note, sections 1.1, 1.2 and 2.1). */
export const MESSAGES: Readonly<Record<string, MessageShape>> = {
  ExportEvent: shape(
    [1, 'flow', message('Flow')],
    [2, 'node_status', message('NodeStatusEvent')],
    [3, 'lost_events', message('LostEvent')],
    [4, 'agent_event', message('AgentEvent')],
    [1000, 'node_name', 'string'],
    [1001, 'time', 'time'],
  ),
  Flow: shape(
    [1, 'time', 'time'],
    [2, 'verdict', enumeration('Verdict')],
    [3, 'drop_reason', 'number'],
    [4, 'ethernet', message('Ethernet')],
    [5, 'IP', message('IP')],
    [6, 'l4', message('Layer4')],
    [8, 'source', message('Endpoint')],
    [9, 'destination', message('Endpoint')],
    [10, 'Type', enumeration('FlowType')],
    [11, 'node_name', 'string'],
    [13, 'source_names', 'string', 'repeated'],
    [14, 'destination_names', 'string', 'repeated'],
    [15, 'l7', message('Layer7')],
    [16, 'reply', 'bool'],
    [19, 'event_type', message('CiliumEventType')],
    [20, 'source_service', message('Service')],
    [21, 'destination_service', message('Service')],
    [22, 'traffic_direction', enumeration('TrafficDirection')],
    [23, 'policy_match_type', 'number'],
    [24, 'trace_observation_point', enumeration('TraceObservationPoint')],
    [25, 'drop_reason_desc', enumeration('DropReason')],
    [26, 'is_reply', 'bool-value'],
    [28, 'interface', message('NetworkInterface')],
    [29, 'proxy_port', 'number'],
    [30, 'trace_context', message('TraceContext')],
    [31, 'sock_xlate_point', enumeration('SocketTranslationPoint')],
    [32, 'socket_cookie', 'uint64'],
    [33, 'cgroup_id', 'uint64'],
    [34, 'uuid', 'string'],
    [35, 'auth_type', enumeration('AuthType')],
    [36, 'trace_reason', enumeration('TraceReason')],
    [37, 'node_labels', 'string', 'repeated'],
    [38, 'file', message('FileInfo')],
    [39, 'tunnel', message('Tunnel')],
    [41, 'emitter', message('Emitter')],
    [21_001, 'egress_allowed_by', message('Policy'), 'repeated'],
    [21_002, 'ingress_allowed_by', message('Policy'), 'repeated'],
    [21_004, 'egress_denied_by', message('Policy'), 'repeated'],
    [21_005, 'ingress_denied_by', message('Policy'), 'repeated'],
    [21_006, 'policy_log', 'string', 'repeated'],
    [21_007, 'aggregate', message('Aggregate')],
    [100_000, 'Summary', 'string'],
  ),
  Ethernet: shape([1, 'source', 'string'], [2, 'destination', 'string']),
  IP: shape(
    [1, 'source', 'string'],
    [2, 'destination', 'string'],
    [3, 'ipVersion', enumeration('IPVersion')],
    [4, 'encrypted', 'bool'],
    [5, 'source_xlated', 'string'],
  ),
  Layer4: shape(
    [1, 'TCP', message('TCP')],
    [2, 'UDP', message('UDP')],
    [3, 'ICMPv4', message('ICMPv4')],
    [4, 'ICMPv6', message('ICMPv6')],
    [5, 'SCTP', message('SCTP')],
  ),
  TCP: new Map([...PORTS, [3, { name: 'flags', kind: message('TCPFlags'), repeated: false }]]),
  TCPFlags: shape(...FLAG_NAMES.map((name, bit): Line => [bit + 1, name, 'bool'])),
  UDP: PORTS,
  ICMPv4: ICMP,
  ICMPv6: ICMP,
  SCTP: PORTS,
  Tunnel: shape(
    [1, 'protocol', enumeration('TunnelProtocol')],
    [2, 'IP', message('IP')],
    [3, 'l4', message('Layer4')],
    [4, 'vni', 'number'],
  ),
  Endpoint: shape(
    [1, 'ID', 'number'],
    [2, 'identity', 'number'],
    [3, 'namespace', 'string'],
    [4, 'labels', 'string', 'repeated'],
    [5, 'pod_name', 'string'],
    [6, 'workloads', message('Workload'), 'repeated'],
    [7, 'cluster_name', 'string'],
  ),
  Workload: shape([1, 'name', 'string'], [2, 'kind', 'string']),
  Layer7: shape(
    [1, 'type', enumeration('L7FlowType')],
    [2, 'latency_ns', 'uint64'],
    [100, 'dns', message('DNS')],
    [101, 'http', message('HTTP')],
    [102, 'kafka', message('Kafka')],
  ),
  DNS: shape(
    [1, 'query', 'string'],
    [2, 'ips', 'string', 'repeated'],
    [3, 'ttl', 'number'],
    [4, 'cnames', 'string', 'repeated'],
    [5, 'observation_source', 'string'],
    [6, 'rcode', 'number'],
    [7, 'qtypes', 'string', 'repeated'],
    [8, 'rrtypes', 'string', 'repeated'],
  ),
  HTTP: shape(
    [1, 'code', 'number'],
    [2, 'method', 'string'],
    [3, 'url', 'string'],
    [4, 'protocol', 'string'],
    [5, 'headers', message('HTTPHeader'), 'repeated'],
  ),
  HTTPHeader: shape([1, 'key', 'string'], [2, 'value', 'string']),
  Kafka: shape(
    [1, 'error_code', 'number'],
    [2, 'api_version', 'number'],
    [3, 'api_key', 'string'],
    [4, 'correlation_id', 'number'],
    [5, 'topic', 'string'],
  ),
  CiliumEventType: shape([1, 'type', 'number'], [2, 'sub_type', 'number']),
  Service: shape([1, 'name', 'string'], [2, 'namespace', 'string']),
  NetworkInterface: shape([1, 'index', 'number'], [2, 'name', 'string']),
  TraceContext: shape([1, 'parent', message('TraceParent')]),
  TraceParent: shape([1, 'trace_id', 'string']),
  FileInfo: shape([1, 'name', 'string'], [2, 'line', 'number']),
  Emitter: shape([1, 'name', 'string'], [2, 'version', 'string']),
  Policy: shape(
    [1, 'name', 'string'],
    [2, 'namespace', 'string'],
    [3, 'labels', 'string', 'repeated'],
    [4, 'revision', 'uint64'],
    [5, 'kind', 'string'],
  ),
  Aggregate: shape(
    [1, 'ingress_flow_count', 'number'],
    [2, 'egress_flow_count', 'number'],
    [3, 'unknown_direction_flow_count', 'number'],
  ),
  LostEvent: shape(
    [1, 'source', enumeration('LostEventSource')],
    [2, 'num_events_lost', 'uint64'],
    [3, 'cpu', 'number-value'],
    [4, 'first', 'time'],
    [5, 'last', 'time'],
  ),
  NodeStatusEvent: shape(
    [1, 'state_change', enumeration('NodeState')],
    [2, 'node_names', 'string', 'repeated'],
    [3, 'message', 'string'],
  ),
  AgentEvent: shape(
    [1, 'type', enumeration('AgentEventType')],
    [101, 'agent_start', message('TimeNotification')],
    [102, 'policy_update', message('PolicyUpdateNotification')],
    [103, 'endpoint_regenerate', message('EndpointNotification')],
    [104, 'endpoint_update', message('EndpointNotification')],
    [105, 'ipcache_update', message('IPCacheNotification')],
  ),
  TimeNotification: shape([1, 'time', 'time']),
  PolicyUpdateNotification: shape(
    [1, 'labels', 'string', 'repeated'],
    [2, 'revision', 'uint64'],
    [3, 'rule_count', 'uint64'],
  ),
  EndpointNotification: shape(
    [1, 'id', 'uint64'],
    [2, 'labels', 'string', 'repeated'],
    [3, 'error', 'string'],
    [4, 'pod_name', 'string'],
    [5, 'namespace', 'string'],
  ),
  IPCacheNotification: shape(
    [1, 'cidr', 'string'],
    [2, 'identity', 'number'],
    [4, 'host_ip', 'string'],
    [7, 'namespace', 'string'],
    [8, 'pod_name', 'string'],
  ),
};
