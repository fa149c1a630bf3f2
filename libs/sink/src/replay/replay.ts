import type { ColumnStore } from '@flowledger/column-store';
import type { EventLog } from '@flowledger/event-log';
import { AppError, systemClock, type Clock, type Log } from '@flowledger/platform';
import { loaderContext } from '../loader.js';
import type { BatchLimits, LoaderContext } from '../load/loader-context.js';
import { newPartitionStatus } from '../load/loader-status.js';
import { loadPartition } from '../load/partition-loader.js';
import { findStartPoint } from '../load/start-point.js';
import { repairableHours } from '../repair/rollup-repair.js';
import { ROLLUPS } from '../repair/rollups.js';
import { planOf } from '../sql.js';
import { compareDigests, type DigestDifference } from './compare-digests.js';
import { replayLease } from './replay-lease.js';
import { tableDigests, type DigestRange } from './table-digest.js';

export interface ReplayOptions {
  readonly log: EventLog;
  /** The live tables. */
  readonly live: ColumnStore;
  /** Database for the replay, beside the live one. Emptied first. */
  readonly database: string;
  /** Makes the tables of that database with the same migrations, and opens it; the replay closes it. */
  readonly openReplay: (database: string) => Promise<ColumnStore>;
  readonly rawTtlDays: number;
  readonly logger: Log;
  readonly clock?: Clock;
  readonly limits?: Partial<BatchLimits>;
}

/** Records of one partition. */
export interface OffsetRange {
  readonly partition: number;
  readonly from: bigint;
  /** Exclusive. */
  readonly end: bigint;
}

export interface ReplayReport {
  /** What was loaded again. */
  readonly replayed: readonly OffsetRange[];
  /** What the log no longer holds, so that nothing can be said about it. */
  readonly refused: readonly OffsetRange[];
  readonly rows: number;
  /** Hours and tables compared. */
  readonly comparedHours: number;
  readonly differences: readonly DigestDifference[];
}

const STALLED_MS = 120_000;

/**
 * Loads what the log holds into tables beside the live ones, with the same projection and its own dedup state, and
 * compares digests hour by hour. Hours that the log does not cover, that still grow, or whose raw rows are expiring are
 * left out. Loading goes on meanwhile. The tables of the replay are removed at the end.
 */
export async function replay(options: ReplayOptions, signal: AbortSignal): Promise<ReplayReport> {
  const ranges = await coveredRanges(options.log);
  await dropDatabase(options, signal);
  const store = await options.openReplay(options.database);
  try {
    const context = loaderContext({ ...options, store });
    const rows = await Promise.all(ranges.map((range) => loadRange(context, range, signal)));
    await untilLive(options, ranges, signal);
    const compared = await compareAll(options, store, ranges, signal);
    return {
      replayed: ranges,
      refused: ranges
        .filter(({ from }) => from > 0n)
        .map(({ partition, from }) => ({ partition, from: 0n, end: from })),
      rows: rows.reduce((sum, count) => sum + count, 0),
      ...compared,
    };
  } finally {
    await store.close();
    await dropDatabase(options, signal);
  }
}

async function coveredRanges(log: EventLog): Promise<OffsetRange[]> {
  const ranges: OffsetRange[] = [];
  for (let partition = 0; partition < log.partitions; partition++) {
    const { start, end } = await log.bounds(partition);
    ranges.push({ partition, from: start, end });
  }
  return ranges;
}

function dropDatabase({ live, database }: ReplayOptions, signal: AbortSignal): Promise<void> {
  return live.command(planOf('drop_database', { database }), signal);
}

async function loadRange(context: LoaderContext, range: OffsetRange, signal: AbortSignal): Promise<number> {
  const { partition, end } = range;
  const status = newPartitionStatus(partition);
  const lease = replayLease(context.log, partition, end, context.clock.now(), signal);
  await loadPartition(lease, context, status, end);
  if (status.next < end) throw new AppError('CANCELLED', `replay of partition ${partition}`, { retry: true });
  return status.rows;
}

/** Waits until the live tables hold everything that the replay holds. */
async function untilLive(
  { log, live, clock = systemClock }: ReplayOptions,
  ranges: readonly OffsetRange[],
  signal: AbortSignal,
): Promise<void> {
  for (const { partition, end } of ranges) {
    let [last, movedAt] = [-1n, clock.monotonic()];
    for (;;) {
      const { next } = await findStartPoint(live, { epoch: log.epoch, partition }, undefined, signal);
      if (next >= end) break;
      if (next !== last) [last, movedAt] = [next, clock.monotonic()];
      else if (clock.monotonic() - movedAt > STALLED_MS) {
        throw new AppError('TIMEOUT', `wait for the loader at offset ${next} of partition ${partition}`, {
          retry: true,
        });
      }
      await clock.sleep(200, signal);
    }
  }
}

async function compareAll(
  options: ReplayOptions,
  store: ColumnStore,
  ranges: readonly OffsetRange[],
  signal: AbortSignal,
): Promise<Pick<ReplayReport, 'differences' | 'comparedHours'>> {
  const differences: DigestDifference[] = [];
  let comparedHours = 0;
  for (const { partition, from, end } of ranges) {
    if (from === end) continue;
    const range: DigestRange = { epoch: options.log.epoch, partition, from, end };
    const live = await tableDigests(options.live, range, signal);
    const replayed = await tableDigests(store, range, signal);
    const comparable = await comparableHours(options, range, signal);
    differences.push(...compareDigests(partition, live, replayed, comparable));
    for (const [table, hours] of live)
      comparedHours += hours.filter(({ hour }) => comparable(table, hour)).length;
  }
  return { differences, comparedHours };
}

/** Says which hours of which table the replay can be held against. */
async function comparableHours(
  { live, rawTtlDays, clock = systemClock }: ReplayOptions,
  range: DigestRange,
  signal: AbortSignal,
): Promise<(table: string, hour: number) => boolean> {
  const { rows } = await live.query<{ hours: readonly number[] }>(planOf('open_hours', { ...range }), signal);
  const open = new Set(rows[0]?.hours);
  const rollups = new Set(ROLLUPS.map(({ table }) => table));
  const now = clock.now();
  return (table, hour) => {
    if (table === 'dead_letters' || table === 'skipped_events') return true;
    if (repairableHours([hour], now, rawTtlDays * 86_400_000).length === 0) return false;
    return !rollups.has(table) || !open.has(hour);
  };
}
