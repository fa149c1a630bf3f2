import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateCap } from './rate-cap.js';
import { decodeStreamCursor, encodeStreamCursor, type StreamPlace } from './stream-cursor.js';

describe('RateCap', () => {
  it('lets through in any span no more than a burst and the rate, and nearly that much when asked all the time', () => {
    const steps = fc.array(fc.tuple(fc.nat(400), fc.nat(300)), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), steps, (perSecond, asked) => {
        const cap = new RateCap(perSecond, 0);
        let [now, taken] = [0, 0];
        for (const [pause, wanted] of asked) {
          now += pause;
          taken += cap.take(wanted, now);
          expect(taken).toBeLessThanOrEqual(perSecond + (now * perSecond) / 1000 + 1e-6);
        }
        now += 1000;
        expect(cap.take(perSecond, now)).toBeGreaterThanOrEqual(perSecond - 1);
      }),
    );
  });

  it('says how long to wait for the next', () => {
    const cap = new RateCap(10, 0);
    expect(cap.take(10, 0)).toBe(10);
    expect(cap.waitMs(0)).toBe(100);
    expect([cap.take(1, 99), cap.take(1, 100)]).toEqual([0, 1]);
  });
});

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const place: fc.Arbitrary<StreamPlace> = fc.record(
  {
    log: fc.record({
      epoch: uint64,
      partitions: fc.array(fc.record({ offset: uint64, event: fc.nat() }), { minLength: 1, maxLength: 5 }),
    }),
    history: fc.record({
      sinceNs: uint64,
      after: fc.option(
        fc.record({
          bucketNs: uint64,
          logEpoch: uint64,
          partition: fc.nat(65_535),
          offset: uint64,
          index: fc.nat(),
        }),
      ),
    }),
  },
  { requiredKeys: ['log'] },
);

describe('a cursor of a subscription', () => {
  it('gives its place back, to the same filters only', () => {
    fc.assert(
      fc.property(place, (given) => {
        const cursor = encodeStreamCursor(given, 'hash');
        expect(decodeStreamCursor(cursor, 'hash')).toEqual(given);
        expect(decodeStreamCursor(cursor, 'other')).toBeUndefined();
      }),
    );
  });

  it('is refused when damaged', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        expect(decodeStreamCursor(text, 'hash')).toBeUndefined();
      }),
    );
  });
});
