import type { CallRecord, ObservationLine, TruthParty } from './call-record.js';

const HOUR_NS = 3_600_000_000_000n;

/** A half-open span of time by the nodes' clocks, ns since 1970. */
export interface Window {
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** An edge as the counting rules know it. */
export interface TruthEdge {
  readonly cluster: string;
  readonly client: Pick<TruthParty, 'namespace' | 'workload'>;
  readonly server: Pick<TruthParty, 'namespace' | 'workload'>;
  readonly protocol: CallRecord['protocol'];
  readonly transport: CallRecord['transport'];
  readonly serverPort: number;
}

/** The edge of a call. */
export function edgeOf(call: CallRecord): TruthEdge {
  const { cluster, client, server, protocol, transport, serverPort } = call;
  return {
    cluster,
    client: { namespace: client.namespace, workload: client.workload },
    server: { namespace: server.namespace, workload: server.workload },
    protocol,
    transport,
    serverPort,
  };
}

/** A text that is the same for calls of the same edge. */
export function edgeKey({ cluster, client, server, protocol, transport, serverPort }: TruthEdge): string {
  return [
    cluster,
    client.namespace,
    client.workload,
    server.namespace,
    server.workload,
    protocol,
    transport,
    serverPort,
  ].join(' ');
}

/** Number of the hour since 1970 that a time lies in. */
export function hourOf(timeNs: bigint): bigint {
  return timeNs / HOUR_NS;
}

/** True when a line was emitted within a window. */
export function isIn(window: Window, line: ObservationLine): boolean {
  return line.emitted && line.timeNs >= window.fromNs && line.timeNs < window.toNs;
}

/**
 * Edges and hours in which the server's side reported the application protocol (a response or a refused request):
 * there the client's records of the same calls are not counted (design section 6). Looks at all calls given, whatever
 * the window of the question, so whole hours must be given.
 */
export function serverReportedHours(calls: readonly CallRecord[]): ReadonlySet<string> {
  const hours = new Set<string>();
  for (const call of calls) {
    for (const line of call.observations) {
      const l7 = line.kind === 'l7-response' || line.kind === 'l7-denied';
      if (l7 && line.emitted && line.side === 'server')
        hours.add(`${edgeKey(edgeOf(call))} ${hourOf(line.timeNs)}`);
    }
  }
  return hours;
}
