import { describe, expect, it } from 'vitest';
import { hash32, Random } from './random.js';

describe('random numbers', () => {
  it('repeat for the same seed, second and stream, and differ for another', () => {
    const draw = (seed: number, slot: number, stream: number): number[] => {
      const random = new Random(seed, slot, stream);
      return Array.from({ length: 5 }, () => random.next());
    };
    expect(draw(1, 2, 3)).toEqual(draw(1, 2, 3));
    const others = [draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4)];
    for (const other of others) expect(other).not.toEqual(draw(1, 2, 3));
  });

  it('have the mean they promise', () => {
    const random = new Random(9, 9, 9);
    const mean = (sample: () => number): number => {
      let sum = 0;
      for (let i = 0; i < 20_000; i++) sum += sample();
      return sum / 20_000;
    };
    expect(mean(() => random.unit())).toBeCloseTo(0.5, 1);
    expect(mean(() => random.poisson(0.4)) / 0.4).toBeCloseTo(1, 1);
    expect(mean(() => random.poisson(75)) / 75).toBeCloseTo(1, 1);
    expect(mean(() => (random.logNormal(10, 0.5) < 10 ? 1 : 0))).toBeCloseTo(0.5, 1);
  });

  it('refuse to choose from nothing', () => {
    expect(() => new Random(1, 1, 1).pick([])).toThrow(RangeError);
  });

  it('hash neighbours far apart', () => {
    const seen = new Set<number>();
    for (let i = 0; i < 10_000; i++) seen.add(hash32(1, i, 0));
    expect(seen.size).toBe(10_000);
  });
});
