import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeySet } from './key-set.js';

describe('KeySet', () => {
  it('holds exactly the keys that were added', () => {
    const half = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(fc.array(fc.tuple(half, half), { maxLength: 3000 }), (pairs) => {
        const set = new KeySet();
        const added = new Set<string>();
        for (const [lo, hi] of pairs.slice(0, pairs.length / 2)) {
          set.add(lo, hi);
          if (lo !== 0 || hi !== 0) added.add(`${lo}/${hi}`);
        }
        expect(set.size).toBe(added.size);
        for (const [lo, hi] of pairs) expect(set.has(lo, hi)).toBe(added.has(`${lo}/${hi}`));
      }),
      { numRuns: 50 },
    );
  });

  it('holds a hundred thousand keys', () => {
    const set = new KeySet();
    for (let i = 1; i <= 100_000; i++) set.add(i, i ^ 0x5555);
    expect(set.size).toBe(100_000);
    expect(set.has(77_777, 77_777 ^ 0x5555)).toBe(true);
    expect(set.has(100_001, 100_001 ^ 0x5555)).toBe(false);
  });
});
