import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MINUTE_NS, type Window } from '../window.js';
import { nextStretch, restBehind, type SearchedStretch } from './flow-search.js';

const DAY: Window = { fromNs: 1_790_035_200_000_000_000n, toNs: 1_790_121_600_000_000_000n };
const STEP = 5n * MINUTE_NS;

/** All stretches of a search that takes `millis` each and never has less than `leftMs`. */
function stretches(
  window: Window,
  direction: 'forward' | 'backward',
  millis: number,
  leftMs: number,
): Window[] {
  const found: Window[] = [];
  let rest = window;
  let before: SearchedStretch | undefined;
  for (;;) {
    const stretch = nextStretch(rest, direction, before);
    if (stretch === undefined) return found;
    found.push(stretch);
    rest = restBehind(rest, stretch, direction);
    before = { window: stretch, millis, leftMs };
  }
}

describe('a search in stretches', () => {
  it('covers every moment of any window once, from the end where the page begins', () => {
    const times = fc.bigInt({ min: DAY.fromNs, max: DAY.toNs });
    const any = fc.tuple(times, times).filter(([a, b]) => a !== b);
    fc.assert(
      fc.property(any, fc.boolean(), fc.integer({ min: 1, max: 5000 }), ([a, b], forward, millis) => {
        const window = a < b ? { fromNs: a, toNs: b } : { fromNs: b, toNs: a };
        const found = stretches(window, forward ? 'forward' : 'backward', millis, Infinity);
        const ordered = forward ? found : found.toReversed();
        expect(ordered[0]?.fromNs).toBe(window.fromNs);
        expect(ordered.at(-1)?.toNs).toBe(window.toNs);
        for (const [index, { fromNs, toNs }] of ordered.entries()) {
          expect(fromNs < toNs).toBe(true);
          if (index > 0) expect(fromNs).toBe(ordered[index - 1]?.toNs);
          if (index > 0) expect(fromNs % STEP).toBe(0n);
        }
      }),
    );
  });

  it('takes the newest ten minutes of a list of the last flows, and sixteen times as much when that was quick', () => {
    const [first, second] = stretches(DAY, 'backward', 36, 60_000);
    expect(first).toEqual({ fromNs: DAY.toNs - 10n * MINUTE_NS, toNs: DAY.toNs });
    expect(second).toEqual({ fromNs: DAY.toNs - 170n * MINUTE_NS, toNs: DAY.toNs - 10n * MINUTE_NS });
  });

  it('takes as much as the time left allows by what the last stretch took', () => {
    const before = { window: { fromNs: DAY.toNs - 10n * MINUTE_NS, toNs: DAY.toNs }, millis: 135 };
    const rest = { fromNs: DAY.fromNs, toNs: DAY.toNs - 10n * MINUTE_NS };
    const width = (leftMs: number): bigint | undefined => {
      const stretch = nextStretch(rest, 'backward', { ...before, leftMs });
      return stretch === undefined ? undefined : (stretch.toNs - stretch.fromNs) / MINUTE_NS;
    };
    expect(width(1000)).toBe(60n);
    expect(width(300)).toBe(20n);
    expect(width(100)).toBeUndefined();
    expect(width(-5)).toBeUndefined();
  });

  it('takes four statements for a month when there is no hurry', () => {
    const month = { fromNs: DAY.toNs - 30n * 86_400_000_000_000n, toNs: DAY.toNs };
    expect(stretches(month, 'forward', 5000, Infinity)).toHaveLength(4);
  });

  it('always looks at one stretch, so that whoever goes on comes to the end', () => {
    expect(stretches(DAY, 'forward', 1, 0)).toHaveLength(1);
    expect(nextStretch({ fromNs: 5n, toNs: 5n }, 'forward')).toBeUndefined();
  });
});
