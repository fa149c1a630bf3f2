/** An open protobuf enum: the numbers we know by name. Numbers outside it are kept as they are (hubble note, trap 6). */
export interface EnumTable {
  /** Full proto name, for example `flow.Verdict`. */
  readonly name: string;
  readonly names: Readonly<Record<number, string>>;
}

/** Name of a number, `UNKNOWN_<n>` for one that the table does not have. */
export function enumName(table: EnumTable, number: number): string {
  return table.names[number] ?? `UNKNOWN_${number}`;
}

/** Number of a name, or of the `UNKNOWN_<n>` form; undefined for any other text. */
export function enumNumber(table: EnumTable, name: string): number | undefined {
  for (const [number, known] of Object.entries(table.names)) if (known === name) return Number(number);
  const unknown = /^UNKNOWN_(-?\d{1,10})$/.exec(name);
  return unknown === null ? undefined : Number(unknown[1]);
}

/** What happened to the packet or request. */
// prettier-ignore
export const VERDICT: EnumTable = { name: 'flow.Verdict', names: { 0: 'VERDICT_UNKNOWN', 1: 'FORWARDED', 2: 'DROPPED', 3: 'ERROR', 4: 'AUDIT', 5: 'REDIRECTED', 6: 'TRACED', 7: 'TRANSLATED' } };

/** Kind of flow. */
// prettier-ignore
export const FLOW_TYPE: EnumTable = { name: 'flow.FlowType', names: { 0: 'UNKNOWN_TYPE', 1: 'L3_L4', 2: 'L7', 3: 'SOCK' } };

/** Mutual authentication of a policy verdict. */
// prettier-ignore
export const AUTH_TYPE: EnumTable = { name: 'flow.AuthType', names: { 0: 'DISABLED', 1: 'SPIRE', 2: 'TEST_ALWAYS_FAIL' } };

/** Where a trace event was taken; the datapath's 0 (to-endpoint) arrives as 101. */
// prettier-ignore
export const TRACE_OBSERVATION_POINT: EnumTable = { name: 'flow.TraceObservationPoint', names: { 0: 'UNKNOWN_POINT', 1: 'TO_PROXY', 2: 'TO_HOST', 3: 'TO_STACK', 4: 'TO_OVERLAY', 5: 'FROM_ENDPOINT', 6: 'FROM_PROXY', 7: 'FROM_HOST', 8: 'FROM_STACK', 9: 'FROM_OVERLAY', 10: 'FROM_NETWORK', 11: 'TO_NETWORK', 12: 'FROM_CRYPTO', 13: 'TO_CRYPTO', 101: 'TO_ENDPOINT' } };

/** Conntrack result of a trace event. */
// prettier-ignore
export const TRACE_REASON: EnumTable = { name: 'flow.TraceReason', names: { 0: 'TRACE_REASON_UNKNOWN', 1: 'NEW', 2: 'ESTABLISHED', 3: 'REPLY', 4: 'RELATED', 5: 'REOPENED', 6: 'SRV6_ENCAP', 7: 'SRV6_DECAP', 8: 'ENCRYPT_OVERLAY' } };

/** Direction of the connection at the local endpoint. */
// prettier-ignore
export const TRAFFIC_DIRECTION: EnumTable = { name: 'flow.TrafficDirection', names: { 0: 'TRAFFIC_DIRECTION_UNKNOWN', 1: 'INGRESS', 2: 'EGRESS' } };

/** Request, response or sample. */
// prettier-ignore
export const L7_FLOW_TYPE: EnumTable = { name: 'flow.L7FlowType', names: { 0: 'UNKNOWN_L7_TYPE', 1: 'REQUEST', 2: 'RESPONSE', 3: 'SAMPLE' } };

/** IP family. */
// prettier-ignore
export const IP_VERSION: EnumTable = { name: 'flow.IPVersion', names: { 0: 'IP_NOT_USED', 1: 'IPv4', 2: 'IPv6' } };

/** Which buffer lost events. */
// prettier-ignore
export const LOST_EVENT_SOURCE: EnumTable = { name: 'flow.LostEventSource', names: { 0: 'UNKNOWN_LOST_EVENT_SOURCE', 1: 'PERF_EVENT_RING_BUFFER', 2: 'OBSERVER_EVENTS_QUEUE', 3: 'HUBBLE_RING_BUFFER' } };

/** First chunk of an SCTP packet, where the agent (newer than 1.19) reads it; others are UNSUPPORTED. */
// prettier-ignore
export const SCTP_CHUNK_TYPE: EnumTable = { name: 'flow.SCTPChunkType', names: { 0: 'UNSUPPORTED', 1: 'INIT', 2: 'INIT_ACK', 3: 'SHUTDOWN', 4: 'SHUTDOWN_ACK', 5: 'SHUTDOWN_COMPLETE', 6: 'ABORT' } };

/** Where socket load balancing was seen. */
// prettier-ignore
export const SOCKET_TRANSLATION_POINT: EnumTable = { name: 'flow.SocketTranslationPoint', names: { 0: 'SOCK_XLATE_POINT_UNKNOWN', 1: 'SOCK_XLATE_POINT_PRE_DIRECTION_FWD', 2: 'SOCK_XLATE_POINT_POST_DIRECTION_FWD', 3: 'SOCK_XLATE_POINT_PRE_DIRECTION_REV', 4: 'SOCK_XLATE_POINT_POST_DIRECTION_REV' } };

/** Where a capture was taken. */
// prettier-ignore
export const DEBUG_CAPTURE_POINT: EnumTable = { name: 'flow.DebugCapturePoint', names: { 0: 'DBG_CAPTURE_POINT_UNKNOWN', 4: 'DBG_CAPTURE_DELIVERY', 5: 'DBG_CAPTURE_FROM_LB', 6: 'DBG_CAPTURE_AFTER_V46', 7: 'DBG_CAPTURE_AFTER_V64', 8: 'DBG_CAPTURE_PROXY_PRE', 9: 'DBG_CAPTURE_PROXY_POST', 10: 'DBG_CAPTURE_SNAT_PRE', 11: 'DBG_CAPTURE_SNAT_POST' } };

/** Kind of agent event; other numbers than the monitor's own (hubble note, trap 14). */
// prettier-ignore
export const AGENT_EVENT_TYPE: EnumTable = { name: 'flow.AgentEventType', names: { 0: 'AGENT_EVENT_UNKNOWN', 2: 'AGENT_STARTED', 3: 'POLICY_UPDATED', 4: 'POLICY_DELETED', 5: 'ENDPOINT_REGENERATE_SUCCESS', 6: 'ENDPOINT_REGENERATE_FAILURE', 7: 'ENDPOINT_CREATED', 8: 'ENDPOINT_DELETED', 9: 'IPCACHE_UPSERTED', 10: 'IPCACHE_DELETED', 11: 'SERVICE_UPSERTED', 12: 'SERVICE_DELETED' } };

/** Node state of a node status event. */
// prettier-ignore
export const NODE_STATE: EnumTable = { name: 'relay.NodeState', names: { 0: 'UNKNOWN_NODE_STATE', 1: 'NODE_CONNECTED', 2: 'NODE_UNAVAILABLE', 3: 'NODE_GONE', 4: 'NODE_ERROR' } };

/** Encapsulation of a tunnelled packet. */
// prettier-ignore
export const TUNNEL_PROTOCOL: EnumTable = { name: 'flow.Tunnel.Protocol', names: { 0: 'UNKNOWN', 1: 'VXLAN', 2: 'GENEVE' } };

/** Layer-4 protocol by case number of the `Layer4` oneof, as in the column `l4_protocol`; an own numbering, not IANA's. */
// prettier-ignore
export const L4_PROTOCOL: EnumTable = { name: 'flow.Layer4', names: { 0: 'NONE', 1: 'TCP', 2: 'UDP', 3: 'ICMPv4', 4: 'ICMPv6', 5: 'SCTP', 6: 'VRRP', 7: 'IGMP' } };

/** Names of `CiliumEventType.type` as the hubble CLI shows them (monitor message types). */
// prettier-ignore
export const EVENT_TYPE: EnumTable = { name: 'monitor.MessageType', names: { 1: 'drop', 2: 'debug', 3: 'capture', 4: 'trace', 5: 'policy-verdict', 7: 'trace-sock', 129: 'l7', 130: 'agent' } };

/** Numeric security identities that mean the same in every cluster. */
// prettier-ignore
export const RESERVED_IDENTITY: EnumTable = { name: 'identity.Reserved', names: { 0: 'unknown', 1: 'host', 2: 'world', 3: 'unmanaged', 4: 'health', 5: 'init', 6: 'remote-node', 7: 'kube-apiserver', 8: 'ingress', 9: 'world-ipv4', 10: 'world-ipv6', 11: 'overlay-to-encrypt' } };

/** DNS response codes (RFC 1035, 2136, 6895). */
// prettier-ignore
export const DNS_RCODE: EnumTable = { name: 'dns.RCode', names: { 0: 'NoError', 1: 'FormErr', 2: 'ServFail', 3: 'NXDomain', 4: 'NotImp', 5: 'Refused', 6: 'YXDomain', 7: 'YXRRSet', 8: 'NXRRSet', 9: 'NotAuth', 10: 'NotZone' } };

/** Sub types of trace events as Hubble's tools write them, at the place of their number (monitor API, observation point). */
export const TRACE_POINTS: readonly string[] = [
  'to-endpoint',
  'to-proxy',
  'to-host',
  'to-stack',
  'to-overlay',
  'from-endpoint',
  'from-proxy',
  'from-host',
  'from-stack',
  'from-overlay',
  'from-network',
  'to-network',
  'from-crypto',
  'to-crypto',
];
