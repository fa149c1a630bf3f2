import { Hash64 } from '../hash64.js';

/** Sorted distinct labels and their hash. */
export interface LabelSet {
  /** UTF-8, sorted by bytes, no duplicates. */
  readonly labels: readonly Uint8Array[];
  /** {@link labelSetHash} in two halves. */
  readonly lo: number;
  readonly hi: number;
}

/** Makes a label set of labels in any order. An empty list has the hash 0. */
export function labelSetOf(labels: readonly Uint8Array[]): LabelSet {
  const sorted = [...labels].sort(compareBytes);
  const distinct = sorted.filter((label, i) => i === 0 || compareBytes(label, sorted[i - 1] ?? label) !== 0);
  if (distinct.length === 0) return { labels: distinct, lo: 0, hi: 0 };
  const hash = new Hash64();
  for (const label of distinct) hash.bytes(label);
  hash.finish();
  return { labels: distinct, lo: hash.lo, hi: hash.hi };
}

/**
 * Id of a label set: {@link Hash64} over its distinct labels sorted by UTF-8 bytes, each followed by its length, so
 * the order in which labels were sent does not matter. 0 for no labels.
 */
export function labelSetHash(labels: readonly string[]): bigint {
  const set = labelSetOf(labels.map((label) => new TextEncoder().encode(label)));
  return (BigInt(set.hi) << 32n) | BigInt(set.lo);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}
