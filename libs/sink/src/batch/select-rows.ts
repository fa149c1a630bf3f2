import type {
  ArrayColumn,
  BytesColumn,
  Column,
  ColumnBatch,
  DictionaryColumn,
  FixedColumn,
} from '@flowledger/model';

/** The given rows of a batch, in the given order, as a batch of their own. Pure; dictionaries are shared, not copied. */
export function selectRows(batch: ColumnBatch, rows: Uint32Array): ColumnBatch {
  return {
    table: batch.table,
    rows: rows.length,
    columns: batch.columns.map((column) => selectColumn(column, rows, batch.rows)),
  };
}

function selectColumn(column: Column, rows: Uint32Array, total: number): Column {
  switch (column.kind) {
    case 'fixed':
      return selectFixed(column, rows, total);
    case 'dictionary':
      return { ...column, indices: pick(column.indices, rows) };
    case 'bytes':
      return selectBytes(column, rows);
    case 'array':
      return selectArray(column, rows);
  }
}

function selectFixed(column: FixedColumn, rows: Uint32Array, total: number): FixedColumn {
  const width = total === 0 ? 0 : column.data.length / total;
  const data = new Uint8Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] ?? 0) * width;
    for (let k = 0; k < width; k++) data[i * width + k] = column.data[from + k] ?? 0;
  }
  return { ...column, data };
}

function selectBytes(column: BytesColumn, rows: Uint32Array): BytesColumn {
  const ends = new Uint32Array(rows.length);
  let size = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0;
    size += (column.ends[row] ?? 0) - startOf(column.ends, row);
    ends[i] = size;
  }
  const data = new Uint8Array(size);
  for (let i = 0, at = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0;
    data.set(column.data.subarray(startOf(column.ends, row), column.ends[row] ?? 0), at);
    at = ends[i] ?? 0;
  }
  return { ...column, ends, data };
}

function selectArray(column: ArrayColumn, rows: Uint32Array): ArrayColumn {
  const ends = new Uint32Array(rows.length);
  let size = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0;
    size += (column.ends[row] ?? 0) - startOf(column.ends, row);
    ends[i] = size;
  }
  const items = new Uint32Array(size);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0;
    const end = column.ends[row] ?? 0;
    for (let item = startOf(column.ends, row); item < end; item++) items[at++] = item;
  }
  return { ...column, ends, items: selectItems(column.items, items) };
}

function selectItems(
  items: DictionaryColumn | BytesColumn,
  chosen: Uint32Array,
): DictionaryColumn | BytesColumn {
  return items.kind === 'bytes'
    ? selectBytes(items, chosen)
    : { ...items, indices: pick(items.indices, chosen) };
}

function pick(values: Uint32Array, rows: Uint32Array): Uint32Array {
  const picked = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = values[rows[i] ?? 0] ?? 0;
  return picked;
}

function startOf(ends: Uint32Array, row: number): number {
  return row === 0 ? 0 : (ends[row - 1] ?? 0);
}
