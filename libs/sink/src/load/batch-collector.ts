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
/** A batch of so many bytes of rows is large: partitions make these one after the other, so that the first is ready soon. */
const SMALL_BYTES = 2 * 1024 * 1024;
/**
 * While the loader is behind, a large batch of so many rows is written as soon as the store has nothing large to do. Batches of 10,000
 * took a third more processor time a flow in the long run (docs/86): each insert has its price, and its parts must be merged.
 */
const RIPE_ROWS = 50_000;
/** How long to wait for the first record of a batch before saying that there is none. */
const IDLE_WAIT_MS = 1_000;

/**
 * Reads records of one lease and projects them into batches that end where a limit says so: by age while the loader
 * keeps up, by rows and bytes while it is behind. Holds at most one read (4 MiB, 16 MiB of an import, or one record)
 * beyond the batch it makes.
 */
export class BatchCollector {
  readonly #projection: Projection;
  /** Records read but not yet in a batch. */
  #ahead: StoredRecord[] = [];
  /** The batch made last ended by a limit of size: its partition has more at hand. */
  #wasCut = false;
  /** Ends the turn to make a large batch; undefined while this one is small. */
  #turn: (() => void) | undefined;

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
    let full = false;
    this.endTurn();
    this.dedup.beginBatch();
    for (;;) {
      const wait = first === undefined ? IDLE_WAIT_MS : deadline - clock.monotonic();
      const behind = this.#isBehind(last);
      if (wait < 0 && !behind) break;
      // The rest of what was waiting has waited long enough.
      const patient = to === undefined && !(behind && this.#wasCut);
      if (!(await this.#readOn(last?.offset ?? next - 1n, patient ? Math.max(0, wait) : 0))) break;
      if (first === undefined) deadline = clock.monotonic() + limits.maxAgeMs;
      const from = (first ?? this.#ahead[0])?.offset ?? next;
      await this.patience.until('dedup_import', () =>
        this.dedup.prepare(this.#ahead, from, this.lease.signal),
      );
      full = false;
      while (!full && this.#ahead.length > 0) {
        const record = this.#ahead[0];
        if (record === undefined || (to !== undefined && record.offset > to)) break;
        this.#ahead.shift();
        this.dedup.beginRecord(record);
        this.#projection.add(record);
        // Without the value: a batch in flight holds rows, not records.
        last = { offset: record.offset, appendedMs: record.appendedMs };
        first ??= last;
        full = to === undefined ? this.#isFull() || this.#isRipe(last) : record.offset === to;
      }
      if (full || this.#ahead.length > 0 || this.lease.signal.aborted) break;
      await this.#takeTurn();
    }
    this.#wasCut = full && to === undefined;
    if (first === undefined || last === undefined) return undefined;
    return {
      from: first.offset,
      to: last.offset,
      appendedMs: first.appendedMs,
      projected: this.#projection.take(),
    };
  }

  /**
   * True when the log took the last record long ago: then more are waiting, and a larger insert (each costs the engine
   * 0.14 s before its first row, measured) catches up sooner than an early one.
   */
  #isBehind(last: TakenRecord | undefined): boolean {
    const { clock, limits } = this.context;
    return last !== undefined && clock.now() - last.appendedMs > limits.maxAgeMs;
  }

  /** Waits until no other partition makes a large batch, once this one becomes large. */
  async #takeTurn(): Promise<void> {
    const { making } = this.context;
    if (this.#turn !== undefined || this.#projection.bytes < SMALL_BYTES) return;
    // It rejects when the lease ends: then this batch is not loaded any more.
    this.#turn = await making.take(this.lease.signal).catch(() => undefined);
  }

  /** The batch made last is large; nobody makes another large one before {@link endTurn}. */
  get hasTurn(): boolean {
    return this.#turn !== undefined;
  }

  /** Lets the next partition make a large batch. */
  endTurn(): void {
    this.#turn?.();
    this.#turn = undefined;
  }

  /** Call when nobody reads the batch made last any more. */
  giveBack(): void {
    this.#projection.giveBack();
  }

  /** Makes no more batches. */
  close(): void {
    this.endTurn();
  }

  #isFull(): boolean {
    const { maxRows, maxBytes } = this.context.limits;
    const { rows, bytes } = this.#projection;
    return rows >= maxRows || bytes >= maxBytes || this.#projection.partitionsTouched() >= MAX_DAYS;
  }

  /**
   * True when waiting for more rows would leave the store idle: so batches grow for as long as the store needs for the
   * one before, and both cores are busy from the first rows on.
   */
  #isRipe(last: TakenRecord): boolean {
    return (
      this.hasTurn &&
      this.context.writing.free > 0 &&
      this.#projection.rows >= RIPE_ROWS &&
      this.#isBehind(last)
    );
  }

  /** Makes sure that there is a record after `last` at hand; false when none came in time. */
  async #readOn(last: bigint, waitMs: number): Promise<boolean> {
    if (this.#ahead.length > 0) return true;
    if (this.lease.signal.aborted) return false;
    const options = { maxBytes: READ_BYTES, maxWaitMs: waitMs };
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
