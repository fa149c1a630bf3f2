import type { ColumnBatch } from './columns.js';

/**
 * Names one stream of events for deduplication: what one node saw. The same object is handed out for the same stream
 * as long as a {@link ProjectionOptions.isDuplicate} caller lives, so it may be a Map key; `id` names it across
 * processes (the three parts joined by NUL).
 */
export interface StreamKey {
  readonly tenant: string;
  readonly cluster: string;
  readonly node: string;
  readonly id: string;
}

/** How log records become rows. */
export interface ProjectionOptions {
  /** Names the log; becomes `_le`. */
  readonly logEpoch: bigint;
  /** Log partition; becomes `_lp`. */
  readonly partition: number;
  /** Events older than this when they were received get the received time as `bucket_time`. */
  readonly rawTtlMs: number;
  /**
   * Asked once for every decoded flow or event that has a key, in log order; true keeps it out of the tables (it is
   * booked in `skipped_events`). The callee remembers the keys it lets through. `timeKept`: the event's own time is its
   * bucket time.
   */
  readonly isDuplicate: (stream: StreamKey, eventKey: bigint, timeKept: boolean) => boolean;
  /** Events longer than this are dead letters (`too_large`). Default 4 MiB, gRPC's own limit. */
  readonly maxEventBytes?: number;
}

/** One record of the log, as the loader hands it over. */
export interface ProjectedRecord {
  readonly offset: bigint;
  readonly value: Uint8Array;
  /** Event count the log keeps beside the record: says how many events an undecodable envelope held. Default 1. */
  readonly events?: number;
}

/** What became of the events of one record: `events` is the sum of the other five counts. */
export interface RecordAccount {
  readonly offset: bigint;
  readonly events: number;
  readonly flows: number;
  readonly otherEvents: number;
  readonly duplicates: number;
  readonly dead: number;
  readonly skipped: number;
  /** Received time of the envelope, ms since 1970; 0 when the envelope cannot be read. */
  readonly receivedMs: number;
  /** `bucket_time` range of the rows it gave to `flows` and `events`, ns; absent when it gave none. */
  readonly minBucketTime?: bigint;
  readonly maxBucketTime?: bigint;
}

/** Rows of one batch of records, by table. Equal records give equal batches, whatever was decoded before. */
export interface ProjectedBatches {
  readonly flows: ColumnBatch;
  readonly events: ColumnBatch;
  readonly labelSets: ColumnBatch;
  readonly endpoints: ColumnBatch;
  readonly deadLetters: ColumnBatch;
  readonly skippedEvents: ColumnBatch;
  /** One per record, in the order added. */
  readonly accounts: readonly RecordAccount[];
  /** `bucket_time` range per table with one; absent when the table got no row. */
  readonly bucketTimes: {
    readonly flows?: { readonly min: bigint; readonly max: bigint };
    readonly events?: { readonly min: bigint; readonly max: bigint };
  };
}
