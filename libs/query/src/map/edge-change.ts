import { quantileMs } from '../red/latency-histogram.js';
import type { RedStats } from '../red/read-red.js';
import type { Window } from '../window.js';

/** What two windows know of one edge. */
export interface ComparedEdge {
  readonly drops: bigint;
  readonly red: RedStats | null;
}

function perSecond(count: bigint, window: Window): number {
  return (Number(count) * 1e9) / Number(window.toNs - window.fromNs);
}

function far(now: number, before: number, factor: number): boolean {
  return now > before * factor || before > now * factor;
}

/**
 * An edge changed when drops began or ended, its request rate doubled or halved, its error ratio moved by more than 5
 * points, or its 95th percentile by half: thresholds beyond what a histogram's error and normal load move.
 */
export function edgeChanged(
  now: ComparedEdge,
  before: ComparedEdge,
  windows: { readonly now: Window; readonly before: Window },
): boolean {
  if (now.drops > 0n !== before.drops > 0n) return true;
  if ((now.red === null) !== (before.red === null)) return true;
  if (now.red === null || before.red === null) return false;
  const rates = [
    perSecond(now.red.requests, windows.now),
    perSecond(before.red.requests, windows.before),
  ] as const;
  if (far(rates[0], rates[1], 2)) return true;
  if (Math.abs((now.red.errorRatio ?? 0) - (before.red.errorRatio ?? 0)) > 0.05) return true;
  const [p95, old95] = [quantileMs(now.red.histogram, 0.95), quantileMs(before.red.histogram, 0.95)];
  return p95 !== null && old95 !== null && far(p95, old95, 1.5);
}
