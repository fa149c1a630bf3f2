import type {
  ArrayColumn,
  BytesColumn,
  Column,
  ColumnBatch,
  DictionaryColumn,
  FixedColumn,
} from '@flowledger/model';
import { AppError } from '@flowledger/platform';

/** Bytes of one value. */
export const FIXED_WIDTH: Readonly<Record<FixedColumn['type'], number>> = {
  UInt8: 1,
  Int8: 1,
  UInt16: 2,
  Int16: 2,
  UInt32: 4,
  Int32: 4,
  UInt64: 8,
  Int64: 8,
  "DateTime('UTC')": 4,
  "DateTime64(3, 'UTC')": 8,
  "DateTime64(9, 'UTC')": 8,
  IPv6: 16,
  UUID: 16,
};

/** LowCardinality in Native: keys travel with the block, and the reader's dictionary is replaced by them. */
const KEYS_VERSION = 1n;
const HAS_ADDITIONAL_KEYS = 0x200n;
const NEEDS_UPDATE = 0x400n;

function uint64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

function writeVarint(value: number, into: Uint8Array, at: number): number {
  while (value >= 0x80) {
    into[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  into[at++] = value;
  return at;
}

function varintSize(value: number): number {
  let size = 1;
  while (value >= 0x80) {
    value >>>= 7;
    size++;
  }
  return size;
}

function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintSize(value));
  writeVarint(value, bytes, 0);
  return bytes;
}

function strings(values: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const value of values) size += varintSize(value.length) + value.length;
  const out = new Uint8Array(size);
  let at = 0;
  for (const value of values) {
    at = writeVarint(value.length, out, at);
    out.set(value, at);
    at += value.length;
  }
  return out;
}

function text(value: string): Uint8Array {
  return strings([Buffer.from(value, 'utf8')]);
}

/** Strings of a bytes column. Short values are copied byte by byte: a view per value costs more than the copy. */
function bytesValues(column: BytesColumn): Uint8Array {
  const { ends, data } = column;
  let size = data.length;
  for (let row = 0, from = 0; row < ends.length; row++) {
    const to = ends[row] ?? 0;
    size += varintSize(to - from);
    from = to;
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (let row = 0, from = 0; row < ends.length; row++) {
    const to = ends[row] ?? 0;
    at = writeVarint(to - from, out, at);
    if (to - from > 64) {
      out.set(data.subarray(from, to), at);
      at += to - from;
    } else for (let i = from; i < to; i++) out[at++] = data[i] ?? 0;
    from = to;
  }
  return out;
}

/** Array offsets: UInt64 cumulative ends. */
function offsets(ends: Uint32Array): Uint8Array {
  const wide = new Uint32Array(ends.length * 2);
  for (let row = 0; row < ends.length; row++) wide[row * 2] = ends[row] ?? 0;
  return new Uint8Array(wide.buffer);
}

function dictionaryIndexes(indices: Uint32Array, width: number): Uint8Array {
  const copy = width === 1 ? new Uint8Array(indices) : width === 2 ? new Uint16Array(indices) : indices;
  return new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength);
}

function dictionaryValues(column: DictionaryColumn): Uint8Array[] {
  if (column.indices.length === 0) return [];
  const size = column.dictionary.length;
  const width = size <= 0x100 ? 1 : size <= 0x10000 ? 2 : 4;
  return [
    uint64((width === 1 ? 0n : width === 2 ? 1n : 2n) | HAS_ADDITIONAL_KEYS | NEEDS_UPDATE),
    uint64(BigInt(size)),
    strings(column.dictionary),
    uint64(BigInt(column.indices.length)),
    dictionaryIndexes(column.indices, width),
  ];
}

function arrayValues(column: ArrayColumn): Uint8Array[] {
  const { items } = column;
  if (items.kind === 'bytes') return [offsets(column.ends), bytesValues(items)];
  return [uint64(KEYS_VERSION), offsets(column.ends), ...dictionaryValues(items)];
}

function columnValues(column: Column): Uint8Array[] {
  switch (column.kind) {
    case 'fixed':
      return [column.data];
    case 'bytes':
      return [bytesValues(column)];
    case 'dictionary':
      return [uint64(KEYS_VERSION), ...dictionaryValues(column)];
    case 'array':
      return arrayValues(column);
  }
}

function rowsOf(column: Column): number {
  if (column.kind === 'fixed') return column.data.length / FIXED_WIDTH[column.type];
  return column.kind === 'dictionary' ? column.indices.length : column.ends.length;
}

function lastEnd(ends: Uint32Array): number {
  return ends.length === 0 ? 0 : (ends[ends.length - 1] ?? 0);
}

function fault(column: Column, rows: number): string | null {
  if (rowsOf(column) !== rows) return `has ${rowsOf(column)} rows, the batch has ${rows}`;
  if (column.kind === 'bytes' && lastEnd(column.ends) !== column.data.length)
    return 'ends do not cover its data';
  if (column.kind !== 'array') return null;
  const items = rowsOf(column.items);
  if (lastEnd(column.ends) !== items) return `ends at item ${lastEnd(column.ends)} of ${items}`;
  return fault(column.items, items);
}

/**
 * Encodes a batch as one block of ClickHouse's Native format, revision 0, as pieces to be sent one after the other
 * (ClickHouse `NativeWriter`, `SerializationLowCardinality`; checked against the engine's reader). Fixed-width columns
 * are passed through, not copied, so the batch must not change before the pieces are sent. Pure. Throws INTERNAL when
 * the columns do not agree about their rows: such a block would be read as something else.
 */
export function encodeNativeBlock(batch: ColumnBatch): Uint8Array[] {
  const pieces: Uint8Array[] = [varint(batch.columns.length), varint(batch.rows)];
  for (const column of batch.columns) {
    const wrong = fault(column, batch.rows);
    if (wrong !== null) {
      throw new AppError('INTERNAL', `encode ${batch.table}: column ${column.name} ${wrong}`, {
        retry: false,
      });
    }
    pieces.push(text(column.name), text(column.type));
    if (batch.rows > 0) pieces.push(...columnValues(column));
  }
  return pieces;
}
