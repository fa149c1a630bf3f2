import { mix } from './key-set.js';

/** How far back duplicates are looked for. Part of the rule that decides them, so fixed: a replay must decide alike. */
export interface WindowLimits {
  /** Accepted keys of one stream. Eight rings of a Hubble agent (4,095 events each). */
  readonly perStream: number;
  /** Accepted keys of the whole partition: bounds memory however many streams there are. */
  readonly perPartition: number;
  /** Log records of the partition: bounds how far back the window must be read after a restart. */
  readonly records: number;
}

export const WINDOW_LIMITS: WindowLimits = { perStream: 32_768, perPartition: 524_288, records: 524_288 };

interface Stream {
  readonly number: number;
  /** Keys accepted since the stream was last empty. */
  accepted: number;
  /** Keys of this stream in the ring. */
  live: number;
}

const FIRST_CAPACITY = 4096;

/**
 * The keys that a partition accepted last. A key is a duplicate when the same stream accepted it among its last
 * `perStream` keys, the partition's last `perPartition` keys and the last `records` records: a pure function of what
 * was accepted in log order, so a window filled again from the tables decides as the lost one would have.
 *
 * One ring of accepted keys in order, and an open-addressing table of ring positions; no object per key.
 */
export class DedupWindow {
  readonly #limits: WindowLimits;
  #keyLo: Uint32Array;
  #keyHi: Uint32Array;
  #stream: Uint32Array;
  /** Number of the key within its stream, and low half of the record's offset, both mod 2^32. */
  #sequence: Uint32Array;
  #record: Uint32Array;
  /** Ring position + 1; 0 is free. Twice as long as the ring. */
  #table: Uint32Array;
  #accepted = 0;
  readonly #streams = new Map<string, Stream>();
  readonly #byNumber: (readonly [id: string, stream: Stream])[] = [];
  readonly #freeNumbers: number[] = [];
  #lastId: string | undefined;
  #last: Stream | undefined;

  constructor(limits: WindowLimits = WINDOW_LIMITS) {
    this.#limits = limits;
    const capacity = Math.min(FIRST_CAPACITY, limits.perPartition);
    this.#keyLo = new Uint32Array(capacity);
    this.#keyHi = new Uint32Array(capacity);
    this.#stream = new Uint32Array(capacity);
    this.#sequence = new Uint32Array(capacity);
    this.#record = new Uint32Array(capacity);
    this.#table = new Uint32Array(tableLength(capacity));
  }

  /** Keys held in memory. */
  get size(): number {
    return Math.min(this.#accepted, this.#keyLo.length);
  }

  /** Makes room for so many keys at once; growing step by step would sort all of them in again each time. */
  reserve(keys: number): void {
    while (this.#keyLo.length < Math.min(keys, this.#limits.perPartition)) this.#grow();
  }

  has(streamId: string, lo: number, hi: number, record: number): boolean {
    const stream = this.#known(streamId);
    if (stream === undefined) return false;
    const position = (this.#table[this.#find(lo, hi, stream.number)] ?? 0) - 1;
    if (position < 0) return false;
    const behindInStream = (stream.accepted - (this.#sequence[position] ?? 0)) >>> 0;
    const behindInLog = (record - (this.#record[position] ?? 0)) >>> 0;
    return behindInStream < this.#limits.perStream && behindInLog <= this.#limits.records;
  }

  /** Remembers an accepted key; `record` is the low half of its offset. Records must not go back. */
  accept(streamId: string, lo: number, hi: number, record: number): void {
    if (this.#accepted >= this.#keyLo.length && this.#keyLo.length < this.#limits.perPartition) this.#grow();
    const position = this.#accepted % this.#keyLo.length;
    if (this.#accepted >= this.#keyLo.length) this.#evict(position);
    const stream = this.#streamOf(streamId);
    stream.accepted++;
    stream.live++;
    this.#keyLo[position] = lo;
    this.#keyHi[position] = hi;
    this.#stream[position] = stream.number;
    this.#sequence[position] = stream.accepted;
    this.#record[position] = record;
    this.#table[this.#find(lo, hi, stream.number)] = position + 1;
    this.#accepted++;
  }

  /** A look-up that usually needs none: events of one stream come in a row. */
  #known(id: string): Stream | undefined {
    if (id !== this.#lastId) {
      this.#lastId = id;
      this.#last = this.#streams.get(id);
    }
    return this.#last;
  }

  #streamOf(id: string): Stream {
    const known = this.#known(id);
    if (known !== undefined) return known;
    const stream: Stream = { number: this.#freeNumbers.pop() ?? this.#byNumber.length, accepted: 0, live: 0 };
    this.#streams.set(id, stream);
    this.#last = stream;
    this.#byNumber[stream.number] = [id, stream];
    return stream;
  }

  /** The table slot of a key, or the free one where it belongs. */
  #find(lo: number, hi: number, stream: number): number {
    const mask = this.#table.length - 1;
    let slot = mix(lo, hi, stream) & mask;
    for (;;) {
      const position = (this.#table[slot] ?? 0) - 1;
      if (position < 0) return slot;
      if (this.#keyLo[position] === lo && this.#keyHi[position] === hi && this.#stream[position] === stream)
        return slot;
      slot = (slot + 1) & mask;
    }
  }

  #evict(position: number): void {
    const number = this.#stream[position] ?? 0;
    const slot = this.#find(this.#keyLo[position] ?? 0, this.#keyHi[position] ?? 0, number);
    // The same key may have been accepted again since; then the slot names the newer position and stays.
    if (this.#table[slot] === position + 1) this.#free(slot);
    const [id, stream] = this.#byNumber[number] ?? [];
    if (id === undefined || stream === undefined || --stream.live > 0) return;
    this.#streams.delete(id);
    this.#lastId = undefined;
    this.#freeNumbers.push(number);
  }

  /** Empties a slot and closes the gap, so that no search ends early. */
  #free(slot: number): void {
    const mask = this.#table.length - 1;
    let gap = slot;
    for (let next = (gap + 1) & mask; (this.#table[next] ?? 0) !== 0; next = (next + 1) & mask) {
      const position = (this.#table[next] ?? 0) - 1;
      const home =
        mix(this.#keyLo[position] ?? 0, this.#keyHi[position] ?? 0, this.#stream[position] ?? 0) & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      this.#table[gap] = position + 1;
      gap = next;
    }
    this.#table[gap] = 0;
  }

  /** Only called before the ring has gone round, so positions stay. */
  #grow(): void {
    const capacity = Math.min(this.#keyLo.length * 2, this.#limits.perPartition);
    const longer = (old: Uint32Array): Uint32Array => {
      const made = new Uint32Array(capacity);
      made.set(old);
      return made;
    };
    const used = this.#accepted;
    this.#keyLo = longer(this.#keyLo);
    this.#keyHi = longer(this.#keyHi);
    this.#stream = longer(this.#stream);
    this.#sequence = longer(this.#sequence);
    this.#record = longer(this.#record);
    this.#table = new Uint32Array(tableLength(capacity));
    for (let p = 0; p < used; p++)
      this.#table[this.#find(this.#keyLo[p] ?? 0, this.#keyHi[p] ?? 0, this.#stream[p] ?? 0)] = p + 1;
  }
}

function tableLength(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity * 2));
}
