import { Hash64 } from '../hash64.js';
import { isUtf8 } from '../utf8.js';
import { ByteTable } from './byte-table.js';
import type { TextBuffer } from './text-buffer.js';
import { doubled } from './grow.js';

const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();

/** Returned for bytes that are no UTF-8. */
export const INVALID_UTF8 = -1;

/**
 * Every string of the batches as a small number. A string is checked and hashed once, when it is first met; meeting it
 * again costs one look-up over its bytes. Ids say nothing about order and never leave a batch.
 */
export class StringTable {
  readonly #table = new ByteTable();
  readonly #hash = new Hash64();
  #lo = new Uint32Array(256);
  #hi = new Uint32Array(256);
  /** Ids of bytes that are no text. */
  readonly #binary = new Set<number>();

  constructor() {
    this.#remember(0);
  }

  get count(): number {
    return this.#table.count;
  }

  /** Bytes held. */
  get size(): number {
    return this.#table.size;
  }

  /** Id of the UTF-8 text at `view[start, end)`, or {@link INVALID_UTF8}. `view` and `bytes` are the same memory. */
  id(view: DataView, bytes: Uint8Array, start: number, end: number): number {
    const id = this.#table.id(view, bytes, start, end);
    if (!this.#table.added) return this.#binary.size > 0 && this.#binary.has(id) ? INVALID_UTF8 : id;
    if (!isUtf8(bytes, start, end)) {
      this.#table.forgetLast();
      return INVALID_UTF8;
    }
    this.#remember(id);
    return id;
  }

  /** {@link id}, quicker when the text is the one of `guess`. */
  idLike(guess: number, view: DataView, bytes: Uint8Array, start: number, end: number): number {
    if (this.#table.is(guess, view, bytes, start, end)) return guess;
    return this.id(view, bytes, start, end);
  }

  /** Id of bytes that need not be text. */
  idOfBytes(view: DataView, bytes: Uint8Array, start: number, end: number): number {
    const id = this.#table.id(view, bytes, start, end);
    if (!this.#table.added) return id;
    this.#remember(id);
    if (!isUtf8(bytes, start, end)) this.#binary.add(id);
    return id;
  }

  /** Id of a text put together in `text`. */
  idOfBuffer(text: TextBuffer): number {
    return this.idOfBytes(text.view, text.buf, 0, text.pos);
  }

  /** Id of a JavaScript string; not for the hot path. */
  idOfText(text: string): number {
    const bytes = ENCODER.encode(text);
    return this.idOfBytes(new DataView(bytes.buffer), bytes, 0, bytes.length);
  }

  /** Appends the string to `out`. */
  copyTo(out: TextBuffer, id: number): void {
    this.#table.copyTo(out, id);
  }

  bytesOf(id: number): Uint8Array {
    return this.#table.bytesOf(id);
  }

  /** The bytes of `id` in place: they never change while `id` is in use. */
  viewOf(id: number): Uint8Array {
    return this.#table.viewOf(id);
  }

  textOf(id: number): string {
    return DECODER.decode(this.#table.viewOf(id));
  }

  /** Feeds the string's own 64-bit hash into `hash`: the same for the same text in every process. */
  feed(hash: Hash64, id: number): void {
    hash.word(this.#lo[id] ?? 0);
    hash.word(this.#hi[id] ?? 0);
  }

  #remember(id: number): void {
    if (id >= this.#lo.length) {
      this.#lo = doubled(this.#lo);
      this.#hi = doubled(this.#hi);
    }
    this.#hash.reset();
    this.#hash.bytes(this.#table.viewOf(id));
    this.#hash.finish();
    this.#lo[id] = this.#hash.lo;
    this.#hi[id] = this.#hash.hi;
  }
}
