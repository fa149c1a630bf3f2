/**
 * The event log: an append-only, partitioned list of opaque records. It is the truth of the system; tables are a
 * projection of it. Two adapters (embedded, Kafka) pass one contract suite (`contract.ts` in this library).
 *
 * Offsets are contiguous from 0 within a partition and never reused. `epoch` is unique per log and its creation, so
 * (`epoch`, partition, offset) names a record for ever.
 */
export interface EventLog {
  /** Unique per creation of this log; becomes the `_le` column. 63 bits, positive. */
  readonly epoch: bigint;
  /** Number of partitions, fixed for the life of the log because `_lp` is part of row identity. */
  readonly partitions: number;
  /**
   * Appends records and resolves when every one of them is durable (embedded: fsynced; Kafka: acks=-1), with their
   * positions in input order. Concurrent calls are group-committed. Rejects LOG_FULL (retry) when the disk-full
   * policy refuses, LOG_UNAVAILABLE otherwise; after a rejection nothing of the call may be assumed stored or not.
   * The returned promise is the back-pressure: callers must await it. Values must not change before it resolves; after
   * that they are the caller's again, who may write the next records into the same memory.
   */
  append(records: readonly AppendRecord[]): Promise<readonly LogPosition[]>;
  /** First offset still kept, the next offset to be written, and event counts for both ends. */
  bounds(partition: number): Promise<PartitionBounds>;
  /** Reads records of one partition outside any group, oldest first, from `from` (inclusive); for replay and audits. */
  read(partition: number, from: bigint, options: ReadOptions): Promise<LogBatch>;
  /** What the group last committed for a partition, without joining the group; undefined when nothing was. */
  committed(group: string, partition: number): Promise<CommittedOffset | undefined>;
  /**
   * Joins a consumer group and calls `onLease` once for each partition this member comes to own; leases run side by
   * side. Resolves when `signal` aborts and every lease handler has returned; rejects with the first handler's fault.
   */
  consume(
    group: string,
    onLease: (lease: PartitionLease) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  /** Flushes, releases files or sockets. Idempotent. */
  close(): Promise<void>;
}

export interface AppendRecord {
  readonly partition: number;
  /** How many events the envelope holds: lets anyone account for the log without decoding it. */
  readonly events: number;
  readonly value: Uint8Array;
}

export interface LogPosition {
  readonly partition: number;
  readonly offset: bigint;
}

export interface PartitionBounds {
  readonly start: bigint;
  /** One past the last durable record. */
  readonly end: bigint;
  /** Events in all records ever appended before `start` and before `end`. */
  readonly eventsBeforeStart: bigint;
  readonly eventsBeforeEnd: bigint;
  /** Bytes kept on disk for [start, end). */
  readonly bytes: number;
}

export interface StoredRecord {
  readonly offset: bigint;
  /** When the log took the record, ms since the epoch. */
  readonly appendedMs: number;
  readonly events: number;
  readonly value: Uint8Array;
}

export interface LogBatch {
  readonly partition: number;
  /** Contiguous, oldest first; empty when nothing came within `maxWaitMs`. */
  readonly records: readonly StoredRecord[];
  /** Set when `from` lies before the first kept offset: the range that retention removed. */
  readonly truncated?: { readonly from: bigint; readonly to: bigint };
}

export interface ReadOptions {
  /** Stop after about this many bytes of values (at least one record is returned when there is one). */
  readonly maxBytes: number;
  /** How long to wait for the first record; 0 returns at once. */
  readonly maxWaitMs: number;
  readonly signal?: AbortSignal;
}

export interface CommittedOffset {
  /** Next offset to process. */
  readonly offset: bigint;
  /** The loader's intent, at most 4 KiB of text (Kafka's default limit for commit metadata). */
  readonly metadata: string;
}

/** Ownership of one partition by one member of a group, until `signal` aborts. */
export interface PartitionLease {
  readonly partition: number;
  /** Rises with every change of ownership; a commit under an old generation is refused. */
  readonly generation: number;
  readonly committed: CommittedOffset | undefined;
  /** Aborted when the partition is lost or the group is left; the handler must return soon and commit nothing more. */
  readonly signal: AbortSignal;
  read(from: bigint, options: ReadOptions): Promise<LogBatch>;
  /** Durable when resolved. Rejects LEASE_LOST (no retry) when the partition is no longer ours. */
  commit(next: CommittedOffset): Promise<void>;
}
