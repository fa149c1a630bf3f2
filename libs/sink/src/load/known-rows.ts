import type { Column, ColumnBatch } from '@flowledger/model';
import { selectRows } from '../batch/select-rows.js';

const MAX_KNOWN = 50_000;

/**
 * Remembers which rows of tables that are sets this lease has written, so that the same label set or endpoint is not
 * sent with every batch. At most 50,000 rows; then it begins anew.
 */
export class KnownRows {
  readonly #known = new Set<string>();

  /** The rows not written before, with their keys for {@link remember}. */
  unknown(batch: ColumnBatch): { readonly batch: ColumnBatch; readonly keys: readonly string[] } {
    const keys: string[] = [];
    const rows: number[] = [];
    for (let row = 0; row < batch.rows; row++) {
      const key = rowKey(batch, row);
      if (this.#known.has(key)) continue;
      keys.push(key);
      rows.push(row);
    }
    const fresh = rows.length === batch.rows ? batch : selectRows(batch, Uint32Array.from(rows));
    return { batch: fresh, keys };
  }

  /** Call once the rows are in the store. */
  remember(keys: readonly string[]): void {
    if (this.#known.size + keys.length > MAX_KNOWN) this.#known.clear();
    for (const key of keys) this.#known.add(key);
  }
}

/** All values of a row as one text; different rows of one table have different texts. */
function rowKey(batch: ColumnBatch, row: number): string {
  const parts = batch.columns.map((column) => valueKey(column, row, batch.rows));
  return `${batch.table}\0${parts.map((part) => `${part.length}:${part}`).join('')}`;
}

function valueKey(column: Column, row: number, rows: number): string {
  switch (column.kind) {
    case 'fixed': {
      const width = column.data.length / rows;
      return text(column.data.subarray(row * width, (row + 1) * width));
    }
    case 'dictionary':
      return text(column.dictionary[column.indices[row] ?? 0]);
    case 'bytes':
      return text(column.data.subarray(row === 0 ? 0 : column.ends[row - 1], column.ends[row]));
    case 'array': {
      const { items, ends } = column;
      const total = items.kind === 'bytes' ? items.ends.length : items.indices.length;
      const keys: string[] = [];
      for (let item = row === 0 ? 0 : (ends[row - 1] ?? 0); item < (ends[row] ?? 0); item++) {
        const key = valueKey(items, item, total);
        keys.push(`${key.length}:${key}`);
      }
      return keys.join('');
    }
  }
}

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined
    ? ''
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
