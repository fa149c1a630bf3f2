import { systemClock } from '@flowledger/platform';
import type { AppError, Clock } from '@flowledger/platform';
import { nodeFileSystem } from './file-system.js';
import type { FileSystem } from './file-system.js';
import type { RecoveryNote } from './partition-recovery.js';
import { systemProcesses } from './process-table.js';
import type { ProcessTable } from './process-table.js';
import type { RemovedRange, RetentionLimits } from './retention.js';

/** Things an operator or the loss ledger wants to hear of; delivered as they happen, in the writer's process. */
export type EmbeddedLogEvent =
  | { readonly kind: 'recovered'; readonly note: RecoveryNote }
  | { readonly kind: 'removed'; readonly range: RemovedRange }
  | { readonly kind: 'fault'; readonly error: AppError };

export interface EmbeddedLogOptions {
  /** Everything of the log lies here; created by the writer. */
  readonly directory: string;
  /**
   * `writer`: the one process that appends; it may read and consume as well. `reader`: any number of processes that
   * read and consume; they see only what is durable.
   */
  readonly mode: 'writer' | 'reader';
  /** Must match an existing log; undefined takes its number, and makes a new log with two. */
  readonly partitions?: number;
  /** Length at which a segment is closed and becomes removable. 64 MiB; never more than 1/4 of the share of `maxBytes`. */
  readonly segmentBytes?: number;
  /** 10 GiB, 7 days, no protected groups. */
  readonly retention?: Partial<RetentionLimits>;
  /** What to do at `maxBytes`, `minFreeBytes` or a full disk when only uncommitted records are left. `refuse`. */
  readonly fullPolicy?: 'refuse' | 'drop_oldest';
  /** Space on the volume that the log leaves to others. 0: use it all. */
  readonly minFreeBytes?: number;
  /** Directory that segments are copied to before retention removes them; empty: they are only removed. */
  readonly archive?: string;
  /** `disk` (fsync before acknowledgement) or `process` (survives kill -9, may lose `flushMs` to a power cut). */
  readonly durability?: 'disk' | 'process';
  /** Longest delay of the fsync at durability `process`, and so of what readers see. 200 ms. */
  readonly flushMs?: number;
  /** Bytes of values that may wait for durability; further appends wait. 64 MiB. */
  readonly maxPendingBytes?: number;
  /** Largest value. 16 MiB. */
  readonly maxRecordBytes?: number;
  /** How often age and size limits are applied. 30 s. */
  readonly retentionIntervalMs?: number;
  /** Readers: how long to wait for a writer to create the log. 0. */
  readonly openWaitMs?: number;
  readonly onEvent?: (event: EmbeddedLogEvent) => void;
  readonly clock?: Clock;
  readonly fileSystem?: FileSystem;
  readonly processes?: ProcessTable;
}

/** Options with every default filled in. */
export interface ResolvedOptions extends Required<Omit<EmbeddedLogOptions, 'partitions' | 'retention'>> {
  readonly partitions: number | undefined;
  readonly retention: RetentionLimits;
}

const MIB = 1024 * 1024;

/** Fills in the defaults documented at {@link EmbeddedLogOptions}. */
export function resolveOptions(options: EmbeddedLogOptions): ResolvedOptions {
  return {
    segmentBytes: 64 * MIB,
    fullPolicy: 'refuse',
    minFreeBytes: 0,
    archive: '',
    durability: 'disk',
    flushMs: 200,
    maxPendingBytes: 64 * MIB,
    maxRecordBytes: 16 * MIB,
    retentionIntervalMs: 30_000,
    openWaitMs: 0,
    onEvent: () => undefined,
    clock: systemClock,
    fileSystem: nodeFileSystem,
    processes: systemProcesses,
    ...options,
    partitions: options.partitions,
    retention: { maxBytes: 10 * 1024 * MIB, maxAgeMs: 7 * 24 * 3_600_000, groups: [], ...options.retention },
  };
}
