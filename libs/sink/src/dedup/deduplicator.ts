import type { ColumnStore } from '@flowledger/column-store';
import type { StoredRecord } from '@flowledger/event-log';
import { readEnvelope, type StreamKey } from '@flowledger/model';
import { planOf } from '../sql.js';
import { DedupWindow } from './dedup-window.js';
import { mergeRanges, secondsOf, type SecondRange } from './import-times.js';
import { KeySet } from './key-set.js';

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

/** Sources whose events may be much older than what their stream sent last. */
const REPEATING_SOURCES: ReadonlySet<string> = new Set(['import', 'hubble-file']);

const RANGES_AT_ONCE = 200;

/** Where the events of one record come from, and when they were. */
interface Origin {
  /** They may be much older than what their stream sent last. */
  readonly repeats: boolean;
  readonly seconds: readonly SecondRange[];
}

interface KeyRow {
  readonly lo: string;
  readonly tenant: string;
  readonly cluster: string;
  readonly node: string;
  readonly indexes: readonly number[];
  /** 8 bytes a key, little-endian, in base64. */
  readonly keys: string;
}

/**
 * Decides which events of one partition are duplicates, in log order:
 *
 * - every event: its key is in the {@link DedupWindow} of its stream;
 * - an event of an import or a file: its key was also accepted anywhere earlier in this partition, with a bucket time
 *   in the seconds of the envelope's events (read from the store before the batch is decoded), or in this batch. Times
 *   that are not kept as `bucket_time` (too old, in the future) are found by the window only.
 *
 * Owned by one lease; `seed` before the first record.
 */
export class Deduplicator {
  readonly #window = new DedupWindow();
  /** Keys of the store that lie in the times of the imports of this batch, by stream id. */
  readonly #stored = new Map<string, KeySet>();
  /** Keys accepted since the batch began, by stream id. */
  readonly #batch = new Map<string, KeySet>();
  readonly #words = new Uint32Array(2);
  readonly #value = new BigUint64Array(this.#words.buffer);
  readonly #origins = new WeakMap<StoredRecord, Origin>();
  #record = 0;
  #repeating = false;

  constructor(
    private readonly store: ColumnStore,
    private readonly place: LogPlace,
    private readonly former?: FormerKeys,
  ) {}

  /** Fills the window with what was accepted before `next`, so that it is what it would be without the restart. */
  async seed(next: bigint, signal: AbortSignal): Promise<void> {
    if (this.former !== undefined) await this.#seedFrom(this.former.store, this.former.before, signal);
    await this.#seedFrom(this.store, next, signal);
  }

  async #seedFrom(store: ColumnStore, next: bigint, signal: AbortSignal): Promise<void> {
    const params = { epoch: this.place.epoch, partition: this.place.partition, next };
    const reach = await store.query<{ first: string }>(planOf('dedup_reach', params), signal);
    const first = BigInt(reach.rows[0]?.first ?? 0);
    const { rows } = await store.query<KeyRow>(planOf('dedup_seed', { ...params, first }), signal);
    for (let from = 0, to = 0; from < rows.length; from = to) {
      while (to < rows.length && rows[to]?.lo === rows[from]?.lo) to++;
      this.#seedRecord(rows.slice(from, to));
    }
  }

  /** Keys of one record, streams merged in the order of the events. */
  #seedRecord(rows: readonly KeyRow[]): void {
    const record = Number(BigInt(rows[0]?.lo ?? 0) & 0xffff_ffffn);
    const accepted = rows.flatMap((row) => {
      const keys = unpack(row.keys);
      return row.indexes.map((index, i) => ({
        index,
        id: streamId(row),
        lo: keys[2 * i] ?? 0,
        hi: keys[2 * i + 1] ?? 0,
      }));
    });
    if (rows.length > 1) accepted.sort((a, b) => a.index - b.index);
    for (const { id, lo, hi } of accepted) this.#window.accept(id, lo, hi, record);
  }

  /** Starts a batch: what the last one brought is in the store now. */
  beginBatch(): void {
    this.#stored.clear();
    this.#batch.clear();
  }

  /** True when {@link prepare} would have to ask the store for these records. */
  asksStore(records: readonly StoredRecord[]): boolean {
    return records.some((record) => this.#originOf(record).repeats);
  }

  /** Reads from the store what imports among the next records might repeat. `from` is the first offset of the batch. */
  async prepare(records: readonly StoredRecord[], from: bigint, signal: AbortSignal): Promise<void> {
    const ranges = mergeRanges(records.flatMap((record) => this.#originOf(record).seconds));
    // A few ranges at a time: parameters travel in the address of the request.
    for (let at = 0; at < ranges.length; at += RANGES_AT_ONCE) {
      const some = ranges.slice(at, at + RANGES_AT_ONCE);
      if (this.former !== undefined)
        await this.#readStored(this.former.store, this.former.before, some, signal);
      await this.#readStored(this.store, from, some, signal);
    }
  }

  async #readStored(
    store: ColumnStore,
    from: bigint,
    ranges: readonly SecondRange[],
    signal: AbortSignal,
  ): Promise<void> {
    const params = {
      epoch: this.place.epoch,
      partition: this.place.partition,
      from,
      first: ranges[0]?.first ?? 0,
      last: ranges.at(-1)?.last ?? 0,
      firsts: ranges.map((range) => range.first),
      lasts: ranges.map((range) => range.last),
    };
    const { rows } = await store.query<KeyRow>(planOf('dedup_import', params), signal);
    for (const row of rows) {
      const [set, keys] = [keysOf(this.#stored, streamId(row)), unpack(row.keys)];
      for (let i = 0; i < keys.length; i += 2) set.add(keys[i] ?? 0, keys[i + 1] ?? 0);
    }
  }

  /** Says which record the next questions are about. */
  beginRecord(record: StoredRecord): void {
    this.#record = Number(record.offset & 0xffff_ffffn);
    this.#repeating = this.#originOf(record).repeats;
  }

  /** What an envelope's header says about its origin; read once a record. */
  #originOf(record: StoredRecord): Origin {
    const known = this.#origins.get(record);
    if (known !== undefined) return known;
    const layout = readEnvelope(record.value);
    const repeats = layout.ok && REPEATING_SOURCES.has(layout.value.header.source);
    const seconds = repeats ? secondsOf(record.value, layout.value.header) : [];
    const origin = { repeats, seconds };
    this.#origins.set(record, origin);
    return origin;
  }

  /** The projection's question; remembers the keys it lets through. */
  isDuplicate(stream: StreamKey, eventKey: bigint): boolean {
    this.#value[0] = eventKey;
    const [lo, hi] = [this.#words[0] ?? 0, this.#words[1] ?? 0];
    const { id } = stream;
    if (this.#window.has(id, lo, hi, this.#record)) return true;
    const batch = keysOf(this.#batch, id);
    if (this.#repeating && (batch.has(lo, hi) || this.#stored.get(id)?.has(lo, hi) === true)) return true;
    this.#window.accept(id, lo, hi, this.#record);
    batch.add(lo, hi);
    return false;
  }
}

function streamId(row: KeyRow): string {
  return `${row.tenant}\0${row.cluster}\0${row.node}`;
}

/** Low and high half of each key in turn. */
function unpack(base64: string): Uint32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new Uint32Array(bytes.buffer);
}

function keysOf(sets: Map<string, KeySet>, id: string): KeySet {
  let set = sets.get(id);
  if (set === undefined) sets.set(id, (set = new KeySet()));
  return set;
}
