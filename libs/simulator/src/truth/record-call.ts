import {
  DIRECTION,
  EVENT,
  L7,
  POINT,
  REASON,
  REPLY,
  VERDICT,
  type Observation,
} from '../observe/observation.js';
import type { Cluster } from '../topology/cluster.js';
import type { Party } from '../topology/party.js';
import type { Call } from '../traffic/call.js';
import type { CallRecord, ConnectionPoint, CountedKind, ObservationLine, TruthParty } from './call-record.js';

/** Writes down a call that was decided. `lines` is filled later by what is observed of it. */
export function recordCall(call: Call, cluster: Cluster, lines: ObservationLine[]): CallRecord {
  const { edge, denial, service, retryOf } = call;
  const base = BigInt(call.slot) * 1_000_000_000n;
  return {
    id: idOf(call),
    timeNs: base + BigInt(Math.round(call.startNs)),
    cluster: cluster.name,
    client: partyOf(call.client, cluster),
    server: partyOf(call.server, cluster),
    serverPort: edge.port,
    transport: edge.transport,
    protocol: edge.protocol,
    audited: call.audited,
    newConnection: call.newConnection,
    attempt: call.attempt,
    l7ReportedBy: edge.reportedBy,
    weight: call.weight,
    observations: lines,
    ...requestOf(call),
    ...answerOf(call),
    ...(service === undefined ? {} : { service: `${service.namespace}/${service.name}` }),
    ...(retryOf === undefined ? {} : { retryOf: idOf(retryOf) }),
    ...(call.traceId === '' ? {} : { traceId: call.traceId }),
    ...(denial === undefined ? {} : { denied: deniedOf(denial) }),
  };
}

function deniedOf({
  kind,
  reason,
  side,
  policy,
}: NonNullable<Call['denial']>): NonNullable<CallRecord['denied']> {
  return { kind, reason, side, ...(policy === undefined ? {} : { policy }) };
}

function idOf(call: Call): string {
  return `${call.slot}.${call.index}`;
}

function partyOf(party: Party, cluster: Cluster): TruthParty {
  return {
    namespace: party.namespace,
    workload: party.workload,
    kind: party.workloadKind,
    pod: party.pod,
    node: cluster.nodes[party.node]?.absoluteName ?? '',
    ip: party.ip,
  };
}

function requestOf({ request }: Call): Partial<CallRecord> {
  if (request?.kind === 'http') {
    const { method, target: path, template: pathTemplate } = request;
    return { method, path, pathTemplate, endpoint: `${method} ${pathTemplate}` };
  }
  if (request?.kind === 'dns')
    return { query: request.name, queryType: request.type, endpoint: request.name.slice(0, -1) };
  if (request === undefined) return {};
  return { topic: request.topic, endpoint: `${request.apiKey} ${request.topic}` };
}

function answerOf(call: Call): Partial<CallRecord> {
  const { kind } = call.request ?? {};
  if (call.unanswered || (call.denial !== undefined && call.status === 0)) return {};
  const latencyNs = BigInt(Math.round(call.clientResponseNs - call.clientRequestNs));
  if (kind === 'http') return { latencyNs, status: call.status };
  return kind === undefined ? { latencyNs } : { latencyNs, code: call.status };
}

/** The line of an observation that the counting rules look at; undefined for the others. */
export function lineOf(seen: Observation, cluster: Cluster): ObservationLine | undefined {
  const counted = countedKind(seen);
  if (counted === undefined) return undefined;
  const { kind, point } = counted;
  return {
    kind,
    side: seen.side ?? seen.call.denial?.side ?? 'client',
    node: cluster.node(seen.node).absoluteName,
    timeNs: BigInt(seen.second) * 1_000_000_000n + BigInt(seen.nanos),
    emitted: false,
    ...(kind === 'l7-response' && seen.latencyNs > 0 ? { latencyNs: BigInt(seen.latencyNs) } : {}),
    ...(point === undefined ? {} : { point }),
  };
}

function countedKind(seen: Observation): { kind: CountedKind; point?: ConnectionPoint } | undefined {
  if (seen.type === EVENT.drop) return { kind: 'drop' };
  if (seen.type === EVENT.l7) {
    if (seen.l7 === L7.response) return { kind: 'l7-response' };
    return seen.verdict === VERDICT.dropped ? { kind: 'l7-denied' } : undefined;
  }
  if (seen.type === EVENT.verdict) {
    if (seen.verdict === VERDICT.dropped) return { kind: 'denied-verdict' };
    return seen.verdict === VERDICT.audit ? { kind: 'audit' } : undefined;
  }
  if (seen.type !== EVENT.trace || seen.reply !== REPLY.no) return undefined;
  const point = connectionPoint(seen);
  if (point === undefined) return undefined;
  return { kind: seen.reason === REASON.new ? 'connection' : 'established', point };
}

function connectionPoint(seen: Observation): ConnectionPoint | undefined {
  if (seen.direction === DIRECTION.ingress)
    return seen.point === POINT.toEndpoint ? 'to-endpoint' : undefined;
  if (seen.direction !== DIRECTION.egress) return undefined;
  if (seen.point === POINT.toStack) return 'to-stack';
  if (seen.point === POINT.toOverlay) return 'to-overlay';
  return seen.point === POINT.toNetwork ? 'to-network' : undefined;
}
