import type { ColumnStore } from '@flowledger/column-store';
import type { StoredRecord } from '@flowledger/event-log';
import { DuplicateRule, type AcceptedKeys, type StreamKey } from '@flowledger/model';
import { storedKeys } from './stored-keys.js';

/** Which log and partition; every statement is bound to it. */
export interface LogPlace {
  readonly epoch: bigint;
  readonly partition: number;
}

/** Tables that hold what was accepted before a replay's first record. */
export interface FormerKeys {
  readonly store: ColumnStore;
  /** First offset of the replay. */
  readonly before: bigint;
}

/**
 * The {@link DuplicateRule} of one partition, fed from the store: `seed` before the first record, `prepare` before the
 * records of a batch are decoded. Owned by one lease.
 */
export class Deduplicator {
  readonly #rule = new DuplicateRule();
  readonly #keys: AcceptedKeys;
  readonly #formerKeys: AcceptedKeys | undefined;

  constructor(
    store: ColumnStore,
    private readonly place: LogPlace,
    private readonly former?: FormerKeys,
  ) {
    this.#keys = storedKeys(store);
    this.#formerKeys = former === undefined ? undefined : storedKeys(former.store);
  }

  /** Fills the window with what was accepted before `next`, so that it is what it would be without the restart. */
  async seed(next: bigint, signal: AbortSignal): Promise<void> {
    if (this.former !== undefined && this.#formerKeys !== undefined)
      this.#rule.seed(await this.#formerKeys.before(this.place, this.former.before, signal));
    this.#rule.seed(await this.#keys.before(this.place, next, signal));
  }

  /** Starts a batch: what the last one brought is in the store now. */
  beginBatch(): void {
    this.#rule.beginBatch();
  }

  /** True when {@link prepare} would have to ask the store for these records. */
  asksStore(records: readonly StoredRecord[]): boolean {
    return records.some((record) => this.#rule.repeats(record));
  }

  /** Reads from the store what imports among the next records might repeat. `from` is the first offset of the batch. */
  async prepare(records: readonly StoredRecord[], from: bigint, signal: AbortSignal): Promise<void> {
    const ranges = this.#rule.secondsOf(records);
    if (ranges.length === 0) return;
    if (this.former !== undefined && this.#formerKeys !== undefined)
      this.#rule.supply(await this.#formerKeys.within(this.place, this.former.before, ranges, signal));
    this.#rule.supply(await this.#keys.within(this.place, from, ranges, signal));
  }

  /** Says which record the next questions are about. */
  beginRecord(record: StoredRecord): void {
    this.#rule.beginRecord(record);
  }

  /** The projection's question; remembers the keys it lets through. */
  isDuplicate(stream: StreamKey, eventKey: bigint): boolean {
    return this.#rule.isDuplicate(stream, eventKey);
  }
}
