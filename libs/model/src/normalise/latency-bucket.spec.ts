import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketRepresentative, bucketUpperNs, latencyBucket } from './latency-bucket.js';

const uint64 = fc.oneof(
  fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
  fc.integer({ min: 0, max: 63 }).chain((bits) => fc.bigInt({ min: 1n, max: 2n ** BigInt(bits) })),
);

describe('latency buckets', () => {
  it('put every latency into (2^((b-2)/16), 2^((b-1)/16)], exactly', () => {
    fc.assert(
      fc.property(uint64, (ns) => {
        const b = latencyBucket(ns);
        // ns <= 2^(k/16) is ns^16 <= 2^k.
        expect(ns ** 16n <= 2n ** BigInt(b - 1)).toBe(true);
        expect(b === 1 ? ns === 1n : ns ** 16n > 2n ** BigInt(b - 2)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it('include the upper bound and begin behind it, at every power of two', () => {
    for (let bits = 0; bits < 64; bits++) {
      const power = 2n ** BigInt(bits);
      expect(latencyBucket(power)).toBe(16 * bits + 1);
      if (bits > 4) expect(latencyBucket(power + 1n)).toBe(16 * bits + 2);
    }
    expect(latencyBucket(2n ** 64n - 1n)).toBe(1025);
  });

  it('keep 0 for an unknown latency', () => {
    expect(latencyBucket(0)).toBe(0);
    expect([latencyBucket(1), latencyBucket(2), latencyBucket(3)]).toEqual([1, 17, 27]);
  });

  it('stand for their latencies with an error of at most 2.2 %', () => {
    fc.assert(
      fc.property(uint64, (ns) => {
        const b = latencyBucket(ns);
        expect(Math.abs(bucketRepresentative(b) - Number(ns)) / Number(ns)).toBeLessThan(0.022);
        expect(bucketUpperNs(b)).toBeGreaterThanOrEqual(Number(ns) * (1 - 1e-12));
      }),
    );
    expect([bucketRepresentative(0), bucketUpperNs(0), bucketRepresentative(1)]).toEqual([0, 0, 1]);
  });
});
