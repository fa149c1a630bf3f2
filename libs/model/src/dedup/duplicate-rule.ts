import { readEnvelope, type EnvelopeHeader } from '../envelope.js';
import type { StreamKey } from '../projected-batches.js';
import type { AcceptedKeyRow } from './accepted-keys.js';
import { DedupWindow } from './dedup-window.js';
import { HeldKeys } from './held-keys.js';
import { hullOf, mergeRanges, secondsOf, type SecondRange } from './import-times.js';
import { KeySet } from './key-set.js';

/** Sources whose events may be much older than what their stream sent last. */
const REPEATING_SOURCES: ReadonlySet<string> = new Set(['import', 'hubble-file', 'relay-replay', 'redrive']);

/** What the rule needs of a log record. */
export interface RuledRecord {
  readonly offset: bigint;
  readonly value: Uint8Array;
}

/** Where the events of one record come from, and when they were. */
interface Origin {
  /** They may be much older than what their stream sent last. */
  readonly repeats: boolean;
  readonly header: EnvelopeHeader | undefined;
  /** Made when it is asked for: an envelope of long duration has to be looked through. */
  seconds?: readonly SecondRange[];
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
  #batch = new Map<string, KeySet>();
  /** Keys of the batch before, kept by {@link turnBatch}. */
  #former = new Map<string, KeySet>();
  #accepted = 0;
  readonly #held = new HeldKeys();
  readonly #words = new Uint32Array(2);
  readonly #value = new BigUint64Array(this.#words.buffer);
  readonly #origins = new WeakMap<RuledRecord, Origin>();
  #record = 0;
  #repeating = false;

  /** Fills the window with rows of `AcceptedKeys.before`, oldest record first. */
  seed(rows: readonly AcceptedKeyRow[]): void {
    this.#window.reserve(rows.reduce((sum, { indexes }) => sum + indexes.length, 0));
    for (let from = 0, to = 0; from < rows.length; from = to) {
      while (to < rows.length && rows[to]?.lo === rows[from]?.lo) to++;
      this.#seedRecord(rows.slice(from, to));
    }
  }

  /** Keys of one record, streams merged in the order of the events; records of one stream, the usual ones, are in order. */
  #seedRecord(rows: readonly AcceptedKeyRow[]): void {
    const [first] = rows;
    if (first === undefined) return;
    const record = Number(BigInt(first.lo) & 0xffff_ffffn);
    if (rows.length === 1) {
      const [id, keys] = [streamId(first), unpack(first.keys)];
      for (let i = 0; i < keys.length; i += 2)
        this.#window.accept(id, keys[i] ?? 0, keys[i + 1] ?? 0, record);
      return;
    }
    const accepted = rows.flatMap((row) => {
      const [id, keys] = [streamId(row), unpack(row.keys)];
      return row.indexes.map((index, i) => ({ index, id, lo: keys[2 * i] ?? 0, hi: keys[2 * i + 1] ?? 0 }));
    });
    accepted.sort((a, b) => a.index - b.index);
    for (const { id, lo, hi } of accepted) this.#window.accept(id, lo, hi, record);
  }

  /** Starts a batch: what the last one brought can be asked of the store now. */
  beginBatch(): void {
    this.#held.trim();
    this.#stored.clear();
    this.#batch.clear();
    this.#former.clear();
    this.#accepted = 0;
  }

  /** Starts a batch of which the store does not know the last one yet: that one is kept until the next call. */
  turnBatch(): void {
    this.#held.trim();
    this.#stored.clear();
    this.#former = this.#batch;
    this.#batch = new Map();
    this.#accepted = 0;
  }

  /** Keys accepted since the batch began. */
  get accepted(): number {
    return this.#accepted;
  }

  /** The seconds whose accepted keys {@link supply} must bring before these records are decoded; usually none. */
  secondsOf(records: readonly RuledRecord[]): readonly SecondRange[] {
    return mergeRanges(records.flatMap((record) => (this.asks(record) ? this.#secondsOf(record) : [])));
  }

  /** True when a record is of an import or a file, of times whose keys are not held. */
  asks(record: RuledRecord): boolean {
    return this.#missingOf(record) !== undefined;
  }

  /** One span around all seconds that would be asked about; undefined when there are none. */
  spanOf(records: readonly RuledRecord[]): SecondRange | undefined {
    let span: SecondRange | undefined;
    for (const record of records) {
      const missing = this.#missingOf(record);
      if (missing === undefined) continue;
      span = {
        first: Math.min(span?.first ?? missing.first, missing.first),
        last: Math.max(span?.last ?? missing.last, missing.last),
      };
    }
    return span;
  }

  /**
   * Takes all keys that the store holds of a span, and remembers from now on what is accepted: nothing of this span is
   * asked about again while it is held. For spans with few keys; others are brought in parts by {@link supply}.
   */
  hold(span: SecondRange, rows: readonly AcceptedKeyRow[]): void {
    const held = this.#held;
    if (held.empty)
      for (const sets of [this.#former, this.#batch]) for (const [id, keys] of sets) held.of(id).addAll(keys);
    for (const row of rows) addKeys(held.of(streamId(row)), row);
    held.cover(span);
  }

  /** Takes rows of `AcceptedKeys.within`. */
  supply(rows: readonly AcceptedKeyRow[]): void {
    for (const row of rows) addKeys(keysOf(this.#stored, streamId(row)), row);
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
    const origin: Origin = { repeats, header: repeats ? layout.value.header : undefined };
    this.#origins.set(record, origin);
    return origin;
  }

  #missingOf(record: RuledRecord): SecondRange | undefined {
    const { header } = this.#originOf(record);
    const hull = header === undefined ? undefined : hullOf(header);
    return hull === undefined ? undefined : this.#held.missing(hull);
  }

  #secondsOf(record: RuledRecord): readonly SecondRange[] {
    const origin = this.#originOf(record);
    if (origin.header === undefined) return [];
    origin.seconds ??= secondsOf(record.value, origin.header);
    return origin.seconds;
  }

  /**
   * The projection's question; remembers the keys it lets through. `timeKept`: the event's own time is its bucket time,
   * so that the store finds it by its seconds.
   */
  isDuplicate(stream: StreamKey, eventKey: bigint, timeKept = true): boolean {
    this.#value[0] = eventKey;
    const [lo, hi] = [this.#words[0] ?? 0, this.#words[1] ?? 0];
    const { id } = stream;
    if (this.#window.has(id, lo, hi, this.#record)) return true;
    const batch = keysOf(this.#batch, id);
    const held = timeKept && !this.#held.empty ? this.#held.of(id) : undefined;
    if (this.#repeating && (batch.has(lo, hi) || held?.has(lo, hi) === true || this.#knownBefore(id, lo, hi)))
      return true;
    this.#window.accept(id, lo, hi, this.#record);
    batch.add(lo, hi);
    held?.add(lo, hi);
    this.#accepted++;
    return false;
  }

  #knownBefore(id: string, lo: number, hi: number): boolean {
    return this.#stored.get(id)?.has(lo, hi) === true || this.#former.get(id)?.has(lo, hi) === true;
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

function addKeys(set: KeySet, row: AcceptedKeyRow): void {
  const keys = unpack(row.keys);
  for (let i = 0; i < keys.length; i += 2) set.add(keys[i] ?? 0, keys[i + 1] ?? 0);
}

function keysOf(sets: Map<string, KeySet>, id: string): KeySet {
  let set = sets.get(id);
  if (set === undefined) sets.set(id, (set = new KeySet()));
  return set;
}
