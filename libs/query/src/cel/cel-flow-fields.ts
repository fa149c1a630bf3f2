import type { FlowRecord } from '../flows/flow-record.js';
import type { LabelledFlow } from '../live/live-flows.js';
import { COLUMN } from './cel-expression.js';
import type {
  CelBool,
  CelExpression,
  CelInt,
  CelMessages,
  CelText,
  CelTexts,
  CelWrapper,
  LabelSide,
} from './cel-expression.js';

function int(sql: string, read: (flow: FlowRecord) => number | bigint): CelInt {
  return { kind: 'int', sql: () => sql, read: ({ flow }) => BigInt(read(flow.flow)), uses: COLUMN };
}

function text(sql: string, read: (flow: FlowRecord) => string): CelText {
  return { kind: 'string', sql: () => sql, read: ({ flow }) => read(flow.flow), uses: COLUMN };
}

function bool(sql: string, read: (flow: FlowRecord) => boolean): CelBool {
  return { kind: 'bool', sql: () => sql, read: ({ flow }) => read(flow.flow), uses: COLUMN };
}

function texts(sql: string, read: (flow: FlowRecord) => readonly string[]): CelTexts {
  return { kind: 'list of strings', sql: () => sql, read: ({ flow }) => read(flow.flow), uses: COLUMN };
}

function labels(side: LabelSide, read: (flow: LabelledFlow) => readonly string[]): CelTexts {
  const uses = { ...COLUMN, columns: false, labels: side };
  return { kind: 'list of strings', sql: () => 'labels', read: ({ flow }) => read(flow), uses };
}

type Fields = Readonly<Record<string, CelExpression>>;

/** The text of an address, as flows show it: '' when there is none. */
function address(column: string, present: string): string {
  const shown = `replaceRegexpOne(IPv6NumToString(${column}), '^::ffff:([0-9.]+)$', '\\\\1')`;
  return `if(${present}, ${shown}, '')`;
}

function workloads(column: string, read: (flow: FlowRecord) => readonly string[]): CelMessages {
  const slash = (element: string) => `position(${element}, '/')`;
  return {
    kind: 'list of messages',
    sql: () => column,
    read: ({ flow }) =>
      read(flow.flow).map((workload) => {
        const at = workload.indexOf('/');
        return { kind: workload.slice(0, Math.max(at, 0)), name: workload.slice(at + 1) };
      }),
    members: {
      kind: (element) => `substring(${element}, 1, greatest(${slash(element)}, 1) - 1)`,
      name: (element) => `substring(${element}, ${slash(element)} + 1)`,
    },
    uses: COLUMN,
  };
}

const headers: CelMessages = {
  kind: 'list of messages',
  sql: () => 'arrayZip(http_header_keys, http_header_values)',
  read: ({ flow }) => (flow.flow.http?.headers ?? []).map(({ key, value }) => ({ key, value })),
  members: {
    key: (element) => `tupleElement(${element}, 1)`,
    value: (element) => `tupleElement(${element}, 2)`,
  },
  uses: COLUMN,
};

function endpoint(name: 'source' | 'destination', column: 'src' | 'dst'): Fields {
  const side = (flow: FlowRecord) => flow[name];
  return {
    [`${name}.ID`]: int(`${column}_endpoint_id`, (flow) => side(flow).endpointId),
    [`${name}.identity`]: int(`${column}_identity`, (flow) => side(flow).identity),
    [`${name}.namespace`]: text(`${column}_namespace`, (flow) => side(flow).namespace),
    [`${name}.labels`]: labels(name, (flow) =>
      name === 'source' ? flow.sourceLabels : flow.destinationLabels,
    ),
    [`${name}.pod_name`]: text(`${column}_pod`, (flow) => side(flow).pod),
    [`${name}.workloads`]: workloads(`${column}_workloads`, (flow) => side(flow).workloads),
    [`${name}.cluster_name`]: text(`${column}_cluster`, (flow) => side(flow).cluster),
    [`${name}_names`]: texts(`${column}_names`, (flow) => side(flow).names),
    [`${name}_service.name`]: text(`${column}_service_name`, (flow) => side(flow).serviceName),
    [`${name}_service.namespace`]: text(`${column}_service_namespace`, (flow) => side(flow).serviceNamespace),
    [`IP.${name}`]: text(
      address(`${column}_ip`, `${column}_ip != toIPv6('::') OR ip_version = 2`),
      (flow) => side(flow).ip ?? '',
    ),
  };
}

const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'];

/** Case `number` of the oneof `l4`: other cases read as protobuf's defaults, so a port of UDP is not one of TCP. */
function ports(name: string, number: number): Fields {
  const port = (column: string, read: (flow: FlowRecord) => number) =>
    int(`if(l4_protocol = ${number}, ${column}, 0)`, (flow) => (flow.l4Protocol === number ? read(flow) : 0));
  return {
    [`l4.${name}.source_port`]: port('src_port', (flow) => flow.sourcePort),
    [`l4.${name}.destination_port`]: port('dst_port', (flow) => flow.destinationPort),
  };
}

function icmp(name: string, number: number): Fields {
  const value = (column: string, read: (flow: FlowRecord) => number | undefined) =>
    int(`if(l4_protocol = ${number}, ${column}, 0)`, (flow) =>
      flow.l4Protocol === number ? (read(flow) ?? 0) : 0,
    );
  return {
    [`l4.${name}.type`]: value('icmp_type', (flow) => flow.icmp?.type),
    [`l4.${name}.code`]: value('icmp_code', (flow) => flow.icmp?.code),
  };
}

const isReply: CelWrapper = {
  kind: 'wrapper',
  sql: () => 'if(is_reply = 0, NULL, is_reply = 2)',
  read: ({ flow }) => flow.flow.isReply,
  uses: { ...COLUMN, fallible: true },
};

const NO_UUID = "toUUID('00000000-0000-0000-0000-000000000000')";

/** Fields of `flow.Flow` by path; what is not here has no column of its own and is refused. */
export const CEL_FIELDS: Fields = {
  uuid: text(`if(uuid = ${NO_UUID}, '', toString(uuid))`, (flow) => flow.uuid ?? ''),
  'emitter.name': text('emitter_name', (flow) => flow.wire?.emitter.name ?? ''),
  'emitter.version': text('emitter_version', (flow) => flow.wire?.emitter.version ?? ''),
  verdict: int('verdict', (flow) => flow.verdict),
  auth_type: int('auth_type', (flow) => flow.authType),
  'ethernet.source': text('ethernet_source', (flow) => flow.wire?.ethernet.source ?? ''),
  'ethernet.destination': text('ethernet_destination', (flow) => flow.wire?.ethernet.destination ?? ''),
  ...endpoint('source', 'src'),
  ...endpoint('destination', 'dst'),
  'IP.source_xlated': text(
    address('src_ip_xlated', "src_ip_xlated != toIPv6('::')"),
    (flow) => flow.sourceIpXlated ?? '',
  ),
  'IP.ipVersion': int('ip_version', (flow) => flow.ipVersion),
  'IP.encrypted': bool('encrypted = 1', (flow) => (flow.wire?.encrypted ?? flow.encrypted) === true),
  ...ports('TCP', 1),
  ...ports('UDP', 2),
  ...ports('SCTP', 5),
  ...icmp('ICMPv4', 3),
  ...icmp('ICMPv6', 4),
  ...Object.fromEntries(
    FLAGS.map((flag, bit) => [
      `l4.TCP.flags.${flag}`,
      bool(`bitTest(tcp_flags, ${bit}) = 1`, (flow) => ((flow.tcpFlags ?? 0) & (1 << bit)) !== 0),
    ]),
  ),
  Type: int('flow_type', (flow) => flow.flowType),
  node_name: text("concat(cluster, '/', node)", (flow) => `${flow.cluster}/${flow.node}`),
  node_labels: labels('node', (flow) => flow.nodeLabels),
  'l7.type': int('l7_type', (flow) => flow.l7Type),
  'l7.latency_ns': int('latency_ns', (flow) => flow.latencyNs ?? 0n),
  'l7.dns.query': text('dns_query', (flow) => flow.dns?.query ?? ''),
  'l7.dns.ips': texts('dns_ips', (flow) => flow.dns?.ips ?? []),
  'l7.dns.ttl': int('dns_ttl', (flow) => flow.dns?.ttl ?? 0),
  'l7.dns.cnames': texts('dns_cnames', (flow) => flow.dns?.cnames ?? []),
  'l7.dns.observation_source': text('dns_observation_source', (flow) => flow.dns?.observationSource ?? ''),
  'l7.dns.rcode': int('dns_rcode', (flow) => flow.dns?.rcode ?? 0),
  'l7.dns.qtypes': texts('dns_qtypes', (flow) => flow.dns?.qtypes ?? []),
  'l7.dns.rrtypes': texts('dns_rrtypes', (flow) => flow.dns?.rrtypes ?? []),
  'l7.http.code': int('http_code', (flow) => flow.http?.code ?? 0),
  'l7.http.method': text('http_method', (flow) => flow.http?.method ?? ''),
  'l7.http.url': text('http_url', (flow) => flow.http?.url ?? ''),
  'l7.http.protocol': text('http_protocol', (flow) => flow.http?.protocol ?? ''),
  'l7.http.headers': headers,
  'l7.kafka.error_code': int('kafka_error_code', (flow) => flow.kafka?.errorCode ?? 0),
  'l7.kafka.api_version': int('kafka_api_version', (flow) => flow.kafka?.apiVersion ?? 0),
  'l7.kafka.api_key': text('kafka_api_key', (flow) => flow.kafka?.apiKey ?? ''),
  'l7.kafka.correlation_id': int('kafka_correlation_id', (flow) => flow.kafka?.correlationId ?? 0),
  'l7.kafka.topic': text('kafka_topic', (flow) => flow.kafka?.topic ?? ''),
  is_reply: isReply,
  reply: bool('is_reply = 2', (flow) => flow.isReply === true),
  'event_type.type': int('if(event_type = -1, 0, event_type)', (flow) =>
    flow.eventType === -1 ? 0 : flow.eventType,
  ),
  'event_type.sub_type': int('event_sub_type', (flow) => flow.eventSubType),
  traffic_direction: int('traffic_direction', (flow) => flow.trafficDirection),
  policy_match_type: int('policy_match_type', (flow) => flow.policyMatchType),
  trace_observation_point: int('trace_observation_point', (flow) => flow.traceObservationPoint),
  trace_reason: int('trace_reason', (flow) => flow.traceReason),
  'file.name': text('file_name', (flow) => flow.file?.name ?? ''),
  'file.line': int("if(file_name = '', 0, file_line)", (flow) => flow.file?.line ?? 0),
  'ip_trace_id.trace_id': int('ip_trace_id', (flow) => flow.wire?.ipTraceId ?? 0n),
  'ip_trace_id.ip_option_type': int('ip_option_type', (flow) => flow.wire?.ipOptionType ?? 0),
  drop_reason_desc: int('drop_reason', (flow) => flow.dropReason),
  drop_reason: int('drop_reason', (flow) => flow.dropReason),
  debug_capture_point: int('debug_capture_point', (flow) => flow.wire?.debugCapturePoint ?? 0),
  'interface.index': int('interface_index', (flow) => flow.interface?.index ?? 0),
  'interface.name': text('interface_name', (flow) => flow.interface?.name ?? ''),
  proxy_port: int('proxy_port', (flow) => flow.proxyPort),
  'trace_context.parent.trace_id': text('trace_id', (flow) => flow.traceId ?? ''),
  sock_xlate_point: int('sock_xlate_point', (flow) => flow.wire?.sockXlatePoint ?? 0),
  socket_cookie: int('socket_cookie', (flow) => flow.wire?.socketCookie ?? 0n),
  cgroup_id: int('cgroup_id', (flow) => flow.wire?.cgroupId ?? 0n),
  policy_log: texts('policy_log', (flow) => flow.policyLog),
};

/** `has()` of a message that a column tells present from absent. */
export const CEL_PRESENT: Readonly<Record<string, CelBool>> = {
  l4: bool('l4_protocol != 0', (flow) => flow.l4Protocol !== 0),
  ...Object.fromEntries(
    ['TCP', 'UDP', 'ICMPv4', 'ICMPv6', 'SCTP', 'VRRP', 'IGMP'].map((name, index) => [
      `l4.${name}`,
      bool(`l4_protocol = ${index + 1}`, (flow) => flow.l4Protocol === index + 1),
    ]),
  ),
  'l4.TCP.flags': bool('bitTest(tcp_flags, 9) = 1', (flow) => flow.tcpFlags !== null),
  l7: bool('l7_kind != 0', (flow) => flow.l7Kind !== 0),
  ...Object.fromEntries(
    ['dns', 'http', 'kafka'].map((name, index) => [
      `l7.${name}`,
      bool(`l7_kind = ${index + 1}`, (flow) => flow.l7Kind === index + 1),
    ]),
  ),
  event_type: bool('event_type != -1', (flow) => flow.eventType !== -1),
  is_reply: bool('is_reply != 0', (flow) => flow.isReply !== null),
};
