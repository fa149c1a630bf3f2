import type { ArrayColumn, DictionaryColumn } from '../columns.js';
import type { StringTable } from './string-table.js';
import { doubled } from './grow.js';

/**
 * Turns string-table ids into the dictionary of one column. Entries are numbered in the order in which rows first use
 * them, so equal rows give equal columns whatever else the table holds. Reused for column after column.
 */
export class DictionaryMaker {
  #local = new Uint32Array(0);
  #stamps = new Uint32Array(0);
  #stamp = 0;

  constructor(private readonly strings: StringTable) {}

  /** Replaces the ids in `ids` by dictionary indices, in place, and returns the column. */
  column(name: string, ids: Uint32Array): DictionaryColumn {
    this.#begin();
    const dictionary: Uint8Array[] = [new Uint8Array(0)];
    const local = this.#local;
    const stamps = this.#stamps;
    const stamp = this.#stamp;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] ?? 0;
      if (id === 0) continue;
      if (stamps[id] !== stamp) {
        stamps[id] = stamp;
        local[id] = dictionary.length;
        dictionary.push(this.strings.viewOf(id));
      }
      ids[i] = local[id] ?? 0;
    }
    return { kind: 'dictionary', name, type: 'LowCardinality(String)', dictionary, indices: ids };
  }

  #begin(): void {
    if (this.#local.length < this.strings.count) {
      this.#local = new Uint32Array(this.strings.count * 2);
      this.#stamps = new Uint32Array(this.strings.count * 2);
      this.#stamp = 0;
    }
    this.#stamp++;
  }
}

/** A growing `Array(LowCardinality(String))` column of string-table ids. */
export class IdListBuilder {
  #ids = new Uint32Array(1024);
  #length = 0;
  #ends = new Uint32Array(1024);
  #rows = 0;
  #rowStart = 0;

  get size(): number {
    return this.#length * 4;
  }

  /** Items of the open row. */
  get open(): number {
    return this.#length - this.#rowStart;
  }

  add(id: number): void {
    if (this.#length === this.#ids.length) this.#ids = doubled(this.#ids);
    this.#ids[this.#length++] = id;
  }

  /** Item `i` of the open row. */
  at(i: number): number {
    return this.#ids[this.#rowStart + i] ?? 0;
  }

  rollback(): void {
    this.#length = this.#rowStart;
  }

  commit(): void {
    if (this.#rows === this.#ends.length) this.#ends = doubled(this.#ends);
    this.#ends[this.#rows++] = this.#length;
    this.#rowStart = this.#length;
  }

  take(name: string, maker: DictionaryMaker): ArrayColumn {
    const column: ArrayColumn = {
      kind: 'array',
      name,
      type: 'Array(LowCardinality(String))',
      ends: this.#ends.slice(0, this.#rows),
      items: maker.column('', this.#ids.slice(0, this.#length)),
    };
    this.#length = 0;
    this.#rows = 0;
    this.#rowStart = 0;
    return column;
  }
}
