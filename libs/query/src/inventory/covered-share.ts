import type { RedStats } from '../red/read-red.js';
import { ceilTo, floorTo, MINUTE_NS } from '../window.js';
import type { Window } from '../window.js';
import type { CoverageFacts, Gap } from './read-coverage.js';

/** Row of `planNamespaceNodes`. */
export interface NamespaceNodesRow {
  /** `cluster/node`. */
  readonly node_names: readonly string[];
  readonly unheard_pods: string;
}

/**
 * The nodes that a namespace's coverage is about. Null = all of them: nothing of the namespace was seen, or one of its pods
 * was seen from other nodes only, so it ran on a node that we did not hear and cannot name.
 */
export function readNamespaceNodes(rows: readonly NamespaceNodesRow[]): readonly string[] | null {
  const [row] = rows;
  if (row === undefined || row.node_names.length === 0 || row.unheard_pods !== '0') return null;
  return row.node_names.toSorted();
}

/** Row of `planSampledShare`. */
export interface SampledRow {
  readonly flow_count: string;
  readonly record_count: string;
}

/** Share of flows that have no record of their own, 0 when each has one; null when the window holds no flow. */
export function readSampledShare(rows: readonly SampledRow[]): number | null {
  const [flows, records] = [Number(rows[0]?.flow_count ?? 0), Number(rows[0]?.record_count ?? 0)];
  return flows === 0 ? null : Math.max(0, 1 - records / flows);
}

/** A lost event has a moment, but what it stands for may lie anywhere around it: losses count in whole minutes. */
function stretchOf(gap: Gap): Window {
  if (gap.cause !== 'RING_BUFFER_LOST') return gap;
  return { fromNs: floorTo(gap.fromNs, MINUTE_NS), toNs: ceilTo(gap.toNs, MINUTE_NS) };
}

/** Length of what stretches cover of a window together, ns. */
function covered(stretches: readonly Window[], window: Window): bigint {
  let [total, reached] = [0n, window.fromNs];
  for (const { fromNs, toNs } of stretches.toSorted((a, b) => (a.fromNs < b.fromNs ? -1 : 1))) {
    const from = fromNs > reached ? fromNs : reached;
    const to = toNs < window.toNs ? toNs : window.toNs;
    if (to <= from) continue;
    total += to - from;
    reached = to;
  }
  return total;
}

/**
 * Share of the window's node time that no gap touches, 0..1: every node that was expected, that reported or that has a gap
 * counts alike, a gap without a node is one of all. Of a window that reaches past now, what has happened. Null for a
 * window that lies ahead.
 */
export function coveredShare(facts: CoverageFacts, nowNs: bigint): number | null {
  const { fromNs } = facts.window;
  const toNs = facts.window.toNs < nowNs ? facts.window.toNs : nowNs;
  if (toNs <= fromNs) return null;
  const window = { fromNs, toNs };
  const everywhere = facts.gaps.filter((gap) => gap.node === null).map(stretchOf);
  const byNode = new Map<string, Window[]>();
  for (const gap of facts.gaps) {
    if (gap.node === null) continue;
    const key = `${gap.cluster}/${gap.node}`;
    byNode.set(key, [...(byNode.get(key) ?? []), stretchOf(gap)]);
  }
  const nodes = Math.max(1, facts.nodesExpected ?? 0, facts.nodesReporting, byNode.size);
  const touched = [...byNode.values()].reduce(
    (sum, stretches) => sum + covered([...everywhere, ...stretches], window),
    covered(everywhere, window) * BigInt(nodes - byNode.size),
  );
  return 1 - Number(touched) / (Number(toNs - fromNs) * nodes);
}

/**
 * How far numbers about calls may be believed, 0..1: the product of the share of node time that no gap touches, the share
 * of flows with a record of their own, and the share of HTTP answers with a known duration (DNS and Kafka have none by
 * nature, so they do not lower it). 1 = everything was heard, one by one, and timed. Null when there were no answers or a
 * share is unknown.
 */
export function redConfidence(
  stats: Pick<RedStats, 'requests' | 'knownLatencyShare'>,
  coveredPart: number | null,
  sampledShare: number | null,
): number | null {
  if (stats.requests === 0n || coveredPart === null || sampledShare === null) return null;
  return coveredPart * (1 - sampledShare) * (stats.knownLatencyShare ?? 1);
}
