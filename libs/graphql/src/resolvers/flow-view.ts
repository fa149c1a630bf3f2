import {
  DNS_RCODE,
  enumName,
  EVENT_TYPE,
  FLOW_TYPE,
  L4_PROTOCOL,
  VERDICT,
  type EnumTable,
} from '@flowledger/model';
import {
  dropReasonText,
  flowSummary,
  type EndpointRecord,
  type FlowRecord,
  type PolicyRef,
} from '@flowledger/query';

/** `OpenEnum` of the schema. */
export interface OpenEnumView {
  readonly number: number;
  readonly name: string | null;
  readonly text: string;
}

/** `Endpoint` of the schema; `labels` are looked up when asked for, and so is what the flow does not say of `workload` and `service`. */
export interface EndpointView {
  readonly ip: string | null;
  readonly identity: number | null;
  readonly namespace: string | null;
  readonly podName: string | null;
  readonly workload: { readonly kind: string; readonly name: string; readonly inferred: boolean } | null;
  readonly service: { readonly namespace: string; readonly name: string; readonly inferred: boolean } | null;
  readonly labelSet: string;
  readonly names: readonly string[];
  /** The flow and the side that this is, for what is looked up. */
  readonly flow: FlowRecord;
  readonly record: EndpointRecord;
}

/** `Flow` of the schema. */
export type FlowView = ReturnType<typeof flowView>;

const DIRECTIONS = ['UNKNOWN', 'INGRESS', 'EGRESS'] as const;
const TIME_QUALITIES = ['ok', 'future', 'ancient', 'absent', 'invalid'];
const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'];
const PORTS = new Set([1, 2, 5]);
const RESPONSE = 2;

/** The schema's form of a flow; `policies` are looked up from `record` when asked for. Pure; unknown is null, numbers of enums that we do not know stay visible. */
export function flowView(flow: FlowRecord) {
  const source = endpointView(flow, flow.source);
  const destination = endpointView(flow, flow.destination);
  return {
    id: flow.id,
    uuid: flow.uuid,
    time: flow.timeNs,
    clusterName: flow.cluster,
    nodeName: flow.node,
    verdict: VERDICT.names[flow.verdict] ?? 'UNRECOGNIZED',
    type: enumName(FLOW_TYPE, flow.flowType),
    eventType: openEnum(EVENT_TYPE, flow.eventType, flow.eventType < 0 ? 'none' : undefined),
    eventSubType: flow.eventType < 0 ? null : flow.eventSubType,
    source,
    destination,
    ...parties(flow, source, destination),
    isReply: flow.isReply,
    trafficDirection: DIRECTIONS[flow.trafficDirection] ?? 'UNKNOWN',
    ...packetView(flow),
    ...layer7View(flow),
    latencyMs: flow.latencyNs === null ? null : Number(flow.latencyNs) / 1e6,
    record: flow,
    traceId: flow.traceId,
    summary: flowSummary(flow),
    weight: flow.weight,
    timeQuality: TIME_QUALITIES[flow.timeQuality] ?? 'invalid',
  };
}

function parties(flow: FlowRecord, source: EndpointView, destination: EndpointView) {
  if (flow.client === null) return { client: null, server: null };
  return flow.client === 'source'
    ? { client: source, server: destination }
    : { client: destination, server: source };
}

function packetView(flow: FlowRecord) {
  const { tcpFlags } = flow;
  const port = (value: number): number | null => (PORTS.has(flow.l4Protocol) ? value : null);
  return {
    dropReason: flow.dropReason === 0 ? null : dropReasonView(flow.dropReason),
    protocol: flow.l4Protocol === 0 ? null : enumName(L4_PROTOCOL, flow.l4Protocol),
    sourcePort: port(flow.sourcePort),
    destinationPort: port(flow.destinationPort),
    tcpFlags: tcpFlags === null ? null : FLAGS.filter((_name, bit) => (tcpFlags & (1 << bit)) !== 0),
    encrypted: flow.encrypted,
    interface: flow.interface === null ? null : flow.interface.name || String(flow.interface.index),
  };
}

function layer7View({ http, dns, kafka, l7Type }: FlowRecord) {
  return {
    http:
      http === null
        ? null
        : {
            method: http.method,
            url: http.url,
            pathTemplate: http.pathTemplate,
            code: http.code === 0 ? null : http.code,
            protocol: http.protocol,
          },
    dns:
      dns === null
        ? null
        : {
            query: dns.query,
            rcode: l7Type === RESPONSE ? openEnum(DNS_RCODE, dns.rcode) : null,
            qtypes: dns.qtypes,
            ips: dns.ips,
          },
    kafka:
      kafka === null
        ? null
        : {
            apiKey: kafka.apiKey,
            topic: kafka.topic,
            errorCode: l7Type === RESPONSE ? kafkaError(kafka.errorCode) : null,
          },
  };
}

function endpointView(flow: FlowRecord, end: EndpointRecord): EndpointView {
  return {
    ip: end.ip,
    identity: end.identity === 0 ? null : end.identity,
    namespace: end.namespace || null,
    podName: end.pod || null,
    workload: workloadView(end),
    service:
      end.serviceName === ''
        ? null
        : { namespace: end.serviceNamespace, name: end.serviceName, inferred: false },
    labelSet: end.labelSet,
    names: end.names,
    flow,
    record: end,
  };
}

/** As sent, if anything was sent: of several the one that bears the canonical name. Else the canonical workload, a guess. */
function workloadView({ workload, workloadKind, workloads }: EndpointRecord): EndpointView['workload'] {
  const sent = workloads.map((text) => {
    const slash = text.indexOf('/');
    return { kind: text.slice(0, slash), name: text.slice(slash + 1), inferred: false };
  });
  const [first] = sent;
  if (first !== undefined) return sent.find(({ name }) => name === workload) ?? first;
  return workload === '' ? null : { kind: workloadKind, name: workload, inferred: true };
}

/** `PolicyRef` of the schema. */
export function policyView(policy: PolicyRef) {
  return {
    kind: policy.kind,
    namespace: policy.namespace || null,
    name: policy.name,
    revision: policy.revision === '0' ? null : BigInt(policy.revision),
    effect: policy.effect,
  };
}

function openEnum(table: EnumTable, number: number, text?: string): OpenEnumView {
  return { number, name: table.names[number] ?? null, text: text ?? enumName(table, number) };
}

/** `OpenEnum` of a drop reason. */
export function dropReasonView(reason: number): OpenEnumView {
  const { number, name, text } = dropReasonText(reason);
  return { number, name, text };
}

/** Kafka's error codes are its own protocol's; 0 and -1 are the two that mean the same everywhere. */
function kafkaError(number: number): OpenEnumView {
  const name = number === 0 ? 'NONE' : number === -1 ? 'UNKNOWN_SERVER_ERROR' : null;
  return { number, name, text: name ?? `Kafka error ${number}` };
}
