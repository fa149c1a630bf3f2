import type { PartitionLease, StoredRecord } from '@flowledger/event-log';
import { Projection } from '@flowledger/model';
import type { Deduplicator } from '../dedup/deduplicator.js';
import { MAX_DAYS } from './day-slices.js';
import type { LoadBatch } from './load-batch.js';
import type { LoaderContext } from './loader-context.js';
import type { Patience } from './patience.js';

type TakenRecord = Pick<StoredRecord, 'offset' | 'appendedMs'>;

const READ_BYTES = 4 * 1024 * 1024;
/** How much of an import, and for how long, is gathered for one look-up in the store. */
const GATHER_BYTES = 16 * 1024 * 1024;
const GATHER_MS = 300;
/** How long to wait for the first record of a batch before saying that there is none. */
const IDLE_WAIT_MS = 1_000;

/**
 * Reads records of one lease and projects them into batches that end where a limit says so. Holds at most one read
 * (4 MiB, 16 MiB of an import, or one record) beyond the batch it makes.
 */
export class BatchCollector {
  readonly #projection: Projection;
  /** Records read but not yet in a batch. */
  #ahead: StoredRecord[] = [];

  constructor(
    private readonly context: LoaderContext,
    private readonly lease: PartitionLease,
    private readonly dedup: Deduplicator,
    private readonly patience: Patience,
    /** Told the range that retention removed before we read it. */
    private readonly onTruncated: (range: { from: bigint; to: bigint }) => void,
  ) {
    this.#projection = new Projection({
      logEpoch: context.log.epoch,
      partition: lease.partition,
      rawTtlMs: context.rawTtlMs,
      isDuplicate: (stream, key, timeKept) => dedup.isDuplicate(stream, key, timeKept),
    });
  }

  /**
   * The next batch from offset `next`; undefined when no record came for a second or the lease ends. With `to`, exactly
   * the records up to it (fewer only when the log ends), whatever the limits say.
   */
  async collect(next: bigint, to?: bigint): Promise<LoadBatch | undefined> {
    const { clock, limits } = this.context;
    let [first, last]: (TakenRecord | undefined)[] = [];
    let deadline = Infinity;
    this.dedup.beginBatch();
    for (;;) {
      const wait = first === undefined ? IDLE_WAIT_MS : deadline - clock.monotonic();
      if (!(await this.#readOn(last?.offset ?? next - 1n, to === undefined ? wait : 0))) break;
      if (first === undefined) deadline = clock.monotonic() + limits.maxAgeMs;
      const from = (first ?? this.#ahead[0])?.offset ?? next;
      await this.patience.until('dedup_import', () =>
        this.dedup.prepare(this.#ahead, from, this.lease.signal),
      );
      let full = false;
      while (!full && this.#ahead.length > 0) {
        const record = this.#ahead[0];
        if (record === undefined || (to !== undefined && record.offset > to)) break;
        this.#ahead.shift();
        this.dedup.beginRecord(record);
        this.#projection.add(record);
        // Without the value: a batch in flight holds rows, not records.
        last = { offset: record.offset, appendedMs: record.appendedMs };
        first ??= last;
        full = to === undefined ? this.#isFull() : record.offset === to;
      }
      if (full || this.#ahead.length > 0 || this.lease.signal.aborted) break;
    }
    if (first === undefined || last === undefined) return undefined;
    return {
      from: first.offset,
      to: last.offset,
      appendedMs: first.appendedMs,
      projected: this.#projection.take(),
    };
  }

  #isFull(): boolean {
    const { maxRows, maxBytes } = this.context.limits;
    const { rows, bytes } = this.#projection;
    return rows >= maxRows || bytes >= maxBytes || this.#projection.partitionsTouched() >= MAX_DAYS;
  }

  /** Makes sure that there is a record after `last` at hand; false when none came in time. */
  async #readOn(last: bigint, waitMs: number): Promise<boolean> {
    if (this.#ahead.length > 0) return true;
    if (this.lease.signal.aborted || waitMs < 0) return false;
    const options = { maxBytes: READ_BYTES, maxWaitMs: Math.max(0, waitMs) };
    const read = await this.lease.read(last + 1n, options);
    if (read.truncated !== undefined) this.onTruncated(read.truncated);
    this.#ahead = [...read.records];
    if (waitMs > 0 && this.dedup.asksStore(this.#ahead)) await this.#gather();
    return this.#ahead.length > 0;
  }

  /**
   * What an import might repeat is looked up in the store once for all records at hand, and an upload's records arrive
   * one by one: a look-up each cost more than everything else (measured). So what comes in the next moment joins them.
   */
  async #gather(): Promise<void> {
    const { clock } = this.context;
    const until = clock.monotonic() + GATHER_MS;
    let bytes = this.#ahead.reduce((sum, record) => sum + record.value.length, 0);
    while (bytes < GATHER_BYTES && !this.lease.signal.aborted) {
      const last = this.#ahead.at(-1);
      const left = until - clock.monotonic();
      if (last === undefined || left <= 0) return;
      const options = { maxBytes: GATHER_BYTES - bytes, maxWaitMs: left };
      const { records } = await this.lease.read(last.offset + 1n, options);
      if (records.length === 0) return;
      this.#ahead.push(...records);
      bytes += records.reduce((sum, record) => sum + record.value.length, 0);
    }
  }
}
