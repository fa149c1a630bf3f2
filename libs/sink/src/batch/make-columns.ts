import type { BytesColumn, DictionaryColumn, FixedColumn } from '@flowledger/model';

/** Columns of small tables (the books), made from plain values. Hot tables never pass here. */
export function uint64Column(name: string, values: readonly bigint[]): FixedColumn {
  const data = new Uint8Array(values.length * 8);
  const view = new DataView(data.buffer);
  values.forEach((value, row) => view.setBigUint64(row * 8, value, true));
  return { kind: 'fixed', name, type: 'UInt64', data };
}

/** 8, 16 or 32 bit unsigned numbers, or seconds since 1970. */
export function numberColumn(
  name: string,
  type: 'UInt8' | 'UInt16' | 'UInt32' | "DateTime('UTC')",
  values: readonly number[],
): FixedColumn {
  const width = type === 'UInt8' ? 1 : type === 'UInt16' ? 2 : 4;
  const data = new Uint8Array(values.length * width);
  const view = new DataView(data.buffer);
  values.forEach((value, row) => {
    if (width === 1) view.setUint8(row, value);
    else if (width === 2) view.setUint16(row * 2, value, true);
    else view.setUint32(row * 4, value, true);
  });
  return { kind: 'fixed', name, type, data };
}

/** Milliseconds since 1970. */
export function milliColumn(name: string, values: readonly number[]): FixedColumn {
  const data = new Uint8Array(values.length * 8);
  const view = new DataView(data.buffer);
  values.forEach((value, row) => view.setBigInt64(row * 8, BigInt(Math.trunc(value)), true));
  return { kind: 'fixed', name, type: "DateTime64(3, 'UTC')", data };
}

/** Repeated words. */
export function wordColumn(name: string, values: readonly string[]): DictionaryColumn {
  const ids = new Map<string, number>([['', 0]]);
  const indices = new Uint32Array(values.length);
  values.forEach((value, row) => {
    const id = ids.get(value) ?? ids.size;
    ids.set(value, id);
    indices[row] = id;
  });
  const dictionary = [...ids.keys()].map((word) => Buffer.from(word, 'utf8'));
  return { kind: 'dictionary', name, type: 'LowCardinality(String)', dictionary, indices };
}

/** Byte strings. */
export function bytesColumn(name: string, values: readonly Uint8Array[]): BytesColumn {
  const ends = new Uint32Array(values.length);
  let size = 0;
  values.forEach((value, row) => {
    size += value.length;
    ends[row] = size;
  });
  return { kind: 'bytes', name, type: 'String', ends, data: Buffer.concat(values) };
}
