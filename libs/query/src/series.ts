import type { ParamBinder } from './param-binder.js';
import { floorTo, HOUR_NS, MINUTE_NS, SECOND_NS } from './window.js';
import type { Window } from './window.js';

/** Steps that a series may have. */
export const STEP_LADDER_NS: readonly bigint[] = [
  ...[1n, 5n, 10n, 30n].map((count) => count * SECOND_NS),
  ...[1n, 5n, 15n, 30n].map((count) => count * MINUTE_NS),
  ...[1n, 3n, 6n, 12n, 24n, 7n * 24n, 28n * 24n].map((count) => count * HOUR_NS),
];

/** Most points of one line. */
const MAX_POINTS = 1000n;
/** Most values of one kind in an answer: points × lines. */
const MAX_VALUES = 50_000n;

/** The step of a series and the starts of its buckets, ns; steps count from 1970, so the first may begin before the window. */
export interface SeriesGrid {
  readonly stepNs: bigint;
  readonly starts: readonly bigint[];
}

function bucketCount(window: Window, stepNs: bigint): bigint {
  return (window.toNs - 1n) / stepNs - window.fromNs / stepNs + 1n;
}

/**
 * The grid for a wished step: the smallest step of the ladder that is not finer than the wish and gives at most 1,000
 * points a line and 50,000 values in all. Null without a wish.
 */
export function seriesGrid(
  window: Window,
  wishNs: bigint | null | undefined,
  lines: number,
): SeriesGrid | null {
  if (wishNs === undefined || wishNs === null) return null;
  const fits = (stepNs: bigint): boolean => {
    const points = bucketCount(window, stepNs);
    return stepNs >= wishNs && points <= MAX_POINTS && points * BigInt(lines) <= MAX_VALUES;
  };
  const stepNs = STEP_LADDER_NS.find(fits) ?? STEP_LADDER_NS.at(-1) ?? HOUR_NS;
  const first = floorTo(window.fromNs, stepNs);
  const starts = Array.from(
    { length: Number(bucketCount(window, stepNs)) },
    (_, index) => first + BigInt(index) * stepNs,
  );
  return { stepNs, starts };
}

/** Position of a step number (time divided by step) in the grid's buckets. */
export function bucketIndex(grid: SeriesGrid, stepNumber: bigint): number {
  return Number(stepNumber - (grid.starts[0] ?? 0n) / grid.stepNs);
}

/** SQL expression of a row's step number; 0 for every row without a series. */
export function stepNumber(grid: SeriesGrid | null, rows: 'raw' | 'rollup', binder: ParamBinder): string {
  if (grid === null) return 'toInt64(0)';
  return rows === 'raw'
    ? `intDiv(toUnixTimestamp64Nano(bucket_time), ${binder.bind('Int64', grid.stepNs)})`
    : `intDiv(toInt64(toUnixTimestamp(bucket)), ${binder.bind('Int64', grid.stepNs / SECOND_NS)})`;
}
