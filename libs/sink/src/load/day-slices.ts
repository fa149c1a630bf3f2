import type { ColumnBatch } from '@flowledger/model';
import { bucketSeconds } from '../batch/read-column.js';
import { selectRows } from '../batch/select-rows.js';

/** Table partitions one INSERT may touch (design section 5). */
export const MAX_DAYS = 16;
const DAY_S = 86_400;

/**
 * Cuts a batch of facts so that no part touches more than {@link MAX_DAYS} days. Depends on the rows alone, so a rebuilt
 * batch is cut alike and its tokens name the same rows. Almost always one part: the batch itself.
 */
export function daySlices(batch: ColumnBatch): readonly ColumnBatch[] {
  if (batch.rows === 0) return [];
  const days = bucketSeconds(batch).map((second) => Math.floor(second / DAY_S));
  const distinct = [...new Set(days)].toSorted((a, b) => a - b);
  if (distinct.length <= MAX_DAYS) return [batch];
  const sliceOfDay = new Map(distinct.map((day, rank) => [day, Math.floor(rank / MAX_DAYS)]));
  const rows: number[][] = [];
  days.forEach((day, row) => (rows[sliceOfDay.get(day) ?? 0] ??= []).push(row));
  return rows.map((chosen) => selectRows(batch, Uint32Array.from(chosen)));
}
