import type { ArrayColumn, BytesColumn, Column, ColumnBatch, DictionaryColumn } from '@flowledger/model';
import { AppError } from '@flowledger/platform';
import { FIXED_WIDTH } from './native.js';

const HAS_ADDITIONAL_KEYS = 0x200n;
const KEY_WIDTHS = [1, 2, 4] as const;

/** Reads Native blocks in place; anything unexpected is a fault, since the engine itself wrote them. */
class BlockReader {
  pos = 0;
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.pos >= this.bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.pos++];
      if (byte === undefined || shift > 42) throw cut();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  uint64(): bigint {
    if (this.pos + 8 > this.bytes.length) throw cut();
    this.pos += 8;
    return this.#view.getBigUint64(this.pos - 8, true);
  }

  take(length: number): Uint8Array {
    const end = this.pos + length;
    if (end > this.bytes.length) throw cut();
    const taken = this.bytes.subarray(this.pos, end);
    this.pos = end;
    return taken;
  }

  text(): string {
    return Buffer.from(this.take(this.varint())).toString('utf8');
  }

  strings(rows: number): Uint8Array[] {
    return Array.from({ length: rows }, () => this.take(this.varint()));
  }

  /** Cumulative ends, of which a page never has more than fit into 32 bits. */
  ends(rows: number): Uint32Array {
    const ends = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) ends[row] = Number(this.uint64());
    return ends;
  }
}

/**
 * Decodes an answer in ClickHouse's Native format, revision 0, as `ColumnStore.readNative` gives it: one batch a block.
 * Types are those that {@link ColumnBatch} knows. Throws STORE_UNAVAILABLE (retry) for an answer that was cut and
 * INTERNAL for a type that it does not know.
 */
export function decodeNativeBlocks(bytes: Uint8Array, table: string): readonly ColumnBatch[] {
  const reader = new BlockReader(bytes);
  const batches: ColumnBatch[] = [];
  while (!reader.done) {
    const width = reader.varint();
    const rows = reader.varint();
    const columns: Column[] = [];
    for (let i = 0; i < width; i++) columns.push(readColumn(reader, rows));
    if (rows > 0) batches.push({ table, rows, columns });
  }
  return batches;
}

function readColumn(reader: BlockReader, rows: number): Column {
  const name = reader.text();
  const type = reader.text();
  if (type === 'String') return bytesColumn(reader, name, rows);
  if (type === 'LowCardinality(String)') {
    if (rows > 0) reader.uint64();
    return dictionaryColumn(reader, name, rows);
  }
  if (type === 'Array(String)' || type === 'Array(LowCardinality(String))')
    return arrayColumn(reader, name, type, rows);
  const width = FIXED_WIDTH[type as keyof typeof FIXED_WIDTH] as number | undefined;
  if (width === undefined)
    throw new AppError('INTERNAL', `native column ${name}: type ${type}`, { retry: false });
  const data = reader.take(rows * width);
  return { kind: 'fixed', name, type: type as keyof typeof FIXED_WIDTH, data };
}

function bytesColumn(reader: BlockReader, name: string, rows: number): BytesColumn {
  const ends = new Uint32Array(rows);
  const values = reader.strings(rows);
  let size = 0;
  values.forEach((value, row) => (ends[row] = size += value.length));
  return { kind: 'bytes', name, type: 'String', ends, data: Buffer.concat(values, size) };
}

function dictionaryColumn(reader: BlockReader, name: string, rows: number): DictionaryColumn {
  const empty = { kind: 'dictionary', name, type: 'LowCardinality(String)' } as const;
  if (rows === 0) return { ...empty, dictionary: [new Uint8Array(0)], indices: new Uint32Array(0) };
  const flags = reader.uint64();
  const width = KEY_WIDTHS[Number(flags & 0xffn)];
  if (width === undefined || (flags & HAS_ADDITIONAL_KEYS) === 0n)
    throw new AppError('INTERNAL', `native column ${name}: dictionary flags ${flags}`, { retry: false });
  const dictionary = reader.strings(Number(reader.uint64()));
  const count = Number(reader.uint64());
  const packed = copyOf(reader.take(count * width));
  const narrow =
    width === 1 ? packed : width === 2 ? new Uint16Array(packed.buffer) : new Uint32Array(packed.buffer);
  return { ...empty, dictionary, indices: Uint32Array.from(narrow) };
}

function arrayColumn(
  reader: BlockReader,
  name: string,
  type: ArrayColumn['type'],
  rows: number,
): ArrayColumn {
  const low = type !== 'Array(String)';
  if (low && rows > 0) reader.uint64();
  const ends = reader.ends(rows);
  const items = ends.at(-1) ?? 0;
  return {
    kind: 'array',
    name,
    type,
    ends,
    items: low ? dictionaryColumn(reader, name, items) : bytesColumn(reader, name, items),
  };
}

/** In memory of its own, and so aligned; a Buffer's `slice` would only be another view. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}

function cut(): AppError {
  return new AppError('STORE_UNAVAILABLE', 'native answer: it ends too early', { retry: true });
}
