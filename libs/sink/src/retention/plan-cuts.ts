/** Classes of data with a size of their own. */
export type SizedClass = 'raw' | 'rollup';

/** Tables of a class that are partitioned by day. */
export const SIZED_TABLES: Readonly<Record<SizedClass, readonly string[]>> = {
  raw: ['flows', 'events'],
  rollup: ['red_1m', 'edges_1m', 'drops_1m'],
};

/** One day of one table on disk. */
export interface DaySize {
  readonly table: string;
  /** `YYYYMMDD`. */
  readonly day: string;
  readonly bytes: number;
}

export interface SizeLimits {
  /** Most bytes of a class; 0 is no limit. */
  readonly bytes: Readonly<Record<SizedClass, number>>;
  /** Least bytes that the disk must have left. */
  readonly minFree: number;
}

/** Whole days of a class that have to go. */
export interface PlannedCut {
  readonly class: SizedClass;
  /** First day that stays, s since 1970. */
  readonly until: number;
  readonly reason: 'size' | 'disk';
  readonly bytes: number;
}

const DAY_S = 86_400;

/**
 * Which oldest days have to go so that each class is within its size and the disk has its free space. A class loses its
 * newest day never, whatever the limits: then the limit is too small for a day, which is not for us to decide. For the
 * disk only raw days go: they are the largest by far, and rollups answer for them. Pure.
 */
export function planCuts(days: readonly DaySize[], free: number, limits: SizeLimits): readonly PlannedCut[] {
  const raw = daysOf(days, 'raw');
  const lacking = Math.max(0, limits.minFree - free);
  const bySize = cutOf('raw', raw, excess(raw, limits.bytes.raw), 'size');
  const forDisk = cutOf('raw', raw, lacking, 'disk');
  const more = (forDisk?.until ?? 0) > (bySize?.until ?? 0) ? forDisk : bySize;
  const rollup = daysOf(days, 'rollup');
  const other = cutOf('rollup', rollup, excess(rollup, limits.bytes.rollup), 'size');
  return [more, other].filter((cut) => cut !== undefined);
}

interface Day {
  readonly start: number;
  readonly bytes: number;
}

/** Days of a class, oldest first, its tables together. */
function daysOf(days: readonly DaySize[], wanted: SizedClass): readonly Day[] {
  const sums = new Map<string, number>();
  for (const { table, day, bytes } of days)
    if (SIZED_TABLES[wanted].includes(table) && /^\d{8}$/.test(day))
      sums.set(day, (sums.get(day) ?? 0) + bytes);
  return [...sums]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, bytes]) => ({ start: startOf(day), bytes }));
}

function startOf(day: string): number {
  return Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6))) / 1000;
}

function excess(days: readonly Day[], limit: number): number {
  return limit === 0 ? 0 : Math.max(0, days.reduce((sum, { bytes }) => sum + bytes, 0) - limit);
}

function cutOf(
  wanted: SizedClass,
  days: readonly Day[],
  tooMuch: number,
  reason: PlannedCut['reason'],
): PlannedCut | undefined {
  let bytes = 0;
  let until: number | undefined;
  for (const day of days.slice(0, -1)) {
    if (bytes >= tooMuch) break;
    bytes += day.bytes;
    until = day.start + DAY_S;
  }
  return until === undefined ? undefined : { class: wanted, until, reason, bytes };
}
