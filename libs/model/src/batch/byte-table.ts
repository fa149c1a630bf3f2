import { doubled } from './grow.js';
import type { TextBuffer } from './text-buffer.js';

/**
 * Gives equal runs of bytes equal small numbers, without decoding them: the dictionary behind every repeated string and
 * the cache key of endpoint messages. Id 0 is the empty run. Open addressing, linear probing; bytes live in one arena.
 */
export class ByteTable {
  /** Number of ids given out, the empty run included. */
  count = 1;
  /** True when the last {@link id} call met its bytes for the first time. */
  added = false;
  #arena = new Uint8Array(4096);
  #view = new DataView(this.#arena.buffer);
  #ends = new Uint32Array(256);
  #hashes = new Int32Array(256);
  #slots = new Int32Array(512);

  /** Bytes held. */
  get size(): number {
    return this.#ends[this.count - 1] ?? 0;
  }

  /** Id of `view[start, end)`. `view` and `bytes` are the same memory. */
  id(view: DataView, bytes: Uint8Array, start: number, end: number): number {
    this.added = false;
    if (start === end) return 0;
    const hash = hashBytes(view, bytes, start, end);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const id = this.#slots[slot] ?? 0;
      if (id === 0) return this.#add(bytes, start, end, hash, slot);
      if (this.#hashes[id] === hash && this.is(id, view, bytes, start, end)) return id;
      slot = (slot + 1) & mask;
    }
  }

  /** Like {@link id}, but -1 for bytes not met before, which are not added. */
  find(view: DataView, bytes: Uint8Array, start: number, end: number): number {
    if (start === end) return 0;
    const hash = hashBytes(view, bytes, start, end);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const id = this.#slots[slot] ?? 0;
      if (id === 0) return -1;
      if (this.#hashes[id] === hash && this.is(id, view, bytes, start, end)) return id;
      slot = (slot + 1) & mask;
    }
  }

  /** Takes back the id that the last call added: the bytes turned out to be unusable. */
  forgetLast(): void {
    this.count--;
    const hash = this.#hashes[this.count] ?? 0;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== this.count) slot = (slot + 1) & mask;
    this.#slots[slot] = 0;
  }

  /** How many bytes `id` has. */
  lengthOf(id: number): number {
    return (this.#ends[id] ?? 0) - this.#start(id);
  }

  /** A copy of the bytes of `id`. */
  bytesOf(id: number): Uint8Array {
    return this.#arena.slice(this.#start(id), this.#ends[id]);
  }

  /** The bytes of `id` in place: they never change while `id` is in use. */
  viewOf(id: number): Uint8Array {
    return this.#arena.subarray(this.#start(id), this.#ends[id]);
  }

  /** The bytes of all ids, one after the other, in place. */
  get all(): Uint8Array {
    return this.#arena.subarray(0, this.size);
  }

  /** Appends the bytes of `id` to `out`. */
  copyTo(out: TextBuffer, id: number): void {
    out.copy(this.#arena, this.#start(id), this.#ends[id] ?? 0);
  }

  #start(id: number): number {
    return id === 0 ? 0 : (this.#ends[id - 1] ?? 0);
  }

  /** Whether `view[start, end)` are the bytes of `id`. */
  is(id: number, view: DataView, bytes: Uint8Array, start: number, end: number): boolean {
    let at = this.#start(id);
    if ((this.#ends[id] ?? 0) - at !== end - start || id >= this.count) return false;
    const held = this.#view;
    let i = start;
    for (; i + 16 <= end; i += 16, at += 16) {
      const unlike =
        (view.getInt32(i, true) ^ held.getInt32(at, true)) |
        (view.getInt32(i + 4, true) ^ held.getInt32(at + 4, true)) |
        (view.getInt32(i + 8, true) ^ held.getInt32(at + 8, true)) |
        (view.getInt32(i + 12, true) ^ held.getInt32(at + 12, true));
      if (unlike !== 0) return false;
    }
    for (; i + 4 <= end; i += 4, at += 4)
      if (view.getInt32(i, true) !== held.getInt32(at, true)) return false;
    for (; i < end; i++, at++) if (bytes[i] !== this.#arena[at]) return false;
    return true;
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const id = this.count++;
    const from = this.#start(id);
    this.#reserve(from + end - start);
    this.#arena.set(bytes.subarray(start, end), from);
    this.#ends[id] = from + end - start;
    this.#hashes[id] = hash;
    this.#slots[slot] = id;
    this.added = true;
    if (this.count * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #reserve(size: number): void {
    if (size > this.#arena.length) {
      const arena = new Uint8Array(Math.max(size, this.#arena.length * 2));
      arena.set(this.#arena);
      this.#arena = arena;
      this.#view = new DataView(arena.buffer);
    }
    if (this.count <= this.#ends.length) return;
    this.#ends = doubled(this.#ends);
    const hashes = new Int32Array(this.#ends.length);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 1; id < this.count; id++) {
      let slot = (this.#hashes[id] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.#slots = slots;
  }
}

/**
 * In-memory hash only: it may change at any time. Signed, because a number beyond 2^31 would be an object of its own.
 * Independent lanes hide the latency of the multiplications.
 */
function hashBytes(view: DataView, bytes: Uint8Array, start: number, end: number): number {
  let a = end - start;
  let b = 0x3c6ef372;
  let c = 0x510e527f;
  let d = 0x1f83d9ab;
  let i = start;
  for (; i + 16 <= end; i += 16) {
    a = Math.imul((a << 13) ^ (a >>> 19) ^ view.getInt32(i, true), 0x9e3779b1);
    b = Math.imul((b << 13) ^ (b >>> 19) ^ view.getInt32(i + 4, true), 0x85ebca77);
    c = Math.imul((c << 13) ^ (c >>> 19) ^ view.getInt32(i + 8, true), 0xc2b2ae3d);
    d = Math.imul((d << 13) ^ (d >>> 19) ^ view.getInt32(i + 12, true), 0x27d4eb2f);
  }
  for (; i + 4 <= end; i += 4) a = Math.imul((a << 13) ^ (a >>> 19) ^ view.getInt32(i, true), 0x9e3779b1);
  for (; i < end; i++) a = Math.imul(a ^ (bytes[i] ?? 0), 0x01000193);
  return finalMix(a ^ ((b << 7) | (b >>> 25)) ^ ((c << 12) | (c >>> 20)) ^ ((d << 18) | (d >>> 14)));
}

/**
 * A hash over head and tail only: where a small cache of guesses looks first. Endpoint messages differ in their first
 * bytes (endpoint id, identity) or their last (pod name, cluster).
 */
export function edgeHash(view: DataView, start: number, end: number): number {
  let hash = end - start;
  if (end - start < 48) return finalMix(hash);
  hash = Math.imul(hash ^ view.getInt32(start, true), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ view.getInt32(start + 4, true), 0x85ebca77);
  for (let i = end - 32; i < end; i += 8) {
    const word = Math.imul(view.getInt32(i, true), 0xc2b2ae3d) ^ view.getInt32(i + 4, true);
    hash = Math.imul((hash << 13) ^ (hash >>> 19) ^ word, 0x27d4eb2f);
  }
  return finalMix(hash);
}

function finalMix(value: number): number {
  const mixed = Math.imul(value ^ (value >>> 16), 0xc2b2ae35);
  return mixed ^ (mixed >>> 15);
}
