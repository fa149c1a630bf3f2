import type { FixedColumn, FixedType } from '../columns.js';
import { FLOW_FIELDS } from '../fields.js';
import { FIXED_WIDTH, isFixedType, laneOf, ROW_LANES } from './lanes.js';
import type { DictionaryMaker } from './dictionary.js';
import type { DictionaryColumn } from '../columns.js';

/**
 * The fixed-width and dictionary columns of `flows`: rows arrive as lanes, a chunk at a time, and leave as columns. One
 * tight loop per column and chunk keeps the chunk in cache and every loop on one type.
 */
export class FixedColumns {
  readonly #slots = FLOW_FIELDS.filter(
    (field) => isFixedType(field.type) || field.type === 'LowCardinality(String)',
  ).map((field) => new Slot(field.column, isFixedType(field.type) ? field.type : 'dictionary'));
  #capacity = LEAST_ROWS;
  #rows = 0;

  /** Appends `count` rows of lanes; columns whose lane is not `touched` are zero in all of them. */
  append(lanes: Uint32Array, count: number, touched: Uint8Array): void {
    while (this.#rows + count > this.#capacity) this.#capacity *= 2;
    for (const slot of this.#slots)
      if (touched[slot.lane] === 1) slot.append(lanes, this.#rows, count, this.#capacity);
    this.#rows += count;
  }

  /** All columns, by name; starts empty again. */
  take(maker: DictionaryMaker): Map<string, FixedColumn | DictionaryColumn> {
    const columns = new Map<string, FixedColumn | DictionaryColumn>();
    for (const slot of this.#slots) columns.set(slot.name, slot.take(this.#rows, maker));
    // After a large batch, small ones give its room back step by step.
    if (this.#rows * 4 < this.#capacity) this.#capacity = Math.max(LEAST_ROWS, this.#capacity / 2);
    this.#rows = 0;
    return columns;
  }

  /** Nobody reads the columns taken last any more: their memory serves the next ones. */
  giveBack(): void {
    for (const slot of this.#slots) slot.giveBack(this.#capacity);
  }
}

const LEAST_ROWS = 4096;
const NO_BYTES = new Uint8Array(0);
/** What columns that are zero throughout are views of; never written. */
let zeros = NO_BYTES;

class Slot {
  readonly lane: number;
  readonly #width: number;
  /** Rows behind what was appended are zero; nothing is allocated for a column that is zero throughout. */
  #data = NO_BYTES;
  /** What the column taken last is made of, and how much of it. */
  #lent = NO_BYTES;
  #lentBytes = 0;

  constructor(
    readonly name: string,
    private readonly type: FixedType | 'dictionary',
  ) {
    this.lane = laneOf(name);
    this.#width = type === 'dictionary' ? 4 : FIXED_WIDTH[type];
  }

  append(lanes: Uint32Array, rows: number, count: number, capacity: number): void {
    if (this.#data.length < capacity * this.#width) {
      const data = new Uint8Array(capacity * this.#width);
      data.set(this.#data);
      this.#data = data;
    }
    const { buffer } = this.#data;
    if (this.#width === 1) fill(this.#data, rows, lanes, this.lane, count);
    else if (this.#width === 2) fill16(new Uint16Array(buffer), rows, lanes, this.lane, count);
    else if (this.#width === 4) fill32(new Uint32Array(buffer), rows, lanes, this.lane, count);
    else if (this.#width === 8) fill64(new Uint32Array(buffer), rows, lanes, this.lane, count);
    else fill128(new Uint32Array(buffer), rows, lanes, this.lane, count);
  }

  take(rows: number, maker: DictionaryMaker): FixedColumn | DictionaryColumn {
    const data = this.#bytes(rows * this.#width);
    this.#lent = this.#data;
    this.#lentBytes = Math.min(data.length, this.#data.length);
    this.#data = NO_BYTES;
    if (this.type === 'dictionary')
      return maker.column(this.name, new Uint32Array(data.buffer, data.byteOffset, rows));
    return { kind: 'fixed', name: this.name, type: this.type, data };
  }

  giveBack(capacity: number): void {
    if (this.#data === NO_BYTES && this.#lent.length <= capacity * this.#width) {
      this.#lent.fill(0, 0, this.#lentBytes);
      this.#data = this.#lent;
    }
    this.#lent = NO_BYTES;
  }

  #bytes(wanted: number): Uint8Array {
    if (this.#data.length >= wanted) return this.#data.subarray(0, wanted);
    if (this.#data.length > 0) return padded(this.#data, wanted);
    if (zeros.length < wanted) zeros = new Uint8Array(wanted);
    return zeros.subarray(0, wanted);
  }
}

/** A column that was last touched before the batch grew is zero from there on. */
function padded(data: Uint8Array, bytes: number): Uint8Array {
  const longer = new Uint8Array(bytes);
  longer.set(data);
  return longer;
}

function fill(to: Uint8Array, row: number, lanes: Uint32Array, lane: number, count: number): void {
  for (let i = 0, from = lane; i < count; i++, from += ROW_LANES) to[row + i] = lanes[from] ?? 0;
}

function fill16(to: Uint16Array, row: number, lanes: Uint32Array, lane: number, count: number): void {
  for (let i = 0, from = lane; i < count; i++, from += ROW_LANES) to[row + i] = lanes[from] ?? 0;
}

function fill32(to: Uint32Array, row: number, lanes: Uint32Array, lane: number, count: number): void {
  for (let i = 0, from = lane; i < count; i++, from += ROW_LANES) to[row + i] = lanes[from] ?? 0;
}

function fill64(to: Uint32Array, row: number, lanes: Uint32Array, lane: number, count: number): void {
  let at = row * 2;
  for (let i = 0, from = lane; i < count; i++, from += ROW_LANES) {
    to[at++] = lanes[from] ?? 0;
    to[at++] = lanes[from + 1] ?? 0;
  }
}

function fill128(to: Uint32Array, row: number, lanes: Uint32Array, lane: number, count: number): void {
  let at = row * 4;
  for (let i = 0, from = lane; i < count; i++, from += ROW_LANES)
    for (let k = 0; k < 4; k++) to[at++] = lanes[from + k] ?? 0;
}
