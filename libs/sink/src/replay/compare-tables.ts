import type { ColumnStore } from '@flowledger/column-store';
import { repairableHours } from '../repair/rollup-repair.js';
import { keptSince } from '../retention/kept-since.js';
import { ROLLUPS } from '../repair/rollups.js';
import { planOf } from '../sql.js';
import { compareDigests, type DigestDifference } from './compare-digests.js';
import type { OffsetRange } from './covered-ranges.js';
import { uncoveredDays } from './swap.js';
import { tableDigests, type DigestRange } from './table-digest.js';

export interface CompareOptions {
  readonly live: ColumnStore;
  readonly replayed: ColumnStore;
  readonly epoch: bigint;
  readonly ranges: readonly OffsetRange[];
  readonly nowMs: number;
  readonly rawTtlDays: number;
}

export interface Comparison {
  /** Hours and tables that were compared. */
  readonly comparedHours: number;
  readonly differences: readonly DigestDifference[];
}

/**
 * Holds the replayed tables against the live ones, hour by hour. Left out: hours whose raw rows are expiring, and hours
 * of rollups that hold more than the replayed ranges.
 */
export async function compareTables(options: CompareOptions, signal: AbortSignal): Promise<Comparison> {
  const { live, replayed, epoch, ranges } = options;
  const differences: DigestDifference[] = [];
  let comparedHours = 0;
  const days = new Set(
    await uncoveredDays(
      live,
      ranges.map(({ partition, from }) => ({ epoch, partition, from })),
      signal,
    ),
  );
  for (const { partition, from, end } of ranges) {
    if (from === end) continue;
    const range: DigestRange = { epoch, partition, from, end };
    const [ours, theirs] = [
      await tableDigests(live, range, signal),
      await tableDigests(replayed, range, signal),
    ];
    const comparable = await comparableHours(options, range, days, signal);
    differences.push(...compareDigests(partition, ours, theirs, comparable));
    for (const [table, hours] of ours)
      comparedHours += hours.filter(({ hour }) => comparable(table, hour)).length;
  }
  return { differences, comparedHours };
}

async function comparableHours(
  { live, rawTtlDays, nowMs }: CompareOptions,
  range: DigestRange,
  uncovered: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<(table: string, hour: number) => boolean> {
  const { rows } = await live.query<{ hours: readonly number[] }>(planOf('open_hours', { ...range }), signal);
  const since = await keptSince(live, nowMs, rawTtlDays * 86_400_000, signal);
  const open = new Set(rows[0]?.hours);
  const rollups = new Set(ROLLUPS.map(({ table }) => table));
  return (table, hour) => {
    if (table === 'dead_letters' || table === 'skipped_events') return true;
    if (repairableHours([hour], since).length === 0) return false;
    if (!rollups.has(table)) return true;
    const day = new Date(hour * 1000).toISOString().slice(0, 10).replaceAll('-', '');
    return !open.has(hour) && !uncovered.has(day);
  };
}
