import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignPartitions, type MemberClaim } from './group-assignment.js';

const fresh = (...names: string[]): MemberClaim[] =>
  names.map((memberId) => ({ memberId, owned: [], generation: 0 }));

/** Rounds of joining until nothing has to be given up, as members do it; returns who owns what and how many rounds it took. */
function settle(
  claims: readonly MemberClaim[],
  partitions: number,
): { owned: Map<string, number[]>; rounds: number } {
  let now = claims;
  for (let rounds = 1; ; rounds++) {
    const given = assignPartitions(now, partitions);
    const owned = new Map([...given].map(([memberId, own]) => [memberId, [...own]]));
    const moved = now.some(({ memberId, owned: had }) => had.some((p) => !given.get(memberId)?.includes(p)));
    if (!moved) return { owned, rounds };
    now = now.map(({ memberId }) => ({ memberId, owned: owned.get(memberId) ?? [], generation: rounds }));
  }
}

const claimsArbitrary = fc
  .record({ members: fc.integer({ min: 1, max: 9 }), partitions: fc.integer({ min: 1, max: 40 }) })
  .chain(({ members, partitions }) =>
    fc
      .array(fc.integer({ min: -1, max: members - 1 }), { minLength: partitions, maxLength: partitions })
      .map((owners) => ({
        partitions,
        claims: Array.from({ length: members }, (_, m) => ({
          memberId: `m${m}`,
          owned: owners.flatMap((owner, partition) => (owner === m ? [partition] : [])),
          generation: 1,
        })),
      })),
  );

describe('assignPartitions', () => {
  it('shares evenly among new members', () => {
    const given = assignPartitions(fresh('a', 'b', 'c'), 8);
    expect([...given.values()].map((own) => own.length).sort()).toEqual([2, 3, 3]);
    expect([...given.values()].flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('gives a partition that has to move to nobody until its owner has let go', () => {
    const claims = [{ memberId: 'a', owned: [0, 1, 2, 3], generation: 3 }, ...fresh('b')];
    const first = assignPartitions(claims, 4);
    expect(first.get('a')).toEqual([0, 1]);
    expect(first.get('b')).toEqual([]);
    const second = settle(claims, 4);
    expect([second.owned.get('a'), second.owned.get('b'), second.rounds]).toEqual([[0, 1], [2, 3], 2]);
  });

  it('believes the newer of two claims', () => {
    const claims = [
      { memberId: 'old', owned: [0], generation: 4 },
      { memberId: 'new', owned: [0], generation: 7 },
    ];
    expect(assignPartitions(claims, 1).get('new')).toEqual([0]);
  });

  it('never gives what another member still owns, nor one partition twice', () => {
    fc.assert(
      fc.property(claimsArbitrary, ({ claims, partitions }) => {
        const given = assignPartitions(claims, partitions);
        const all = [...given.values()].flat();
        expect(new Set(all).size).toBe(all.length);
        for (const { memberId, owned } of claims)
          for (const partition of owned)
            for (const [other, own] of given) if (other !== memberId) expect(own).not.toContain(partition);
      }),
    );
  });

  it('ends with every partition owned, evenly, after at most two rounds, whatever the start', () => {
    fc.assert(
      fc.property(claimsArbitrary, ({ claims, partitions }) => {
        const { owned, rounds } = settle(claims, partitions);
        expect(rounds).toBeLessThanOrEqual(2);
        const sizes = [...owned.values()].map((own) => own.length);
        expect([...owned.values()].flat().sort((a, b) => a - b)).toEqual(
          Array.from({ length: partitions }, (_, p) => p),
        );
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('does not depend on the order of members', () => {
    fc.assert(
      fc.property(claimsArbitrary, ({ claims, partitions }) => {
        const sorted = (given: ReadonlyMap<string, readonly number[]>): unknown =>
          [...given].map(([memberId, own]) => [memberId, [...own].sort()]).sort();
        expect(sorted(assignPartitions(claims.toReversed(), partitions))).toEqual(
          sorted(assignPartitions(claims, partitions)),
        );
      }),
    );
  });
});
