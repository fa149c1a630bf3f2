import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fullJitter } from './back-off.js';

describe('fullJitter', () => {
  it('stays between the floor and a ceiling that doubles up to the cap, whatever the attempt', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const wait = fullJitter(attempt, { baseMs: 100, capMs: 5000, floorMs: 50 }, random);
        expect(wait).toBeGreaterThanOrEqual(50);
        expect(wait).toBeLessThanOrEqual(Math.min(5000, Math.max(50, 100 * 2 ** Math.min(attempt, 20))));
      }),
    );
  });

  it('uses the whole range, so that many clients spread', () => {
    const backOff = { baseMs: 100, capMs: 5000 };
    expect(fullJitter(3, backOff, 0)).toBe(0);
    expect(fullJitter(3, backOff, 0.5)).toBe(400);
    expect(fullJitter(3, backOff, 1)).toBe(800);
    expect(fullJitter(30, backOff, 1)).toBe(5000);
  });
});
