import type { Observation } from '../observe/observation.js';
import { hash32, Random } from '../random.js';

/** `LostEventSource` numbers: perf ring, observer queue, Hubble ring. */
export type LossSource = 1 | 2 | 3;

/** Records of one node that were lost together. */
export interface Loss {
  readonly node: number;
  readonly source: LossSource;
  readonly count: number;
  /** CPU of a perf ring; undefined for the other sources. */
  readonly cpu: number | undefined;
  readonly firstNanos: number;
  readonly lastNanos: number;
  /** When the agent says so, ns in the same second. */
  readonly reportNanos: number;
}

const CPUS = 4;

/**
 * Loses a part of one second's records at some nodes. `seen` is everything observed in that second by the nodes' clocks,
 * in order; what is lost is marked. Pure but for the marks: (seed, second) decide.
 */
export function loseEvents(
  seed: number,
  second: number,
  nodes: number,
  chance: number,
  seen: readonly Observation[],
): Loss[] {
  const losses: Loss[] = [];
  if (chance === 0) return losses;
  for (let node = 0; node < nodes; node++) {
    const random = new Random(seed, second, 1000 + node);
    if (!random.chance(chance)) continue;
    const from = random.below(600_000_000);
    const to = from + 50_000_000 + random.below(300_000_000);
    const hit = seen.filter((one) => one.node === node && !one.lost && one.nanos >= from && one.nanos < to);
    const first = hit[0];
    const last = hit.at(-1);
    if (first === undefined || last === undefined) continue;
    for (const one of hit) one.lost = true;
    const source = ([1, 1, 2, 3] as const)[random.below(4)] ?? 1;
    losses.push({
      node,
      source,
      count: hit.length,
      cpu: source === 1 ? random.below(CPUS) : undefined,
      firstNanos: first.nanos,
      lastNanos: last.nanos,
      reportNanos: to + 1_000_000,
    });
  }
  return losses;
}

const OUTAGE_SHORTEST_S = 15;
const OUTAGE_SPREAD_S = 25;

/** What a node's reachability does in one second. */
export type Reachability = 'up' | 'going' | 'down' | 'back';

/** Whether a node is out of reach in a second: one outage a period, at a place in it that (seed, node, period) decide; none begins in `calm`. */
export function reachability(
  seed: number,
  second: number,
  node: number,
  period: number,
  calm: { readonly from: number; readonly to: number },
): Reachability {
  if (period === 0) return 'up';
  const number = Math.floor(second / period);
  const draw = hash32(seed, number, node, 401);
  const length = Math.min(OUTAGE_SHORTEST_S + (draw % OUTAGE_SPREAD_S), Math.floor(period / 2));
  const start = number * period + (hash32(draw, 1) % Math.max(1, period - length - 1));
  if (start >= calm.from && start < calm.to) return 'up';
  if (second === start) return 'going';
  if (second > start && second < start + length) return 'down';
  return second === start + length ? 'back' : 'up';
}
