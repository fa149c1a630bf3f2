import type { Column, ColumnBatch, DictionaryColumn, FixedColumn, FixedType } from '../columns.js';
import { FIXED_WIDTH, isFixedType } from './lanes.js';
import type { FieldSpec } from '../fields.js';

/** One value of a row: numbers (bigint for 64 bits), text, raw bytes, or a list of texts. */
export type Cell = number | bigint | string | Uint8Array | readonly string[];

/** Name and type of a column; the types that small tables use. */
export interface ColumnSpec {
  readonly name: string;
  readonly type: FieldSpec['type'];
}

const ENCODER = new TextEncoder();

/**
 * Rows of a small table, cell by cell. `flows` has its own builder, {@link FlowBatch}: this one makes an object per
 * cell, which is fine for what comes a few times a second.
 */
export class TableBuilder {
  #rows: (readonly Cell[])[] = [];
  /** Estimated bytes of the rows. */
  size = 0;

  constructor(
    private readonly table: string,
    private readonly columns: readonly ColumnSpec[],
  ) {}

  get rows(): number {
    return this.#rows.length;
  }

  /** Appends a row; `cells` are in the order of the columns. */
  append(cells: readonly Cell[]): void {
    if (cells.length !== this.columns.length)
      throw new RangeError(`${cells.length} cells for ${this.columns.length} columns of ${this.table}`);
    this.#rows.push(cells);
    for (const cell of cells)
      this.size += typeof cell === 'string' || cell instanceof Uint8Array ? cell.length : 8;
  }

  /** The rows as a batch; starts empty again. */
  take(): ColumnBatch {
    const rows = this.#rows;
    this.#rows = [];
    this.size = 0;
    const columns = this.columns.map((column, i) =>
      makeColumn(
        column,
        rows.map((row) => row[i] ?? 0),
      ),
    );
    return { table: this.table, rows: rows.length, columns };
  }
}

function makeColumn({ name, type }: ColumnSpec, cells: readonly Cell[]): Column {
  if (isFixedType(type)) return fixedColumn(name, type, cells);
  if (type === 'LowCardinality(String)') return dictionaryColumn(name, cells.map(bytesOf));
  if (type === 'String') return bytesColumn(name, cells.map(bytesOf));
  const lists = cells.map((cell) => (Array.isArray(cell) ? cell.map(bytesOf) : []));
  const flat = lists.flat();
  const items = type === 'Array(String)' ? bytesColumn('', flat) : dictionaryColumn('', flat);
  let end = 0;
  return { kind: 'array', name, type, ends: Uint32Array.from(lists, (list) => (end += list.length)), items };
}

function bytesOf(cell: Cell): Uint8Array {
  return cell instanceof Uint8Array ? cell : ENCODER.encode(String(cell));
}

function fixedColumn(name: string, type: FixedType, cells: readonly Cell[]): FixedColumn {
  const width = FIXED_WIDTH[type];
  const data = new Uint8Array(cells.length * width);
  const view = new DataView(data.buffer);
  cells.forEach((cell, row) => {
    if (cell instanceof Uint8Array) data.set(cell, row * width);
    else if (typeof cell === 'bigint') view.setBigUint64(row * width, BigInt.asUintN(64, cell), true);
    else if (typeof cell !== 'number') throw new RangeError(`text in column ${name}`);
    else if (width === 8) view.setBigUint64(row * width, BigInt.asUintN(64, BigInt(cell)), true);
    else if (width === 4) view.setUint32(row * width, cell, true);
    else if (width === 2) view.setUint16(row * width, cell, true);
    else view.setUint8(row * width, cell);
  });
  return { kind: 'fixed', name, type, data };
}

function bytesColumn(name: string, values: readonly Uint8Array[]): Column & { kind: 'bytes' } {
  const ends = new Uint32Array(values.length);
  let end = 0;
  values.forEach((value, row) => (ends[row] = end += value.length));
  const data = new Uint8Array(end);
  values.forEach((value, row) => data.set(value, (ends[row] ?? 0) - value.length));
  return { kind: 'bytes', name, type: 'String', ends, data };
}

function dictionaryColumn(name: string, values: readonly Uint8Array[]): DictionaryColumn {
  const dictionary: Uint8Array[] = [new Uint8Array(0)];
  const known = new Map<string, number>([['', 0]]);
  const indices = Uint32Array.from(values, (value) => {
    const key = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
    let index = known.get(key);
    if (index === undefined) {
      known.set(key, (index = dictionary.length));
      dictionary.push(value);
    }
    return index;
  });
  return { kind: 'dictionary', name, type: 'LowCardinality(String)', dictionary, indices };
}
