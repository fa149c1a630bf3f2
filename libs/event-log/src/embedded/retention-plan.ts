import type { SegmentSummary } from './segment-index.js';

/** One partition as retention sees it. */
export interface PartitionHoldings {
  readonly partition: number;
  /** Oldest first. */
  readonly sealed: readonly SegmentSummary[];
  /** Records before this offset were committed by every protected group. */
  readonly committed: bigint;
}

/** Sealed segments to remove from one partition: all that end at or before `before`. */
export interface Removal {
  readonly partition: number;
  readonly before: bigint;
}

type Taken = Map<number, number>;

function toRemovals(holdings: readonly PartitionHoldings[], taken: Taken): Removal[] {
  const removals: Removal[] = [];
  for (const { partition, sealed } of holdings) {
    const last = sealed[(taken.get(partition) ?? 0) - 1];
    if (last !== undefined) removals.push({ partition, before: last.end });
  }
  return removals;
}

/** What is older than `beforeMs` (by its newest record) and committed by everyone. Pure. */
export function planByAge(holdings: readonly PartitionHoldings[], beforeMs: number): Removal[] {
  const taken: Taken = new Map();
  for (const { partition, sealed, committed } of holdings) {
    const kept = sealed.findIndex(({ newestMs, end }) => newestMs >= beforeMs || end > committed);
    taken.set(partition, kept < 0 ? sealed.length : kept);
  }
  return toRemovals(holdings, taken);
}

/**
 * Oldest segments first, over all partitions, until `needBytes` are freed or nothing more may go. What every group
 * committed goes first; the rest only when `dropUncommitted`. Pure.
 */
export function planBySize(
  holdings: readonly PartitionHoldings[],
  needBytes: number,
  dropUncommitted: boolean,
): Removal[] {
  const taken: Taken = new Map();
  let freed = 0;
  for (const protect of dropUncommitted ? [true, false] : [true]) {
    while (freed < needBytes) {
      let oldest: { partition: number; segment: SegmentSummary } | undefined;
      for (const { partition, sealed, committed } of holdings) {
        const segment = sealed[taken.get(partition) ?? 0];
        if (segment === undefined || (protect && segment.end > committed)) continue;
        if (oldest === undefined || segment.newestMs < oldest.segment.newestMs)
          oldest = { partition, segment };
      }
      if (oldest === undefined) break;
      taken.set(oldest.partition, (taken.get(oldest.partition) ?? 0) + 1);
      freed += oldest.segment.bytes;
    }
  }
  return toRemovals(holdings, taken);
}
