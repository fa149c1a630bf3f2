import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planCuts, SIZED_TABLES, type DaySize } from './plan-cuts.js';

const day = (n: number): string => `202606${String(n).padStart(2, '0')}`;
const since = (n: number): number => Date.UTC(2026, 5, n) / 1000;
const flows = (...bytes: readonly number[]): DaySize[] =>
  bytes.map((size, i) => ({ table: 'flows', day: day(i + 1), bytes: size }));
const unlimited = { bytes: { raw: 0, rollup: 0 }, minFree: 0 };

describe('planCuts', () => {
  it('cuts nothing while everything fits, and nothing without limits', () => {
    expect(planCuts(flows(10, 10), 0, unlimited)).toEqual([]);
    expect(planCuts(flows(10, 10), 100, { bytes: { raw: 20, rollup: 0 }, minFree: 100 })).toEqual([]);
  });

  it('cuts the oldest days that are needed, and no day more', () => {
    const limits = { bytes: { raw: 25, rollup: 0 }, minFree: 0 };
    expect(planCuts(flows(10, 10, 10, 10), 0, limits)).toEqual([
      { class: 'raw', until: since(3), reason: 'size', bytes: 20 },
    ]);
  });

  it('counts flows and events of a day together, and rollups apart', () => {
    const days: DaySize[] = [
      ...flows(10, 10),
      { table: 'events', day: day(1), bytes: 5 },
      { table: 'red_1m', day: day(1), bytes: 7 },
      { table: 'edges_1m', day: day(2), bytes: 7 },
    ];
    expect(planCuts(days, 0, { bytes: { raw: 24, rollup: 13 }, minFree: 0 })).toEqual([
      { class: 'raw', until: since(2), reason: 'size', bytes: 15 },
      { class: 'rollup', until: since(2), reason: 'size', bytes: 7 },
    ]);
  });

  it('frees a disk that is nearly full from raw days only, and says so', () => {
    const days = [...flows(10, 10, 10), { table: 'red_1m', day: day(1), bytes: 100 }];
    expect(planCuts(days, 5, { ...unlimited, minFree: 12 })).toEqual([
      { class: 'raw', until: since(2), reason: 'disk', bytes: 10 },
    ]);
  });

  it('never cuts the newest day, however small the limit, and no other tables', () => {
    const one = [...flows(1000), { table: 'load_ledger', day: day(1), bytes: 9000 }];
    expect(planCuts(one, 0, { bytes: { raw: 1, rollup: 1 }, minFree: 1e12 })).toEqual([]);
  });

  it('leaves a class within its size whenever more than the newest day would', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 28 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 5000 }), (bytes, raw) => {
        const [cut] = planCuts(flows(...bytes), 0, { bytes: { raw, rollup: 0 }, minFree: 0 });
        const left = bytes.filter((_, i) => since(i + 1) >= (cut?.until ?? 0));
        const sum = left.reduce((a, b) => a + b, 0);
        expect(sum <= raw || left.length === 1).toBe(true);
        // One day less would not have been enough.
        const [last] = bytes.slice(bytes.length - left.length - 1);
        if (cut !== undefined) expect(sum + (last ?? 0)).toBeGreaterThan(raw);
      }),
    );
  });

  it('knows only tables that are partitioned by day', () => {
    expect(Object.values(SIZED_TABLES).flat()).not.toContain('red_1h');
  });
});
