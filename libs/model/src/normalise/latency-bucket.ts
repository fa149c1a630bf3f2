/** Sub-buckets per power of two: OpenTelemetry's exponential histogram at scale 4. */
const PER_OCTAVE = 16;
const BASE = 2 ** (1 / PER_OCTAVE);
const BUCKETS = 64 * PER_OCTAVE;

/** floor(2^(k/16)) for k = 0 … 1024, in two halves. 2^64 itself does not fit and is capped at 2^64 - 1. */
const THRESHOLD_LO = new Uint32Array(BUCKETS + 1);
const THRESHOLD_HI = new Uint32Array(BUCKETS + 1);
fillThresholds();

function fillThresholds(): void {
  const guard = 96n;
  for (let j = 0; j < PER_OCTAVE; j++) {
    // floor(2^(j/16) × 2^96): the 16th root of 2^(j + 16·96), taken as four square roots.
    let root = 1n << (BigInt(j) + 16n * guard);
    for (let step = 0; step < 4; step++) root = squareRoot(root);
    for (let octave = 0; octave * PER_OCTAVE + j <= BUCKETS; octave++) {
      const exact = (root << BigInt(octave)) >> guard;
      const value = exact > 0xffff_ffff_ffff_ffffn ? 0xffff_ffff_ffff_ffffn : exact;
      THRESHOLD_LO[octave * PER_OCTAVE + j] = Number(value & 0xffff_ffffn);
      THRESHOLD_HI[octave * PER_OCTAVE + j] = Number(value >> 32n);
    }
  }
}

/** Floor of the square root, by Newton's method from above. */
function squareRoot(value: bigint): bigint {
  let guess = 1n << (BigInt(value.toString(2).length + 1) / 2n);
  for (;;) {
    const next = (guess + value / guess) / 2n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/**
 * Histogram bucket of a latency in ns given as two unsigned halves: bucket b covers (2^((b-2)/16), 2^((b-1)/16)], upper
 * bound included as in OpenTelemetry's exponential histogram (there the index is b - 2). 0 ns is bucket 0 = unknown;
 * 1 ns is bucket 1. Decided by integer thresholds, so every platform and replay agrees.
 */
export function latencyBucketOf(lo: number, hi: number): number {
  if ((lo | hi) === 0) return 0;
  const octave = hi !== 0 ? 63 - Math.clz32(hi) : 31 - Math.clz32(lo);
  let low = octave * PER_OCTAVE;
  let high = low + PER_OCTAVE;
  // Smallest k with value <= threshold k; the value lies in [2^octave, 2^(octave + 1)).
  while (low < high) {
    const middle = (low + high) >>> 1;
    const limit = THRESHOLD_HI[middle] ?? 0;
    if (hi < limit || (hi === limit && lo <= (THRESHOLD_LO[middle] ?? 0))) high = middle;
    else low = middle + 1;
  }
  return low + 1;
}

/** {@link latencyBucketOf} of one number of ns (a bigint, or an integer up to 2^53). */
export function latencyBucket(ns: bigint | number): number {
  const value = BigInt(ns);
  return latencyBucketOf(Number(value & 0xffff_ffffn), Number(value >> 32n));
}

/** Upper bound of a bucket in ns, inclusive; 0 for bucket 0 (unknown). */
export function bucketUpperNs(bucket: number): number {
  return bucket === 0 ? 0 : 2 ** ((bucket - 1) / PER_OCTAVE);
}

/**
 * The value that stands for a whole bucket, ns: no latency in the bucket is further from it than 2.2 % of itself
 * ((base - 1) / (base + 1), base = 2^(1/16)).
 */
export function bucketRepresentative(bucket: number): number {
  return bucket <= 1 ? bucket : (bucketUpperNs(bucket) * 2) / (1 + BASE);
}
