import type { EventLog } from '@flowledger/event-log';
import { systemClock, type Clock, type Metrics } from '@flowledger/platform';
import type { Loader } from '../loader.js';
import type { LoaderEvents } from './loader-context.js';
import type { PartitionStatus } from './loader-status.js';

/** One partition as `/status` shows it. Offsets are decimal text. */
export interface PartitionReport {
  readonly partition: number;
  readonly state: PartitionStatus['state'] | 'waiting for the store' | 'blocked';
  readonly next: string;
  readonly lagRecords: number;
  readonly lagEvents: number;
  /** Age of the oldest record that is being loaded, s; 0 when there is none. */
  readonly lagSeconds: number;
  readonly rows: number;
  readonly batches: number;
  readonly repairs: number;
  readonly lastError?: string;
}

/** What a worker answers at `/status`; `ok` is false while any partition is blocked. */
export type LoaderReport = {
  readonly ok: boolean;
  /** A replay asked it to wait. */
  readonly paused: boolean;
  readonly lagRecords: number;
  readonly lagEvents: number;
  readonly lagSeconds: number;
  readonly rowsLoaded: number;
  /** Since the loader began. */
  readonly rowsPerSecond: number;
  readonly partitions: readonly PartitionReport[];
};

/** Describes a loader now; asks the log for its ends, not the store. */
export async function describeLoader(
  loader: Loader,
  log: EventLog,
  clock: Clock = systemClock,
): Promise<LoaderReport> {
  const partitions: PartitionReport[] = [];
  for (const status of loader.partitions) partitions.push(await describePartition(status, log, clock));
  const sum = (pick: (report: PartitionReport) => number): number =>
    partitions.reduce((total, report) => total + pick(report), 0);
  const rowsLoaded = sum((report) => report.rows);
  const seconds = (clock.monotonic() - loader.beganMs) / 1000;
  return {
    ok: partitions.every((report) => report.state !== 'blocked'),
    paused: loader.paused,
    lagRecords: sum((report) => report.lagRecords),
    lagEvents: sum((report) => report.lagEvents),
    lagSeconds: Math.max(0, ...partitions.map((report) => report.lagSeconds)),
    rowsLoaded,
    rowsPerSecond: seconds <= 0 ? 0 : Math.round(rowsLoaded / seconds),
    partitions,
  };
}

async function describePartition(
  status: PartitionStatus,
  log: EventLog,
  clock: Clock,
): Promise<PartitionReport> {
  const { end, eventsBeforeEnd } = await log.bounds(status.partition);
  const { waiting, oldestAppendedMs, lastError } = status;
  const state =
    waiting === 'blocked' ? 'blocked' : waiting === 'store' ? 'waiting for the store' : status.state;
  return {
    partition: status.partition,
    state,
    next: status.next.toString(),
    lagRecords: Math.max(0, Number(end - status.next)),
    lagEvents: Math.max(0, Number(eventsBeforeEnd - status.eventsBefore)),
    lagSeconds: oldestAppendedMs === undefined ? 0 : Math.max(0, (clock.now() - oldestAppendedMs) / 1000),
    rows: status.rows,
    batches: status.batches,
    repairs: status.repairs,
    ...(lastError === undefined ? {} : { lastError }),
  };
}

/** Counters of a loader in a process's metrics. */
export function loaderMetrics(metrics: Metrics): LoaderEvents {
  const help = 'Events of the log by what became of them';
  const events = metrics.counter('flowledger_sink_events_total', help, ['outcome']);
  const batches = metrics.counter('flowledger_sink_batches_total', 'Batches in the ledger');
  const repairs = metrics.counter('flowledger_sink_repairs_total', 'Batches that were verified and repaired');
  const missing = metrics.counter('flowledger_sink_missing_rows_total', 'Rows brought in by repairs');
  const rollups = metrics.counter(
    'flowledger_sink_rollup_rows_corrected_total',
    'Rollup rows put right by repairs',
  );
  return {
    loaded: (_partition, account) => {
      batches.inc();
      events.inc({ outcome: 'flow' }, account.flows);
      events.inc({ outcome: 'other_event' }, account.otherEvents);
      events.inc({ outcome: 'duplicate' }, account.duplicates);
      events.inc({ outcome: 'dead' }, account.dead);
      events.inc({ outcome: 'skipped' }, account.skipped);
    },
    repaired: (_partition, rowsMissing, rollupRows) => {
      repairs.inc();
      missing.inc(rowsMissing);
      rollups.inc(rollupRows);
    },
  };
}

/** Gauges of the lag, brought up to date by calling the result. */
export function loaderLag(metrics: Metrics, report: () => Promise<LoaderReport>): () => Promise<void> {
  const seconds = metrics.gauge('flowledger_sink_lag_seconds', 'Age of the oldest record being loaded', [
    'partition',
  ]);
  const offsets = metrics.gauge('flowledger_sink_lag_offsets', 'Records of the log not yet loaded', [
    'partition',
  ]);
  return async () => {
    const { partitions } = await report();
    seconds.reset();
    offsets.reset();
    for (const { partition, lagSeconds, lagRecords } of partitions) {
      seconds.set({ partition: String(partition) }, lagSeconds);
      offsets.set({ partition: String(partition) }, lagRecords);
    }
  };
}
