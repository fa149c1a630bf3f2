import type { ColumnStore } from '@flowledger/column-store';
import { planOf } from '../sql.js';

const HOUR_S = 3600;
/** Raw rows of the oldest hours may be dropped while we look; those hours are left alone. */
const EXPIRY_MARGIN_S = 2 * HOUR_S;

/**
 * Since when all raw rows are certainly there, s since 1970: what is older has begun to expire by age, or was removed
 * because of its size. Rollups and books of before cannot be compared with rows any more.
 */
export async function keptSince(
  store: ColumnStore,
  nowMs: number,
  rawTtlMs: number,
  signal?: AbortSignal,
): Promise<number> {
  const { rows } = await store.query<{ until: number }>(planOf('cut_until', {}), signal);
  const byAge = Math.floor((nowMs - rawTtlMs) / 1000) + EXPIRY_MARGIN_S;
  return Math.max(0, byAge, rows[0]?.until ?? 0);
}
