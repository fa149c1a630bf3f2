import type { ColumnStore } from '@flowledger/column-store';
import type { EventLog } from '@flowledger/event-log';
import { systemClock, type Clock, type Log } from '@flowledger/platform';
import { noFailpoint, type Failpoint } from './load/failpoint.js';
import type { BatchLimits, LoaderContext, LoaderEvents } from './load/loader-context.js';
import { newPartitionStatus, type PartitionStatus } from './load/loader-status.js';
import { loadPartition } from './load/partition-loader.js';

export interface LoaderOptions {
  readonly log: EventLog;
  /** A user that may write, create and read `system.processes`. */
  readonly store: ColumnStore;
  /** Consumer group of the log; all loaders of one store are in the same one. */
  readonly group: string;
  readonly logger: Log;
  /** Days that `flows` keeps its rows; the same as the migrations were rendered with. */
  readonly rawTtlDays: number;
  /** Default 50,000 rows, 32 MiB of records, 1 s. */
  readonly limits?: Partial<BatchLimits>;
  readonly clock?: Clock;
  readonly events?: Partial<LoaderEvents>;
  readonly failpoint?: Failpoint;
}

/** A running loader. */
export interface Loader {
  /** Resolves when the signal aborted and every lease has ended; rejects with the first defect. */
  readonly done: Promise<void>;
  /** One entry for each partition that is or was leased here. */
  readonly partitions: readonly PartitionStatus[];
  /** When it began, by the clock that never jumps. */
  readonly beganMs: number;
}

const DAY_MS = 86_400_000;
const DEFAULT_LIMITS: BatchLimits = { maxRows: 50_000, maxBytes: 32 * 1024 * 1024, maxAgeMs: 1_000 };

/** Options with every default filled in. */
export function loaderContext(options: Omit<LoaderOptions, 'group'>): LoaderContext {
  return {
    log: options.log,
    store: options.store,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    rawTtlMs: options.rawTtlDays * DAY_MS,
    clock: options.clock ?? systemClock,
    logger: options.logger,
    events: { loaded: () => undefined, repaired: () => undefined, ...options.events },
    failpoint: options.failpoint ?? noFailpoint,
  };
}

/**
 * Loads the log into the store until `signal` aborts: joins the group and loads every partition it is given, side by
 * side, one batch in flight each. Any number of loaders may run; a partition has one owner at a time.
 */
export function runLoader(options: LoaderOptions, signal: AbortSignal): Loader {
  const partitions: PartitionStatus[] = [];
  const context = loaderContext(options);
  const done = options.log.consume(
    options.group,
    (lease) => {
      const status = newPartitionStatus(lease.partition);
      const former = partitions.findIndex((entry) => entry.partition === lease.partition);
      if (former < 0) partitions.push(status);
      else partitions[former] = status;
      return loadPartition(lease, context, status);
    },
    signal,
  );
  return { done, partitions, beganMs: context.clock.monotonic() };
}
