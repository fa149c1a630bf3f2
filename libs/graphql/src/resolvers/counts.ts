import type { Missing } from '@flowledger/query';

const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * A sum for a place where null is allowed: beyond 2^53-1 it is null and named in `missing`, because a JSON number
 * could only hold it rounded.
 */
export function exactCount(value: bigint | null, path: string, missing: Missing[]): number | null {
  if (value === null) return null;
  if (value <= MAX_EXACT) return Number(value);
  if (!missing.some((one) => one.path === path)) {
    missing.push({ path, reason: 'OVERFLOW', hint: 'the sum exceeds 2^53-1; ask for a shorter window' });
  }
  return null;
}
