import {
  AGENT_EVENT_TYPE,
  AUTH_TYPE,
  DEBUG_CAPTURE_POINT,
  FLOW_TYPE,
  IP_VERSION,
  L7_FLOW_TYPE,
  LOST_EVENT_SOURCE,
  NODE_STATE,
  SCTP_CHUNK_TYPE,
  SOCKET_TRANSLATION_POINT,
  TRACE_OBSERVATION_POINT,
  TRACE_REASON,
  TRAFFIC_DIRECTION,
  TUNNEL_PROTOCOL,
  VERDICT,
  type EnumTable,
} from './enums.js';
import { DEBUG_EVENT_TYPE, DROP_REASON } from './long-enums.js';

/** Protobuf scalar types that the messages use. */
export type ScalarType = 'string' | 'bytes' | 'bool' | 'int32' | 'uint32' | 'int64' | 'uint64';

/** A field of a message. */
export interface SchemaField {
  readonly number: number;
  /** Proto name, which is also the JSON name of Hubble's output (hubble note 2.6). */
  readonly name: string;
  /** lowerCamelCase name that protobuf JSON also accepts. */
  readonly camelName: string;
  readonly repeated: boolean;
  readonly oneof: string | undefined;
  /** What a value is: a scalar, an enum's table, or the full name of a message. */
  readonly scalar: ScalarType | undefined;
  readonly enumeration: EnumTable | undefined;
  readonly message: string | undefined;
}

/** A message: its fields by position. */
export interface SchemaMessage {
  readonly name: string;
  readonly fields: readonly SchemaField[];
}

const SCALARS: readonly string[] = ['string', 'bytes', 'bool', 'int32', 'uint32', 'int64', 'uint64'];
const ENUMS: readonly EnumTable[] = [
  VERDICT,
  FLOW_TYPE,
  AUTH_TYPE,
  TRACE_OBSERVATION_POINT,
  TRACE_REASON,
  TRAFFIC_DIRECTION,
  L7_FLOW_TYPE,
  IP_VERSION,
  LOST_EVENT_SOURCE,
  SOCKET_TRANSLATION_POINT,
  DEBUG_CAPTURE_POINT,
  AGENT_EVENT_TYPE,
  NODE_STATE,
  SCTP_CHUNK_TYPE,
  TUNNEL_PROTOCOL,
  DROP_REASON,
  DEBUG_EVENT_TYPE,
];

/** One line a field: number, name, type; then `*` when repeated, or the name of its oneof in parentheses. */
// prettier-ignore
const MESSAGES: Readonly<Record<string, string>> = {
  'google.protobuf.Timestamp': '1 seconds int64, 2 nanos int32',
  'google.protobuf.Any': '1 type_url string, 2 value bytes',
  'google.protobuf.BoolValue': '1 value bool',
  'google.protobuf.Int32Value': '1 value int32',
  'google.protobuf.UInt32Value': '1 value uint32',
  'flow.Flow': `1 time google.protobuf.Timestamp, 34 uuid string, 41 emitter flow.Emitter, 2 verdict flow.Verdict,
    3 drop_reason uint32, 35 auth_type flow.AuthType, 4 ethernet flow.Ethernet, 5 IP flow.IP, 6 l4 flow.Layer4,
    39 tunnel flow.Tunnel, 8 source flow.Endpoint, 9 destination flow.Endpoint, 10 Type flow.FlowType,
    11 node_name string, 37 node_labels string*, 13 source_names string*, 14 destination_names string*,
    15 l7 flow.Layer7, 16 reply bool, 19 event_type flow.CiliumEventType, 20 source_service flow.Service,
    21 destination_service flow.Service, 22 traffic_direction flow.TrafficDirection, 23 policy_match_type uint32,
    24 trace_observation_point flow.TraceObservationPoint, 36 trace_reason flow.TraceReason, 38 file flow.FileInfo,
    40 ip_trace_id flow.IPTraceID, 25 drop_reason_desc flow.DropReason, 26 is_reply google.protobuf.BoolValue,
    27 debug_capture_point flow.DebugCapturePoint, 28 interface flow.NetworkInterface, 29 proxy_port uint32,
    30 trace_context flow.TraceContext, 31 sock_xlate_point flow.SocketTranslationPoint, 32 socket_cookie uint64,
    33 cgroup_id uint64, 100000 Summary string, 150000 extensions google.protobuf.Any,
    21001 egress_allowed_by flow.Policy*, 21002 ingress_allowed_by flow.Policy*, 21004 egress_denied_by flow.Policy*,
    21005 ingress_denied_by flow.Policy*, 21006 policy_log string*, 21007 aggregate flow.Aggregate`,
  'flow.Emitter': '1 name string, 2 version string',
  'flow.Ethernet': '1 source string, 2 destination string',
  'flow.IP': '1 source string, 2 destination string, 3 ipVersion flow.IPVersion, 4 encrypted bool, 5 source_xlated string',
  'flow.Layer4': `1 TCP flow.TCP (protocol), 2 UDP flow.UDP (protocol), 3 ICMPv4 flow.ICMPv4 (protocol),
    4 ICMPv6 flow.ICMPv6 (protocol), 5 SCTP flow.SCTP (protocol), 6 VRRP flow.VRRP (protocol), 7 IGMP flow.IGMP (protocol)`,
  'flow.TCP': '1 source_port uint32, 2 destination_port uint32, 3 flags flow.TCPFlags',
  'flow.TCPFlags': '1 FIN bool, 2 SYN bool, 3 RST bool, 4 PSH bool, 5 ACK bool, 6 URG bool, 7 ECE bool, 8 CWR bool, 9 NS bool',
  'flow.UDP': '1 source_port uint32, 2 destination_port uint32',
  'flow.SCTP': '1 source_port uint32, 2 destination_port uint32, 3 chunk_type flow.SCTPChunkType',
  'flow.ICMPv4': '1 type uint32, 2 code uint32',
  'flow.ICMPv6': '1 type uint32, 2 code uint32',
  'flow.VRRP': '1 type uint32, 2 vrid uint32, 3 priority uint32',
  'flow.IGMP': '1 type uint32, 2 group_address string',
  'flow.Tunnel': '1 protocol flow.Tunnel.Protocol, 2 IP flow.IP, 3 l4 flow.Layer4, 4 vni uint32',
  'flow.Endpoint': `1 ID uint32, 2 identity uint32, 3 namespace string, 4 labels string*, 5 pod_name string,
    6 workloads flow.Workload*, 7 cluster_name string`,
  'flow.Workload': '1 name string, 2 kind string',
  'flow.CiliumEventType': '1 type int32, 2 sub_type int32',
  'flow.Service': '1 name string, 2 namespace string',
  'flow.FileInfo': '1 name string, 2 line uint32',
  'flow.IPTraceID': '1 trace_id uint64, 2 ip_option_type uint32',
  'flow.NetworkInterface': '1 index uint32, 2 name string',
  'flow.TraceContext': '1 parent flow.TraceParent',
  'flow.TraceParent': '1 trace_id string',
  'flow.Policy': '1 name string, 2 namespace string, 3 labels string*, 4 revision uint64, 5 kind string',
  'flow.Aggregate': '1 ingress_flow_count uint32, 2 egress_flow_count uint32, 3 unknown_direction_flow_count uint32',
  'flow.Layer7': `1 type flow.L7FlowType, 2 latency_ns uint64, 100 dns flow.DNS (record), 101 http flow.HTTP (record),
    102 kafka flow.Kafka (record)`,
  'flow.DNS': `1 query string, 2 ips string*, 3 ttl uint32, 4 cnames string*, 5 observation_source string,
    6 rcode uint32, 7 qtypes string*, 8 rrtypes string*`,
  'flow.HTTP': '1 code uint32, 2 method string, 3 url string, 4 protocol string, 5 headers flow.HTTPHeader*',
  'flow.HTTPHeader': '1 key string, 2 value string',
  'flow.Kafka': '1 error_code int32, 2 api_version int32, 3 api_key string, 4 correlation_id int32, 5 topic string',
  'flow.LostEvent': `1 source flow.LostEventSource, 2 num_events_lost uint64, 3 cpu google.protobuf.Int32Value,
    4 first google.protobuf.Timestamp, 5 last google.protobuf.Timestamp`,
  'relay.NodeStatusEvent': '1 state_change relay.NodeState, 2 node_names string*, 3 message string',
  'flow.AgentEvent': `1 type flow.AgentEventType, 100 unknown flow.AgentEventUnknown (notification),
    101 agent_start flow.TimeNotification (notification), 102 policy_update flow.PolicyUpdateNotification (notification),
    103 endpoint_regenerate flow.EndpointRegenNotification (notification),
    104 endpoint_update flow.EndpointUpdateNotification (notification),
    105 ipcache_update flow.IPCacheNotification (notification),
    106 service_upsert flow.ServiceUpsertNotification (notification),
    107 service_delete flow.ServiceDeleteNotification (notification)`,
  'flow.AgentEventUnknown': '1 type string, 2 notification string',
  'flow.TimeNotification': '1 time google.protobuf.Timestamp',
  'flow.PolicyUpdateNotification': '1 labels string*, 2 revision uint64, 3 rule_count int64',
  'flow.EndpointRegenNotification': '1 id uint64, 2 labels string*, 3 error string',
  'flow.EndpointUpdateNotification': '1 id uint64, 2 labels string*, 3 error string, 4 pod_name string, 5 namespace string',
  'flow.IPCacheNotification': `1 cidr string, 2 identity uint32, 3 old_identity google.protobuf.UInt32Value, 4 host_ip string,
    5 old_host_ip string, 6 encrypt_key uint32, 7 namespace string, 8 pod_name string`,
  'flow.ServiceUpsertNotificationAddr': '1 ip string, 2 port uint32',
  'flow.ServiceUpsertNotification': `1 id uint32, 2 frontend_address flow.ServiceUpsertNotificationAddr,
    3 backend_addresses flow.ServiceUpsertNotificationAddr*, 4 type string, 5 traffic_policy string, 6 name string,
    7 namespace string, 8 ext_traffic_policy string, 9 int_traffic_policy string`,
  'flow.ServiceDeleteNotification': '1 id uint32',
  'flow.DebugEvent': `1 type flow.DebugEventType, 2 source flow.Endpoint, 3 hash google.protobuf.UInt32Value,
    4 arg1 google.protobuf.UInt32Value, 5 arg2 google.protobuf.UInt32Value, 6 arg3 google.protobuf.UInt32Value,
    7 message string, 8 cpu google.protobuf.Int32Value`,
  'observer.GetFlowsResponse': `1 flow flow.Flow (response_types), 2 node_status relay.NodeStatusEvent (response_types),
    3 lost_events flow.LostEvent (response_types), 1000 node_name string, 1001 time google.protobuf.Timestamp`,
  'observer.ExportEvent': `1 flow flow.Flow (response_types), 2 node_status relay.NodeStatusEvent (response_types),
    3 lost_events flow.LostEvent (response_types), 4 agent_event flow.AgentEvent (response_types),
    5 debug_event flow.DebugEvent (response_types), 1000 node_name string, 1001 time google.protobuf.Timestamp`,
};

function parseField(line: string): SchemaField {
  const match = /^(\d+) (\S+) ([\w.]+)(\*?)(?: \((\w+)\))?$/.exec(line.trim());
  if (match === null) throw new RangeError(`schema line: ${line}`);
  const [, number = '', name = '', type = '', star, oneof] = match;
  const enumeration = ENUMS.find((table) => table.name === type);
  const scalar = SCALARS.includes(type) ? (type as ScalarType) : undefined;
  return {
    number: Number(number),
    name,
    camelName: name.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase()),
    repeated: star === '*',
    oneof,
    scalar,
    enumeration,
    message: scalar === undefined && enumeration === undefined ? type : undefined,
  };
}

/**
 * The Hubble messages we read, by full name: numbers, names and types of flow.proto and observer.proto (hubble note 1
 * and 2.1, cilium v1.19). JSON is transcoded by this table, `proto/` is compared with it, and a check proves that every
 * number of `flow.Flow` has a column or a stated reason.
 */
export const SCHEMA: ReadonlyMap<string, SchemaMessage> = new Map(
  Object.entries(MESSAGES).map(([name, text]) => [name, { name, fields: text.split(',').map(parseField) }]),
);

/** A message of {@link SCHEMA}. Throws for a name it lacks: that is a mistake in our code. */
export function schemaMessage(name: string): SchemaMessage {
  const message = SCHEMA.get(name);
  if (message === undefined) throw new RangeError(`no message ${name} in the schema`);
  return message;
}

/** Enums of {@link SCHEMA}. */
export const SCHEMA_ENUMS = ENUMS;
