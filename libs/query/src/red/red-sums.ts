import { addHistograms } from './latency-histogram.js';
import type { LatencyHistogram } from './latency-histogram.js';
import type { RedRow } from './read-red.js';

/** Sums of rows, exact. */
export interface Sums {
  readonly requests: bigint;
  readonly denied: bigint;
  readonly faults: bigint;
  readonly failures: bigint;
  readonly serverRequests: bigint;
  readonly httpRequests: bigint;
  readonly latencyKnown: bigint;
  readonly latencySumNs: bigint;
  readonly latencyMaxNs: bigint;
  readonly histogram: LatencyHistogram;
}

/** The numbers of one row. */
export function sumsOf(row: RedRow): Sums {
  const histogram = new Map<number, bigint>();
  for (const [index, bucket] of row.histogram_buckets.entries()) {
    const count = BigInt(row.histogram_counts[index] ?? '0');
    // A correction may have brought it to 0.
    if (count !== 0n) histogram.set(Number(bucket), count);
  }
  return {
    requests: BigInt(row.requests),
    denied: BigInt(row.denied),
    faults: BigInt(row.faults),
    failures: BigInt(row.failures),
    serverRequests: BigInt(row.server_requests),
    httpRequests: BigInt(row.http_requests),
    latencyKnown: BigInt(row.latency_known),
    latencySumNs: BigInt(row.latency_sum_ns),
    latencyMaxNs: BigInt(row.latency_max_ns),
    histogram,
  };
}

/** The sums of rows; most groups have one. */
export function sumsOfRows(rows: readonly RedRow[]): Sums {
  const [only] = rows;
  return only !== undefined && rows.length === 1 ? sumsOf(only) : addSums(rows.map(sumsOf));
}

/** Adds sums. */
export function addSums(parts: readonly Sums[]): Sums {
  const add = (pick: (part: Sums) => bigint): bigint => parts.reduce((sum, part) => sum + pick(part), 0n);
  return {
    requests: add((part) => part.requests),
    denied: add((part) => part.denied),
    faults: add((part) => part.faults),
    failures: add((part) => part.failures),
    serverRequests: add((part) => part.serverRequests),
    httpRequests: add((part) => part.httpRequests),
    latencyKnown: add((part) => part.latencyKnown),
    latencySumNs: add((part) => part.latencySumNs),
    latencyMaxNs: parts.reduce((max, part) => (part.latencyMaxNs > max ? part.latencyMaxNs : max), 0n),
    histogram: addHistograms(parts.map((part) => part.histogram)),
  };
}
