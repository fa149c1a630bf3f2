import { readEnvelope } from '../envelope.js';
import type { StreamKey } from '../projected-batches.js';
import type { AcceptedKeyRow } from './accepted-keys.js';
import { DedupWindow } from './dedup-window.js';
import { mergeRanges, secondsOf, type SecondRange } from './import-times.js';
import { KeySet } from './key-set.js';

/** Sources whose events may be much older than what their stream sent last. */
const REPEATING_SOURCES: ReadonlySet<string> = new Set(['import', 'hubble-file']);

/** What the rule needs of a log record. */
export interface RuledRecord {
  readonly offset: bigint;
  readonly value: Uint8Array;
}

/** Where the events of one record come from, and when they were. */
interface Origin {
  /** They may be much older than what their stream sent last. */
  readonly repeats: boolean;
  readonly seconds: readonly SecondRange[];
}

/**
 * Decides which events of one partition are duplicates, in log order. Pure; whoever owns it brings the keys:
 *
 * - every event: its key is in the {@link DedupWindow} of its stream, filled by {@link seed} before the first record;
 * - an event of an import or a file: its key was also accepted anywhere earlier in this partition, with a bucket time
 *   in the seconds of the envelope's events (brought by {@link supply} before the record is decoded), or in this batch.
 *   Times that are not kept as `bucket_time` (too old, in the future) are found by the window only.
 */
export class DuplicateRule {
  readonly #window = new DedupWindow();
  /** Keys of the store that lie in the times of the imports of this batch, by stream id. */
  readonly #stored = new Map<string, KeySet>();
  /** Keys accepted since the batch began, by stream id. */
  readonly #batch = new Map<string, KeySet>();
  readonly #words = new Uint32Array(2);
  readonly #value = new BigUint64Array(this.#words.buffer);
  readonly #origins = new WeakMap<RuledRecord, Origin>();
  #record = 0;
  #repeating = false;

  /** Fills the window with rows of `AcceptedKeys.before`, oldest record first. */
  seed(rows: readonly AcceptedKeyRow[]): void {
    for (let from = 0, to = 0; from < rows.length; from = to) {
      while (to < rows.length && rows[to]?.lo === rows[from]?.lo) to++;
      this.#seedRecord(rows.slice(from, to));
    }
  }

  /** Keys of one record, streams merged in the order of the events. */
  #seedRecord(rows: readonly AcceptedKeyRow[]): void {
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

  /** Starts a batch: what the last one brought can be asked of the store now. */
  beginBatch(): void {
    this.#stored.clear();
    this.#batch.clear();
  }

  /** The seconds whose accepted keys {@link supply} must bring before these records are decoded; usually none. */
  secondsOf(records: readonly RuledRecord[]): readonly SecondRange[] {
    return mergeRanges(records.flatMap((record) => this.#originOf(record).seconds));
  }

  /** True when a record is of an import or a file. */
  repeats(record: RuledRecord): boolean {
    return this.#originOf(record).repeats;
  }

  /** Takes rows of `AcceptedKeys.within`. */
  supply(rows: readonly AcceptedKeyRow[]): void {
    for (const row of rows) {
      const [set, keys] = [keysOf(this.#stored, streamId(row)), unpack(row.keys)];
      for (let i = 0; i < keys.length; i += 2) set.add(keys[i] ?? 0, keys[i + 1] ?? 0);
    }
  }

  /** Says which record the next questions are about. */
  beginRecord(record: RuledRecord): void {
    this.#record = Number(record.offset & 0xffff_ffffn);
    this.#repeating = this.#originOf(record).repeats;
  }

  /** What an envelope's header says about its origin; read once a record. */
  #originOf(record: RuledRecord): Origin {
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

function streamId(row: AcceptedKeyRow): string {
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
