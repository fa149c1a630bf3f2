import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBuckets } from './token-bucket.js';

describe('TokenBuckets', () => {
  it('lets a burst pass, then says when there will be enough again', () => {
    const buckets = new TokenBuckets(10, 100);
    expect([1, 2, 3, 4].map(() => buckets.take('a', 25, 0))).toEqual([0, 0, 0, 0]);
    expect(buckets.take('a', 25, 0)).toBe(2500);
    expect(buckets.take('a', 25, 2499)).toBe(1);
    expect(buckets.take('a', 25, 2500)).toBe(0);
  });

  it('gives every caller a bucket of his own', () => {
    const buckets = new TokenBuckets(10, 100);
    expect(buckets.take('a', 100, 0)).toBe(0);
    expect(buckets.take('b', 100, 0)).toBe(0);
    expect(buckets.take('a', 1, 0)).toBe(100);
  });

  it('never lets more pass than the burst and what was filled since', () => {
    const asks = fc.array(fc.record({ cost: fc.integer({ min: 0, max: 150 }), waitMs: fc.nat(5000) }));
    fc.assert(
      fc.property(asks, (list) => {
        const buckets = new TokenBuckets(10, 100);
        let [nowMs, passed] = [0, 0];
        for (const { cost, waitMs } of list) {
          nowMs += waitMs;
          if (buckets.take('a', cost, nowMs) === 0) passed += Math.min(cost, 100);
        }
        expect(passed).toBeLessThanOrEqual(100 + nowMs / 100 + 1e-6);
      }),
    );
  });

  it('lets a request that costs more than the burst pass when the bucket is full', () => {
    const buckets = new TokenBuckets(10, 100);
    expect(buckets.take('a', 1000, 0)).toBe(0);
    expect(buckets.take('a', 1000, 0)).toBe(10_000);
    expect(buckets.take('a', 1000, 10_000)).toBe(0);
  });

  it('limits nothing at 0, and forgets callers beyond ten thousand', () => {
    const open = new TokenBuckets(0, 0);
    expect(open.take('a', 1e9, 0)).toBe(0);
    const buckets = new TokenBuckets(1, 10);
    expect(buckets.take('first', 10, 0)).toBe(0);
    for (let i = 0; i < 10_000; i++) buckets.take(`c${i}`, 1, 0);
    expect(buckets.take('first', 10, 0)).toBe(0);
  });
});
