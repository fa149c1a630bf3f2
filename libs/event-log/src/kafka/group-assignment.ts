/** What a member says about itself when it joins. */
export interface MemberClaim {
  readonly memberId: string;
  /** Partitions it owns and has not given up. */
  readonly owned: readonly number[];
  /** Generation in which it came to own them; settles conflicting claims. */
  readonly generation: number;
}

/**
 * Shares partitions out: as evenly as whole numbers allow, moving as few as possible. A partition that has to move is given
 * to nobody in this round; its owner gives it up and joins again, and the next round gives it away. So nobody has to stop
 * working for a rebalance, and no partition has two owners (the idea of Kafka's cooperative-sticky assignor). Pure and
 * independent of the order of members.
 */
export function assignPartitions(
  claims: readonly MemberClaim[],
  partitions: number,
): ReadonlyMap<string, readonly number[]> {
  const owners = currentOwners(claims, partitions);
  const held = (memberId: string): number[] =>
    [...owners].filter(([, owner]) => owner === memberId).map(([partition]) => partition);
  // Who has most keeps the larger share, so that fewer partitions move.
  const members = claims
    .map(({ memberId }) => ({ memberId, has: held(memberId).sort((a, b) => a - b) }))
    .sort((a, b) => b.has.length - a.has.length || (a.memberId < b.memberId ? -1 : 1));
  const share = Math.floor(partitions / Math.max(1, members.length));
  const larger = partitions % Math.max(1, members.length);
  const result = new Map<string, number[]>();
  const free = Array.from({ length: partitions }, (_, partition) => partition).filter(
    (partition) => !owners.has(partition),
  );
  members.forEach(({ memberId, has }, at) => {
    const quota = share + (at < larger ? 1 : 0);
    const keeps = has.slice(0, quota);
    result.set(memberId, keeps);
  });
  // The smallest first: what is free now goes where most is missing.
  for (const partition of free) {
    const poorest = [...result].sort((a, b) => a[1].length - b[1].length || (a[0] < b[0] ? -1 : 1))[0];
    poorest?.[1].push(partition);
  }
  return result;
}

function currentOwners(claims: readonly MemberClaim[], partitions: number): Map<number, string> {
  const owners = new Map<number, string>();
  const byAge = [...claims].sort((a, b) => a.generation - b.generation || (a.memberId < b.memberId ? -1 : 1));
  for (const { memberId, owned } of byAge)
    for (const partition of owned) if (partition < partitions) owners.set(partition, memberId);
  return owners;
}
