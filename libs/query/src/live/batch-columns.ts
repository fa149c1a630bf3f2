import type { ArrayColumn, Column, ColumnBatch, DictionaryColumn, FixedColumn } from '@flowledger/model';
import type { ColumnReader, ColumnReaders } from '../flows/column-reader.js';
import { columnAddress } from './column-address.js';

const NOTHING: readonly string[] = [];
const NO_BYTES = new Uint8Array(0);
const ABSENT: ColumnReader = {
  text: () => '',
  number: () => 0,
  bigint: () => 0n,
  list: () => NOTHING,
  bytes: () => NO_BYTES,
};

/** The names that a flow page gives to columns it reads in another form. */
const PAGE_NAMES: Readonly<Record<string, string>> = {
  bucket_time: 'bucket_ns',
  policies: 'policies_base64',
  extra: 'extra_base64',
};

/** A decoded batch of columns, read by row; no text is made before it is asked for. */
export class BatchColumns implements ColumnReaders {
  readonly #columns: ReadonlyMap<string, ColumnReader>;

  constructor(batch: ColumnBatch) {
    this.#columns = new Map(
      batch.columns.map((column) => [PAGE_NAMES[column.name] ?? column.name, readerOf(column)]),
    );
  }

  has(name: string): boolean {
    return this.#columns.has(name);
  }
  column(name: string): ColumnReader {
    return this.#columns.get(name) ?? ABSENT;
  }
}

function readerOf(column: Column): ColumnReader {
  switch (column.kind) {
    case 'fixed':
      return fixedReader(column);
    case 'dictionary': {
      const texts = textsOf(column);
      return {
        ...ABSENT,
        text: (row) => texts[column.indices[row] ?? 0] ?? '',
        bytes: (row) => column.dictionary[column.indices[row] ?? 0] ?? NO_BYTES,
      };
    }
    case 'bytes': {
      const bytes = (row: number): Uint8Array =>
        column.data.subarray(startOf(column.ends, row), column.ends[row]);
      return { ...ABSENT, bytes, text: (row) => textOf(bytes(row)) };
    }
    case 'array':
      return { ...ABSENT, list: listReader(column) };
  }
}

function fixedReader({ type, data }: FixedColumn): ColumnReader {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const numbers = (number: (row: number) => number): ColumnReader => ({
    ...ABSENT,
    number,
    bigint: (row) => BigInt(number(row)),
    text: (row) => String(number(row)),
  });
  const wide = (value: (row: number) => bigint): ColumnReader => ({
    ...ABSENT,
    number: (row) => Number(value(row)),
    bigint: value,
    text: (row) => value(row).toString(),
  });
  switch (type) {
    case 'UInt8':
      return numbers((row) => view.getUint8(row));
    case 'Int8':
      return numbers((row) => view.getInt8(row));
    case 'UInt16':
      return numbers((row) => view.getUint16(row * 2, true));
    case 'Int16':
      return numbers((row) => view.getInt16(row * 2, true));
    case 'UInt32':
    case "DateTime('UTC')":
      return numbers((row) => view.getUint32(row * 4, true));
    case 'Int32':
      return numbers((row) => view.getInt32(row * 4, true));
    case 'UInt64':
      return wide((row) => view.getBigUint64(row * 8, true));
    case 'Int64':
    case "DateTime64(3, 'UTC')":
    case "DateTime64(9, 'UTC')":
      return wide((row) => view.getBigInt64(row * 8, true));
    case 'IPv6':
      return { ...ABSENT, text: (row) => columnAddress(data, row * 16) };
    case 'UUID':
      return { ...ABSENT, text: (row) => uuidText(view, row * 16) };
  }
}

/** Two little-endian words, the high one first. */
function uuidText(view: DataView, at: number): string {
  const hex = (offset: number): string =>
    view
      .getBigUint64(at + offset, true)
      .toString(16)
      .padStart(16, '0');
  const [high, low] = [hex(0), hex(8)];
  return `${high.slice(0, 8)}-${high.slice(8, 12)}-${high.slice(12)}-${low.slice(0, 4)}-${low.slice(4)}`;
}

function listReader({ ends, items }: ArrayColumn): (row: number) => readonly string[] {
  const item =
    items.kind === 'dictionary'
      ? (
          (texts) => (i: number) =>
            texts[items.indices[i] ?? 0] ?? ''
        )(textsOf(items))
      : (i: number) => textOf(items.data.subarray(startOf(items.ends, i), items.ends[i]));
  return (row) => {
    const [start, end] = [startOf(ends, row), ends[row] ?? 0];
    return start === end ? NOTHING : Array.from({ length: end - start }, (_, i) => item(start + i));
  };
}

function textsOf({ dictionary }: DictionaryColumn): readonly string[] {
  return dictionary.map(textOf);
}

function textOf(bytes: Uint8Array): string {
  return bytes.length === 0 ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

function startOf(ends: Uint32Array, row: number): number {
  return row === 0 ? 0 : (ends[row - 1] ?? 0);
}
