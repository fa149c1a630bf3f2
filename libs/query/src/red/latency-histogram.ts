import { bucketRepresentative } from '@flowledger/model';

/** Counts by `latency_bucket`: an exponential histogram at scale 4; bucket 0 (unknown) is never in it. */
export type LatencyHistogram = ReadonlyMap<number, bigint>;

/** Adds histograms; buckets that a correction brought to 0 disappear. */
export function addHistograms(parts: readonly LatencyHistogram[]): LatencyHistogram {
  const sum = new Map<number, bigint>();
  for (const part of parts) {
    for (const [bucket, count] of part) sum.set(bucket, (sum.get(bucket) ?? 0n) + count);
  }
  for (const [bucket, count] of sum) if (count === 0n) sum.delete(bucket);
  return sum;
}

/** Number of known latencies in a histogram. */
export function histogramCount(histogram: LatencyHistogram): bigint {
  let count = 0n;
  for (const value of histogram.values()) count += value;
  return count;
}

/**
 * The q-quantile, ms, by nearest rank: the representative of the bucket that holds the ⌈q·n⌉-th smallest latency, so at most
 * 2.2 % from the exact value. Null when no latency is known or q is outside 0..1.
 */
export function quantileMs(histogram: LatencyHistogram, q: number): number | null {
  const count = histogramCount(histogram);
  if (count <= 0n || !(q >= 0 && q <= 1)) return null;
  const rank = BigInt(Math.max(1, Math.ceil(q * Number(count))));
  let seen = 0n;
  for (const bucket of [...histogram.keys()].toSorted((a, b) => a - b)) {
    seen += histogram.get(bucket) ?? 0n;
    if (seen >= rank) return bucketRepresentative(bucket) / 1e6;
  }
  return null;
}
