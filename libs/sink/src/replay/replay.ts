import type { ColumnStore } from '@flowledger/column-store';
import type { EventLog, PartitionLease } from '@flowledger/event-log';
import { AppError, systemClock, type Clock, type Log } from '@flowledger/platform';
import { loaderContext } from '../loader.js';
import type { BatchLimits, LoaderContext } from '../load/loader-context.js';
import { newPartitionStatus } from '../load/loader-status.js';
import { loadPartition } from '../load/partition-loader.js';
import { findStartPoint } from '../load/start-point.js';
import { planOf } from '../sql.js';
import { compareTables, type Comparison } from './compare-tables.js';
import { asOnlyReplay, readControl, withLeases } from './control.js';
import { coveredRanges, uncoveredRanges, type OffsetRange } from './covered-ranges.js';
import { finishSwap } from './finish-swap.js';
import { whilePaused } from './pause.js';
import { replayLease } from './replay-lease.js';
import { performSwap, prepareSwap } from './swap.js';

export interface ReplayOptions {
  readonly log: EventLog;
  /** The live tables. */
  readonly live: ColumnStore;
  /** Consumer group of the loaders; a swap takes it over for a moment. */
  readonly group: string;
  /** Database for the replay, beside the live one. Emptied first and removed at the end. */
  readonly database: string;
  /** Makes the tables of that database with the same migrations, and opens it; the replay closes it. */
  readonly openReplay: (database: string) => Promise<ColumnStore>;
  /** Put the replayed tables in the place of the live ones. */
  readonly swap: boolean;
  readonly rawTtlDays: number;
  readonly logger: Log;
  readonly clock?: Clock;
  readonly limits?: Partial<BatchLimits>;
}

export interface ReplayReport extends Comparison {
  /** What was loaded again. */
  readonly replayed: readonly OffsetRange[];
  /** What the log no longer holds: nothing can be said about it, and a swap leaves it as it is. */
  readonly refused: readonly OffsetRange[];
  readonly rows: number;
  readonly swapped: boolean;
}

/** What the steps of one replay share. */
interface Run extends ReplayOptions {
  readonly clock: Clock;
  readonly replayedStore: ColumnStore;
  readonly context: LoaderContext;
}

const OTHER_REPLAY_MS = 5_000;
const LOADER_LEAVES_MS = 120_000;
const STALLED_MS = 120_000;

/**
 * Loads what the log holds into tables beside the live ones, with the same projection and its own dedup state, and
 * compares digests hour by hour while loading goes on. With `swap` the loaders are then paused, the tail is loaded, and
 * the replayed rows take the place of the live ones, equal or not; a swap that is cut short is finished by the next
 * loader or replay. Rejects CONFLICT while another replay runs.
 */
export async function replay(options: ReplayOptions, signal: AbortSignal): Promise<ReplayReport> {
  const { log, live, clock = systemClock, database } = options;
  await finishSwap({ log, live, clock }, signal);
  return asOnlyReplay(log, { clock, waitMs: OTHER_REPLAY_MS }, signal, async (lease) => {
    await live.command(planOf('drop_database', { database }), signal);
    const replayedStore = await options.openReplay(database);
    try {
      const context = loaderContext({ ...options, store: replayedStore });
      return await run({ ...options, clock, replayedStore, context }, lease, signal);
    } finally {
      await replayedStore.close();
      const { state } = await readControl(log);
      if (state !== 'swapping') await live.command(planOf('drop_database', { database }), signal);
    }
  });
}

async function run(run: Run, lease: PartitionLease, signal: AbortSignal): Promise<ReplayReport> {
  const ranges = await coveredRanges(run.log, run.live, signal);
  const loaded = await loadRanges(run, ranges, signal);
  await untilLive(run, ranges, signal);
  const about = { refused: uncoveredRanges(ranges), swapped: run.swap };
  if (!run.swap) return { replayed: ranges, rows: loaded, ...about, ...(await compare(run, ranges, signal)) };
  return whilePaused(lease, run.clock, (swap) =>
    withLeases(run.log, run.group, { clock: run.clock, waitMs: LOADER_LEAVES_MS }, signal, async () => {
      const final = await liveRanges(run, ranges, signal);
      const rows = loaded + (await loadRanges(run, final, signal));
      const comparison = await compare(run, final, signal);
      const from = final.map((range) => ({
        epoch: run.log.epoch,
        partition: range.partition,
        from: range.from,
      }));
      await prepareSwap(run.live, run.replayedStore, run.database, from, signal);
      await swap.begin(run.database);
      await performSwap(run.live, run.database, signal);
      await swap.done();
      return { replayed: final, rows, ...about, ...comparison };
    }),
  );
}

function compare(run: Run, ranges: readonly OffsetRange[], signal: AbortSignal): Promise<Comparison> {
  const { live, replayedStore, log, rawTtlDays, clock } = run;
  const nowMs = clock.now();
  return compareTables(
    { live, replayed: replayedStore, epoch: log.epoch, ranges, nowMs, rawTtlDays },
    signal,
  );
}

async function loadRanges(run: Run, ranges: readonly OffsetRange[], signal: AbortSignal): Promise<number> {
  const rows = await Promise.all(ranges.map((range) => loadRange(run, range, signal)));
  return rows.reduce((sum, count) => sum + count, 0);
}

async function loadRange(
  { context, live, log }: Run,
  range: OffsetRange,
  signal: AbortSignal,
): Promise<number> {
  const { partition, from, end } = range;
  if (from === end) return 0;
  const status = newPartitionStatus(partition);
  const lease = replayLease(log, range, context.clock.now(), signal);
  // Before its first record, the replay knows what the live tables had accepted: the log no longer tells.
  const former = from > 0n ? { store: live, before: from } : undefined;
  await loadPartition(lease, context, status, { until: end, former });
  if (status.next < end) throw new AppError('CANCELLED', `replay of partition ${partition}`, { retry: true });
  return status.rows;
}

/** The same ranges up to where the live tables end now. */
async function liveRanges(
  run: Run,
  ranges: readonly OffsetRange[],
  signal: AbortSignal,
): Promise<OffsetRange[]> {
  const { log, live } = run;
  const ended: OffsetRange[] = [];
  for (const range of ranges) {
    const place = { epoch: log.epoch, partition: range.partition };
    const { next } = await findStartPoint(live, place, undefined, signal);
    ended.push({ ...range, end: next > range.end ? next : range.end });
  }
  return ended;
}

/** Waits until the live tables hold everything that the replay holds. */
async function untilLive(run: Run, ranges: readonly OffsetRange[], signal: AbortSignal): Promise<void> {
  const { log, live, clock } = run;
  for (const { partition, end } of ranges) {
    let [last, movedAt] = [-1n, clock.monotonic()];
    for (;;) {
      const { next } = await findStartPoint(live, { epoch: log.epoch, partition }, undefined, signal);
      if (next >= end) break;
      if (next !== last) [last, movedAt] = [next, clock.monotonic()];
      else if (clock.monotonic() - movedAt > STALLED_MS) {
        const text = `wait for the loader at offset ${next} of partition ${partition}`;
        throw new AppError('TIMEOUT', text, { retry: true });
      }
      await clock.sleep(200, signal);
    }
  }
}
