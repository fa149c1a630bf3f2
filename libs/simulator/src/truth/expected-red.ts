import type { CallRecord, ObservationLine } from './call-record.js';
import {
  edgeKey,
  edgeOf,
  hourOf,
  isIn,
  serverReportedHours,
  type TruthEdge,
  type Window,
} from './reporters.js';

const SERVER_FAILURE = 2;

/** A latency that several flows share. */
export interface WeightedLatency {
  readonly ns: bigint;
  readonly weight: number;
}

/** The right answer for one edge, or one endpoint of it, in a window. */
export interface ExpectedRed {
  readonly edge: TruthEdge;
  /** `METHOD template`, DNS name or `api_key topic`; empty when grouped by edge alone. */
  readonly endpoint: string;
  /** Answers, by weight. */
  requests: number;
  /** Requests that a proxy refused, by weight. */
  denied: number;
  /** HTTP 5xx and DNS SERVFAIL. */
  faults: number;
  /** Faults, HTTP 4xx, other DNS errors, Kafka errors. */
  failures: number;
  /** Answers whose latency nobody knows. */
  unknownLatency: number;
  /** Known latencies, ascending. */
  readonly latencies: WeightedLatency[];
}

/** Requests, errors and latencies by the counting rules of design section 6; see {@link serverReportedHours}. */
export function expectedRed(
  calls: readonly CallRecord[],
  window: Window,
  by: 'edge' | 'endpoint',
): ExpectedRed[] {
  const serverHours = serverReportedHours(calls);
  const groups = new Map<string, ExpectedRed>();
  for (const call of calls) {
    const edge = edgeOf(call);
    const key = edgeKey(edge);
    const endpoint = by === 'edge' ? '' : (call.endpoint ?? '');
    for (const line of call.observations) {
      if ((line.kind !== 'l7-response' && line.kind !== 'l7-denied') || !isIn(window, line)) continue;
      // What one side denied the other never saw, so every denial counts.
      const twice = line.kind === 'l7-response' && line.side === 'client';
      if (twice && serverHours.has(`${key} ${hourOf(line.timeNs)}`)) continue;
      const group = groups.get(`${key} ${endpoint}`) ?? emptyRed(edge, endpoint);
      groups.set(`${key} ${endpoint}`, group);
      count(group, call, line);
    }
  }
  const all = [...groups.values()];
  for (const group of all) group.latencies.sort((a, b) => (a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0));
  return all;
}

function emptyRed(edge: TruthEdge, endpoint: string): ExpectedRed {
  return {
    edge,
    endpoint,
    requests: 0,
    denied: 0,
    faults: 0,
    failures: 0,
    unknownLatency: 0,
    latencies: [],
  };
}

function count(group: ExpectedRed, call: CallRecord, line: ObservationLine): void {
  const { weight } = call;
  if (line.kind === 'l7-denied') {
    group.denied += weight;
    return;
  }
  group.requests += weight;
  if (isFault(call)) group.faults += weight;
  if (isFailure(call)) group.failures += weight;
  if (line.latencyNs === undefined) group.unknownLatency += weight;
  else group.latencies.push({ ns: line.latencyNs, weight });
}

function isFault(call: CallRecord): boolean {
  return (call.status ?? 0) >= 500 || (call.protocol === 'dns' && call.code === SERVER_FAILURE);
}

function isFailure(call: CallRecord): boolean {
  return (call.status ?? 0) >= 400 || (call.code ?? 0) !== 0;
}
