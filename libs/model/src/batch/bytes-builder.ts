import type { ArrayColumn, BytesColumn } from '../columns.js';
import type { Hash64 } from '../hash64.js';
import { doubled } from './grow.js';
import type { TextBuffer } from './text-buffer.js';

/**
 * A growing column of plain strings or bytes. Values are appended to the open row; {@link commit} closes it,
 * {@link rollback} empties it.
 */
export class BytesBuilder {
  rows = 0;
  #data = new Uint8Array(4096);
  #length = 0;
  #ends = new Uint32Array(1024);
  #rowStart = 0;

  get size(): number {
    return this.#length;
  }

  /** Replaces the open row's value. Returns false when the value has bytes above 127, which need a UTF-8 check. */
  set(bytes: Uint8Array, start: number, end: number): boolean {
    this.#length = this.#rowStart;
    return this.append(bytes, start, end);
  }

  /** Appends to the open row's value; same result as {@link set}. */
  append(bytes: Uint8Array, start: number, end: number): boolean {
    let at = this.#length;
    const length = end - start;
    if (at + length > this.#data.length) this.#grow(at + length);
    const data = this.#data;
    let seen = 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] ?? 0;
      seen |= byte;
      data[at++] = byte;
    }
    this.#length = at;
    return seen < 128;
  }

  /** Appends the open row's value to `out`. */
  copyOpen(out: TextBuffer, from = this.#rowStart, to = this.#length): void {
    out.copy(this.#data, from, to);
  }

  /** Appends what `write` makes of the open row's value to `out`. */
  writeOpenTemplate(
    out: TextBuffer,
    write: (out: TextBuffer, bytes: Uint8Array, start: number, end: number) => void,
  ): void {
    write(out, this.#data, this.#rowStart, this.#length);
  }

  /** Feeds the open row's value into `hash`. */
  feedOpen(hash: Hash64): void {
    hash.bytes(this.#data, this.#rowStart, this.#length);
  }

  rollback(): void {
    this.#length = this.#rowStart;
  }

  commit(): void {
    if (this.rows === this.#ends.length) this.#ends = doubled(this.#ends);
    this.#ends[this.rows++] = this.#length;
    this.#rowStart = this.#length;
  }

  /** The column so far; the builder starts empty again. */
  take(name: string): BytesColumn {
    const column: BytesColumn = {
      kind: 'bytes',
      name,
      type: 'String',
      ends: this.#ends.slice(0, this.rows),
      data: this.#data.slice(0, this.#length),
    };
    this.rows = 0;
    this.#length = 0;
    this.#rowStart = 0;
    return column;
  }

  #grow(size: number): void {
    const data = new Uint8Array(Math.max(size, this.#data.length * 2));
    data.set(this.#data.subarray(0, this.#length));
    this.#data = data;
  }
}

/** A growing `Array(String)` column: items are appended to the open row. */
export class BytesListBuilder {
  readonly #items = new BytesBuilder();
  #ends = new Uint32Array(1024);
  #rows = 0;
  #rowStart = 0;
  #marks: number[] = [];

  get size(): number {
    return this.#items.size + this.#marks.length * 4;
  }

  /** Items of the open row. */
  get open(): number {
    return this.#marks.length - this.#rowStart;
  }

  /** Appends one item; false when it has bytes above 127, which need a UTF-8 check. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    const ascii = this.#items.append(bytes, start, end);
    this.#marks.push(this.#items.size);
    return ascii;
  }

  /** Appends the items of the open row to `out`, with commas between them. */
  copyOpen(out: TextBuffer): void {
    for (let i = this.#rowStart; i < this.#marks.length; i++) {
      if (i > this.#rowStart) out.byte(0x2c);
      this.#items.copyOpen(out, i === 0 ? 0 : this.#marks[i - 1], this.#marks[i]);
    }
  }

  rollback(): void {
    if (this.#marks.length === this.#rowStart) return;
    this.#marks.length = this.#rowStart;
    this.#items.rollback();
  }

  commit(): void {
    if (this.#rows === this.#ends.length) this.#ends = doubled(this.#ends);
    this.#ends[this.#rows++] = this.#marks.length;
    this.#rowStart = this.#marks.length;
    this.#items.commit();
  }

  take(name: string): ArrayColumn {
    const items = this.#items.take('');
    const column: ArrayColumn = {
      kind: 'array',
      name,
      type: 'Array(String)',
      ends: this.#ends.slice(0, this.#rows),
      items: { ...items, ends: Uint32Array.from(this.#marks) },
    };
    this.#rows = 0;
    this.#rowStart = 0;
    this.#marks = [];
    return column;
  }
}
