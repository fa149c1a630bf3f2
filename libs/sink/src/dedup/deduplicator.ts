import type { ColumnStore } from '@flowledger/column-store';
import type { StoredRecord } from '@flowledger/event-log';
import {
  DuplicateRule,
  type AcceptedKeyRow,
  type AcceptedKeys,
  type SecondRange,
  type StreamKey,
} from '@flowledger/model';
import { countKeys, storedKeys } from './stored-keys.js';

/** Keys read and held at once, at most; more are asked about second by second. */
const MOST_HELD_AT_ONCE = 262_144;
/** How far behind an import's last event its next ones are expected: twice as far each time that it was not too far. */
const LEAST_AHEAD_S = 3_600;
const MOST_AHEAD_S = 86_400;
/** The last whole second that the store can name, less one. */
const LAST_S = 9_223_372_034;

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
  #aheadS = LEAST_AHEAD_S;

  constructor(
    private readonly store: ColumnStore,
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
    if (next > 0n) this.#rule.seed(await this.#keys.before(this.place, next, signal));
  }

  /** Starts a batch: what the last one brought is in the store now. */
  beginBatch(): void {
    this.#rule.beginBatch();
  }

  /** True when {@link prepare} would have to ask the store for these records. */
  asksStore(records: readonly StoredRecord[]): boolean {
    return records.some((record) => this.#rule.asks(record));
  }

  /**
   * Reads from the store what imports among the next records might repeat. `from` is the first offset of the batch.
   * Where the store holds few keys of the whole span of these records and of some time behind it, all of them are read
   * and held, and the next records need no question; else only those of the events' own seconds.
   */
  async prepare(records: readonly StoredRecord[], from: bigint, signal: AbortSignal): Promise<void> {
    const span = this.#rule.spanOf(records);
    if (span === undefined) return;
    const wide = { first: span.first, last: Math.max(span.last, Math.min(span.last + this.#aheadS, LAST_S)) };
    const count = await this.#count(wide, from, signal);
    if (count <= MOST_HELD_AT_ONCE) {
      this.#rule.hold(wide, count === 0 ? [] : await this.#read([wide], from, signal));
      this.#aheadS = Math.min(this.#aheadS * 2, MOST_AHEAD_S);
    } else {
      this.#rule.supply(await this.#read(this.#rule.secondsOf(records), from, signal));
      this.#aheadS = LEAST_AHEAD_S;
    }
  }

  /** Keys accepted before `from` in these seconds, in the tables of a replay and in those before it. */
  async #read(
    ranges: readonly SecondRange[],
    from: bigint,
    signal: AbortSignal,
  ): Promise<readonly AcceptedKeyRow[]> {
    const { former, place } = this;
    if (ranges.length === 0) return [];
    const rows = await this.#keys.within(place, from, ranges, signal);
    if (former === undefined || this.#formerKeys === undefined) return rows;
    return [...(await this.#formerKeys.within(place, former.before, ranges, signal)), ...rows];
  }

  async #count(span: SecondRange, from: bigint, signal: AbortSignal): Promise<number> {
    const { former, place, store } = this;
    const count = await countKeys(store, place, from, span, signal);
    if (former === undefined) return count;
    return count + (await countKeys(former.store, place, former.before, span, signal));
  }

  /** Says which record the next questions are about. */
  beginRecord(record: StoredRecord): void {
    this.#rule.beginRecord(record);
  }

  /** The projection's question; remembers the keys it lets through. */
  isDuplicate(stream: StreamKey, eventKey: bigint, timeKept: boolean): boolean {
    return this.#rule.isDuplicate(stream, eventKey, timeKept);
  }
}
