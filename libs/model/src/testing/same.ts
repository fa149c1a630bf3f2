import { isDeepStrictEqual } from 'node:util';
import type { Row } from './rows.js';

/** Columns that the slow way of `expectedRow` does not say. */
const NOT_COMPARED: readonly string[] = ['_le', '_lp', '_lo', '_li', 'fallback_key', 'extra', 'policies'];

/**
 * Throws with the columns that differ. `expect` on a hundred thousand rows of 130 columns would take minutes, so it is
 * not asked.
 */
export function requireSameRow(actual: Row, expected: Row, where: object): void {
  const wrong = Object.keys(actual).filter((column) => !same(actual[column], expected[column], column));
  if (wrong.length === 0) return;
  const lines = wrong.map(
    (column) => `${column}: ${show(actual[column])}, expected ${show(expected[column])}`,
  );
  throw new Error(`row differs at ${show(where)}\n${lines.join('\n')}`);
}

function same(actual: unknown, expected: unknown, column: string): boolean {
  return actual === expected || NOT_COMPARED.includes(column) || isDeepStrictEqual(actual, expected);
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_name, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ??
    'absent'
  );
}
