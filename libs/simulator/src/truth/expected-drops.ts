import {
  CONNECTION_POINTS,
  type CallRecord,
  type ConnectionPoint,
  type CountedKind,
  type ObservationLine,
} from './call-record.js';
import { edgeKey, edgeOf, hourOf, isIn, type TruthEdge, type Window } from './reporters.js';

/** Dropped or audited packets of one edge and reason. */
export interface ExpectedDrops {
  readonly edge: TruthEdge;
  /** DropReason number; 0 for audited packets. */
  readonly reason: number;
  /** Policy that denied explicitly; empty when there is none. */
  readonly policy: string;
  readonly side: 'client' | 'server';
  /** Events, by weight. */
  count: number;
  firstNs: bigint;
  lastNs: bigint;
}

/** Drops: drop events only, never their policy-verdict twins. */
export function expectedDrops(calls: readonly CallRecord[], window: Window): ExpectedDrops[] {
  return packets(calls, window, 'drop');
}

/** Packets that passed because a policy only audits. */
export function expectedAudited(calls: readonly CallRecord[], window: Window): ExpectedDrops[] {
  return packets(calls, window, 'audit');
}

function packets(calls: readonly CallRecord[], window: Window, kind: CountedKind): ExpectedDrops[] {
  const groups = new Map<string, ExpectedDrops>();
  for (const call of calls) {
    for (const line of call.observations) {
      if (line.kind !== kind || !isIn(window, line)) continue;
      const edge = edgeOf(call);
      const reason = call.denied?.reason ?? 0;
      const policy = call.denied?.policy ?? '';
      const key = `${edgeKey(edge)} ${reason} ${policy} ${line.side}`;
      const group = groups.get(key);
      if (group === undefined)
        groups.set(key, {
          edge,
          reason,
          policy,
          side: line.side,
          count: call.weight,
          firstNs: line.timeNs,
          lastNs: line.timeNs,
        });
      else {
        group.count += call.weight;
        if (line.timeNs < group.firstNs) group.firstNs = line.timeNs;
        if (line.timeNs > group.lastNs) group.lastNs = line.timeNs;
      }
    }
  }
  return [...groups.values()];
}

/** Connections of one edge in one hour, counted at one observation point. */
export interface ExpectedConnections {
  readonly edge: TruthEdge;
  /** Hour since 1970. */
  readonly hour: bigint;
  readonly point: ConnectionPoint;
  count: number;
}

/**
 * Connections by hubble note 5.3: first packets at the best point that reported the edge in that hour, be it only later
 * packets: a first packet that did not get so far was no connection. The choice looks at all calls given, the count at
 * the window.
 */
export function expectedConnections(calls: readonly CallRecord[], window: Window): ExpectedConnections[] {
  const groups = new Map<string, ExpectedConnections>();
  const best = new Map<string, number>();
  const each = (visit: (call: CallRecord, key: string, rank: number, line: ObservationLine) => void) => {
    for (const call of calls) {
      // Connections are of the transport: what is spoken over them does not divide them.
      const key = edgeKey({ ...edgeOf(call), protocol: 'none' });
      for (const line of call.observations) {
        if (!line.emitted || line.point === undefined) continue;
        const rank = CONNECTION_POINTS.indexOf(line.point);
        visit(call, `${key} ${hourOf(line.timeNs)}`, rank, line);
      }
    }
  };
  each((_call, key, rank) => best.set(key, Math.min(rank, best.get(key) ?? rank)));
  each((call, key, rank, line) => {
    const { kind, point, timeNs } = line;
    if (kind !== 'connection' || !isIn(window, line) || rank !== best.get(key) || point === undefined) return;
    const group = groups.get(key);
    if (group !== undefined) group.count += call.weight;
    else {
      const edge: TruthEdge = { ...edgeOf(call), protocol: 'none' };
      groups.set(key, { edge, hour: hourOf(timeNs), point, count: call.weight });
    }
  });
  return [...groups.values()];
}
