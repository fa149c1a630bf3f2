import { weightOfFlow, type Line } from './record-truth.js';
import { timeNs } from './scenarios.js';

/** What `namespaces` must say, by `cluster/namespace`. */
export function namespacesOf(
  lines: readonly Line[],
): ReadonlyMap<string, { flows: number; drops: number; lastNs: bigint }> {
  const found = new Map<string, { flows: number; drops: number; lastNs: bigint }>();
  for (const { flow, node, timeNs: at } of lines) {
    if (flow === undefined) continue;
    const names = new Set([flow.source?.namespace, flow.destination?.namespace]);
    for (const name of names) {
      if (name === undefined) continue;
      const key = `${node.slice(0, node.indexOf('/'))}/${name}`;
      const sum = found.get(key) ?? { flows: 0, drops: 0, lastNs: 0n };
      const weight = weightOfFlow(flow);
      found.set(key, {
        flows: sum.flows + weight,
        drops: sum.drops + (flow.event_type.type === 1 ? weight : 0),
        lastNs: at > sum.lastNs ? at : sum.lastNs,
      });
    }
  }
  return found;
}

/** What `nodes` must say, by `cluster/node`: records, lost events, and the last thing heard of it. */
export function nodesOf(
  lines: readonly Line[],
): ReadonlyMap<string, { records: number; lost: number; lastNs: bigint }> {
  const found = new Map<string, { records: number; lost: number; lastNs: bigint }>();
  for (const line of lines) {
    // A relay speaks about nodes; it is none.
    if (line.node_status !== undefined) continue;
    const sum = found.get(line.node) ?? { records: 0, lost: 0, lastNs: 0n };
    found.set(line.node, {
      records: sum.records + (line.flow === undefined ? 0 : 1),
      lost: sum.lost + Number(line.lost_events?.num_events_lost ?? 0),
      lastNs: line.timeNs > sum.lastNs ? line.timeNs : sum.lastNs,
    });
  }
  return found;
}

/** A stretch in which a node could not be reached, as its relay told it; `toNs` undefined = not back yet. */
export interface Outage {
  readonly node: string;
  readonly fromNs: bigint;
  readonly toNs: bigint | undefined;
}

/** Outages from the relay's own words. */
export function outagesOf(lines: readonly Line[]): readonly Outage[] {
  const open = new Map<string, bigint>();
  const outages: Outage[] = [];
  for (const { node_status: status, timeNs: at } of lines) {
    for (const node of status?.node_names ?? []) {
      const since = open.get(node);
      if (status?.state_change === 'NODE_UNAVAILABLE') open.set(node, since ?? at);
      else if (since !== undefined) {
        open.delete(node);
        outages.push({ node, fromNs: since, toNs: at });
      }
    }
  }
  return [...outages, ...[...open].map(([node, fromNs]) => ({ node, fromNs, toNs: undefined }))];
}

/** First and last loss, ns, of every lost-events message. */
export function lossesOf(
  lines: readonly Line[],
): readonly { node: string; count: number; firstNs: bigint; lastNs: bigint }[] {
  return lines.flatMap(({ node, lost_events: lost }) =>
    lost === undefined
      ? []
      : [
          {
            node,
            count: Number(lost.num_events_lost),
            firstNs: timeNs(lost.first),
            lastNs: timeNs(lost.last),
          },
        ],
  );
}
