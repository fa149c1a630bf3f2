import type { ColumnBatch } from '@flowledger/model';
import type { RowPosition } from '../batch/read-column.js';
import { rowPositions } from '../batch/read-column.js';

/** One line of `present_rows.sql`. */
export interface PresentRow {
  readonly lo: string;
  readonly indexes: readonly number[];
}

/** What a table of facts holds of a batch. */
export interface Presence {
  /** Rows of the batch that the table does not hold. */
  readonly missing: Uint32Array;
  /** Positions that the table holds more than once. */
  readonly copies: readonly RowPosition[];
}

/** Compares a batch with what the table holds, by position. Pure. */
export function compareRows(batch: ColumnBatch, present: readonly PresentRow[]): Presence {
  const held = new Map<bigint, Set<number>>();
  const copies: RowPosition[] = [];
  for (const { lo, indexes } of present) {
    const offset = BigInt(lo);
    const seen = new Set<number>();
    const twice = new Set<number>();
    for (const index of indexes) {
      if (seen.has(index)) twice.add(index);
      seen.add(index);
    }
    for (const index of twice) copies.push({ offset, index });
    held.set(offset, seen);
  }
  const missing: number[] = [];
  rowPositions(batch).forEach(({ offset, index }, row) => {
    if (held.get(offset)?.has(index) !== true) missing.push(row);
  });
  return { missing: Uint32Array.from(missing), copies };
}
