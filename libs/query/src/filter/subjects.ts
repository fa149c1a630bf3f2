import type { EndpointRecord, FlowRecord } from '../flows/flow-record.js';
import type { LabelledFlow } from '../live/live-flows.js';
import type { EndpointColumn, FilterColumns, FilterSide } from './filter-columns.js';

/** A fact of a flow that tests read: the column that holds it, and how a decoded flow gives it. */
export interface Subject<Value> {
  /** SQL text; undefined when the table at hand lacks it. */
  readonly column: (columns: FilterColumns) => string | undefined;
  readonly read: (flow: LabelledFlow) => Value;
}

/** A whole number with the ClickHouse type that its values are bound as. */
export interface NumberSubject extends Subject<number> {
  readonly type: 'Int16' | 'Int32' | 'UInt8' | 'UInt16' | 'UInt32';
}

function own<Value>(name: string, read: (flow: FlowRecord) => Value): Subject<Value> {
  return { column: (columns) => columns.own(name), read: ({ flow }) => read(flow) };
}

function number(
  name: string,
  type: NumberSubject['type'],
  read: (flow: FlowRecord) => number,
): NumberSubject {
  return { ...own(name, read), type };
}

/** The record of one side. */
export function sideOf(flow: FlowRecord, side: FilterSide): EndpointRecord {
  return side === 'source' ? flow.source : flow.destination;
}

function ofSide<Value>(
  side: FilterSide,
  what: EndpointColumn,
  read: (endpoint: EndpointRecord) => Value,
): Subject<Value> {
  return {
    column: (columns) => columns.endpoint(side, what),
    read: ({ flow }) => read(sideOf(flow, side)),
  };
}

/** `uuid` of a flow that has none, as the column holds it. */
const NO_UUID = '00000000-0000-0000-0000-000000000000';

/** Facts of the flow itself; numbers are those of the columns (`FLOW_FIELDS`). */
export const OWN = {
  uuid: own('uuid', (flow) => flow.uuid ?? NO_UUID),
  cluster: own('cluster', (flow) => flow.cluster),
  node: own('node', (flow) => flow.node),
  sourceIpXlated: own('src_ip_xlated', (flow) => flow.sourceIpXlated),
  interfaceName: own('interface_name', (flow) => flow.interface?.name ?? ''),
  traceId: own('trace_id', (flow) => flow.traceId ?? ''),
  ipTraceId: own('ip_trace_id', (flow) => flow.wire?.ipTraceId ?? 0n),
  dnsQuery: own('dns_query', (flow) => flow.dns?.query ?? ''),
  httpMethod: own('http_method', (flow) => flow.http?.method ?? ''),
  httpUrl: own('http_url', (flow) => flow.http?.url ?? ''),
  interfaceIndex: number('interface_index', 'UInt32', (flow) => flow.interface?.index ?? 0),
  verdict: number('verdict', 'Int16', (flow) => flow.verdict),
  dropReason: number('drop_reason', 'Int16', (flow) => flow.dropReason),
  trafficDirection: number('traffic_direction', 'Int16', (flow) => flow.trafficDirection),
  ipVersion: number('ip_version', 'Int16', (flow) => flow.ipVersion),
  encrypted: number('encrypted', 'UInt8', (flow) =>
    (flow.wire?.encrypted ?? flow.encrypted) === true ? 1 : 0,
  ),
  isReply: number('is_reply', 'UInt8', (flow) => (flow.isReply === null ? 0 : flow.isReply ? 2 : 1)),
  eventType: number('event_type', 'Int32', (flow) => flow.eventType),
  eventSubType: number('event_sub_type', 'Int32', (flow) => flow.eventSubType),
  l4Protocol: number('l4_protocol', 'UInt8', (flow) => flow.l4Protocol),
  l7Kind: number('l7_kind', 'UInt8', (flow) => flow.l7Kind),
  httpCode: number('http_code', 'UInt32', (flow) => flow.http?.code ?? 0),
  serverPort: number('server_port', 'UInt16', (flow) => flow.serverPort),
} as const;

function factsOf(of: FilterSide) {
  return {
    ip: ofSide(of, 'ip', (endpoint) => endpoint.ip),
    pod: ofSide(of, 'pod', (endpoint) => endpoint.pod),
    namespace: ofSide(of, 'namespace', (endpoint) => endpoint.namespace),
    workload: ofSide(of, 'workload', (endpoint) => endpoint.workload),
    workloadKind: ofSide(of, 'workload_kind', (endpoint) => endpoint.workloadKind),
    workloads: ofSide(of, 'workloads', (endpoint) => endpoint.workloads),
    cluster: ofSide(of, 'cluster', (endpoint) => endpoint.cluster),
    names: ofSide(of, 'names', (endpoint) => endpoint.names),
    serviceNamespace: ofSide(of, 'service_namespace', (endpoint) => endpoint.serviceNamespace),
    serviceName: ofSide(of, 'service_name', (endpoint) => endpoint.serviceName),
    identity: {
      ...ofSide(of, 'identity', (endpoint) => endpoint.identity),
      type: 'UInt32',
    } satisfies NumberSubject,
    port: {
      column: (columns) => columns.endpoint(of, 'port'),
      read: ({ flow }) => (of === 'source' ? flow.sourcePort : flow.destinationPort),
      type: 'UInt16',
    } satisfies NumberSubject,
    labels: {
      column: (columns) => columns.endpoint(of, 'label_set'),
      read: (flow) => (of === 'source' ? flow.sourceLabels : flow.destinationLabels),
    } satisfies Subject<readonly string[]>,
  } as const;
}

const SIDES = { source: factsOf('source'), destination: factsOf('destination') } as const;

/** Facts of one side; the same objects every time. */
export function side(of: FilterSide): (typeof SIDES)[FilterSide] {
  return SIDES[of];
}

/** Labels of the observing node. */
export const NODE_LABELS: Subject<readonly string[]> = {
  column: (columns) => columns.own('node_label_set'),
  read: (flow) => flow.nodeLabels,
};
