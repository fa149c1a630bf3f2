import type { ColumnStore } from '@flowledger/column-store';
import type { EventLog } from '@flowledger/event-log';
import type { Clock, Log } from '@flowledger/platform';
import type { BatchAccount } from './load-batch.js';
import type { Failpoint } from './failpoint.js';
import type { Room } from './room.js';

/** When a batch is closed. */
export interface BatchLimits {
  readonly maxRows: number;
  /** Estimated bytes of rows; bounds what one partition holds in memory. */
  readonly maxBytes: number;
  /** Longest wait of a record for its batch to fill, ms; while the loader is behind, batches end by size. */
  readonly maxAgeMs: number;
}

/** Told what happens; for metrics. */
export interface LoaderEvents {
  loaded(partition: number, account: BatchAccount): void;
  repaired(partition: number, rowsMissing: number, rollupRows: number): void;
}

/** What all partitions of one loader share. */
export interface LoaderContext {
  readonly log: EventLog;
  readonly store: ColumnStore;
  readonly limits: BatchLimits;
  /** One place: whose turn it is to make a large batch. */
  readonly making: Room;
  /** One place: whose large batch is on its way into the store. Together they bound the memory of all partitions. */
  readonly writing: Room;
  /** Retention of `flows`: decides bucket times, and how far back rollups may be repaired. */
  readonly rawTtlMs: number;
  /** When the machine of the store started, ms since 1970: what was written before may not have been synced. */
  readonly bootedMs: number;
  readonly clock: Clock;
  readonly logger: Log;
  readonly events: LoaderEvents;
  readonly failpoint: Failpoint;
}
