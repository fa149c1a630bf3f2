import type { ColumnBatch } from '@flowledger/model';
import { AppError } from '@flowledger/platform';

/** Reads one fixed-width column of a batch value by value. Throws INTERNAL when the batch has no such column. */
export function fixedView(batch: ColumnBatch, name: string): DataView {
  const column = batch.columns.find((candidate) => candidate.name === name);
  if (column?.kind !== 'fixed')
    throw new AppError('INTERNAL', `${batch.table} has no fixed column ${name}`, { retry: false });
  return new DataView(column.data.buffer, column.data.byteOffset, column.data.byteLength);
}

/** Position of a row within its log partition. */
export interface RowPosition {
  readonly offset: bigint;
  readonly index: number;
}

/** `_lo` and `_li` of every row of a batch of facts. */
export function rowPositions(batch: ColumnBatch): readonly RowPosition[] {
  const offsets = fixedView(batch, '_lo');
  const indexes = fixedView(batch, '_li');
  return Array.from({ length: batch.rows }, (_, row) => ({
    offset: offsets.getBigUint64(row * 8, true),
    index: indexes.getUint32(row * 4, true),
  }));
}

const SECOND_NS = 1_000_000_000n;

/** `bucket_time` of every row, whole seconds since 1970. */
export function bucketSeconds(batch: ColumnBatch): Float64Array {
  const times = fixedView(batch, 'bucket_time');
  const seconds = new Float64Array(batch.rows);
  for (let row = 0; row < batch.rows; row++) {
    const time = times.getBigInt64(row * 8, true);
    const whole = time / SECOND_NS;
    seconds[row] = Number(time < 0n && whole * SECOND_NS !== time ? whole - 1n : whole);
  }
  return seconds;
}

/** The distinct hours (start, seconds since 1970) that rows of a batch fall into, ascending. */
export function touchedHours(batch: ColumnBatch): number[] {
  const hours = new Set<number>();
  for (const second of bucketSeconds(batch)) hours.add(Math.floor(second / 3600) * 3600);
  return [...hours].toSorted((a, b) => a - b);
}
