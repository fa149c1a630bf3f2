import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planByAge, planBySize } from './retention-plan.js';
import type { PartitionHoldings } from './retention-plan.js';
import type { SegmentSummary } from './segment-index.js';

/** Partitions of segments of one record each, with random sizes and ages and a random committed offset. */
const holdings: fc.Arbitrary<PartitionHoldings[]> = fc
  .array(
    fc.tuple(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.nat(1000)), { maxLength: 12 }),
      fc.nat(14),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((partitions) =>
    partitions.map(([segments, committed], partition) => {
      const sealed = segments.map(([bytes, newestMs], at): SegmentSummary => {
        const events = { eventsBefore: BigInt(at), eventsBeforeEnd: BigInt(at + 1) };
        return { base: BigInt(at), end: BigInt(at + 1), ...events, bytes, newestMs, oldestMs: newestMs };
      });
      return { partition, sealed, committed: BigInt(committed) };
    }),
  );

function taken(
  all: readonly PartitionHoldings[],
  removals: readonly { partition: number; before: bigint }[],
) {
  return removals.flatMap(({ partition, before }) =>
    (all[partition]?.sealed ?? [])
      .filter(({ end }) => end <= before)
      .map((segment) => ({ partition, segment })),
  );
}

const bytesOf = (segments: readonly { segment: SegmentSummary }[]): number =>
  segments.reduce((sum, { segment }) => sum + segment.bytes, 0);

describe('what retention removes', () => {
  it('frees enough when it can, never a whole segment more than needed, and committed ones first', () => {
    fc.assert(
      fc.property(holdings, fc.integer({ min: 1, max: 2_000 }), fc.boolean(), (all, need, drop) => {
        const gone = taken(all, planBySize(all, need, drop));
        const uncommitted = gone.filter(
          ({ partition, segment }) => segment.end > (all[partition]?.committed ?? 0n),
        );
        if (!drop) expect(uncommitted).toEqual([]);
        const allowed = taken(
          all,
          all.map(({ partition, sealed, committed }) => ({
            partition,
            before: drop ? BigInt(sealed.length) : committed,
          })),
        );
        expect(bytesOf(gone)).toBeGreaterThanOrEqual(Math.min(need, bytesOf(allowed)));
        const largest = Math.max(0, ...gone.map(({ segment }) => segment.bytes));
        if (gone.length > 0) expect(bytesOf(gone) - largest).toBeLessThan(need);
        if (uncommitted.length > 0) expect(bytesOf(gone) - bytesOf(uncommitted)).toBeLessThan(need);
      }),
    );
  });

  it('removes by age only what is old and committed, from the start of a partition', () => {
    fc.assert(
      fc.property(holdings, fc.nat(1000), (all, before) => {
        const gone = taken(all, planByAge(all, before));
        for (const { partition, segment } of gone) {
          expect(segment.newestMs).toBeLessThan(before);
          expect(segment.end).toBeLessThanOrEqual(all[partition]?.committed ?? 0n);
        }
        for (const { partition, sealed, committed } of all) {
          const next = sealed[gone.filter((removed) => removed.partition === partition).length];
          if (next !== undefined) expect(next.newestMs >= before || next.end > committed).toBe(true);
        }
      }),
    );
  });
});
