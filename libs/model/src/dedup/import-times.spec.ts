import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEnvelope, readEnvelope } from '../envelope.js';
import { headerOf } from '../testing/project.js';
import { mergeRanges, secondsOf } from './import-times.js';

const START = Date.UTC(2026, 5, 1);

function ranges(count: number, stepMs: number) {
  const events = Array.from({ length: count }, (_, i) =>
    Buffer.from(JSON.stringify({ flow: { time: new Date(START + i * stepMs).toISOString() } })),
  );
  const times = {
    firstTimeNs: BigInt(START) * 1_000_000n,
    lastTimeNs: BigInt(START + stepMs * (count - 1)) * 1_000_000n,
  };
  const value = encodeEnvelope(headerOf('hubble.export_json', count, times), events);
  const layout = readEnvelope(value);
  return layout.ok ? secondsOf(value, layout.value.header) : undefined;
}

describe('secondsOf', () => {
  it('takes events that lie close together as one range', () => {
    expect(ranges(100, 1000)).toEqual([{ first: START / 1000, last: START / 1000 + 99 }]);
  });

  it('names single seconds where events are strewn over days', () => {
    const hour = 3600;
    expect(ranges(5, hour * 1000)).toEqual(
      Array.from({ length: 5 }, (_, i) => ({
        first: START / 1000 + i * hour,
        last: START / 1000 + i * hour,
      })),
    );
  });
});

describe('mergeRanges', () => {
  it('covers the same seconds with ranges that neither touch nor cross', () => {
    const range = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 8 }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 30 }), (pairs) => {
        const given = pairs.map(([first, length]) => ({ first, last: first + length }));
        const merged = mergeRanges(given);
        const seconds = (list: readonly { first: number; last: number }[]) =>
          new Set(
            list.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
          );
        expect(seconds(merged)).toEqual(seconds(given));
        merged.forEach((entry, i) => expect(entry.first).toBeGreaterThan((merged[i - 1]?.last ?? -2) + 1));
      }),
    );
  });
});
