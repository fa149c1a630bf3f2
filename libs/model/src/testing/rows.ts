import type { Column, ColumnBatch, FixedType } from '../columns.js';
import { FIXED_WIDTH } from '../batch/lanes.js';

/** A row of a batch as plain values: 64-bit numbers as bigint, strings as text, 16-byte values as hex. */
export type Row = Record<string, unknown>;

/** Reads a batch back, for comparisons in tests. */
export function rowsOf(batch: ColumnBatch): Row[] {
  return Array.from({ length: batch.rows }, (_, row) =>
    Object.fromEntries(batch.columns.map((column) => [column.name, valueOf(column, row)])),
  );
}

function valueOf(column: Column, row: number): unknown {
  switch (column.kind) {
    case 'fixed':
      return fixedValue(column.type, column.data, row);
    case 'dictionary':
      return text(column.dictionary[column.indices[row] ?? 0]);
    case 'bytes':
      return text(column.data.subarray(row === 0 ? 0 : column.ends[row - 1], column.ends[row]));
    case 'array': {
      const start = row === 0 ? 0 : (column.ends[row - 1] ?? 0);
      const end = column.ends[row] ?? 0;
      return Array.from({ length: end - start }, (_, i) => valueOf(column.items, start + i));
    }
  }
}

/** Latin-1 where the bytes are no UTF-8, so that binary values compare too. */
function text(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) throw new RangeError('no such dictionary entry');
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = buffer.toString('utf8');
  return utf8.includes('\ufffd') ? `latin1:${buffer.toString('latin1')}` : utf8;
}

function fixedValue(type: FixedType, data: Uint8Array, row: number): unknown {
  const width = FIXED_WIDTH[type];
  const view = new DataView(data.buffer, data.byteOffset + row * width, width);
  if (width === 16) return Buffer.from(data.buffer, data.byteOffset + row * width, width).toString('hex');
  if (type === 'UInt64') return view.getBigUint64(0, true);
  if (width === 8) return view.getBigInt64(0, true);
  if (type === 'UInt8') return view.getUint8(0);
  if (type === 'Int8') return view.getInt8(0);
  if (type === 'UInt16') return view.getUint16(0, true);
  if (type === 'Int16') return view.getInt16(0, true);
  return type === 'Int32' ? view.getInt32(0, true) : view.getUint32(0, true);
}
