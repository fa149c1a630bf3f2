import type { HourDigest } from './table-digest.js';

/** One hour in which the tables and the replay tell different stories. */
export interface DigestDifference {
  readonly table: string;
  readonly partition: number;
  /** Start of the hour, ISO 8601 UTC. */
  readonly hour: string;
  readonly liveRows: number;
  readonly replayedRows: number;
}

type Digests = ReadonlyMap<string, readonly HourDigest[]>;

/** Hours with different digests, of the hours that `comparable` admits. Pure. */
export function compareDigests(
  partition: number,
  live: Digests,
  replayed: Digests,
  comparable: (table: string, hour: number) => boolean,
): DigestDifference[] {
  const differences: DigestDifference[] = [];
  for (const table of new Set([...live.keys(), ...replayed.keys()])) {
    const ours = byHour(live.get(table));
    const theirs = byHour(replayed.get(table));
    for (const hour of [...new Set([...ours.keys(), ...theirs.keys()])].toSorted((a, b) => a - b)) {
      const [a, b] = [ours.get(hour), theirs.get(hour)];
      if (!comparable(table, hour) || (a?.digest === b?.digest && a?.rows === b?.rows)) continue;
      const rows = { liveRows: Number(a?.rows ?? 0), replayedRows: Number(b?.rows ?? 0) };
      differences.push({ table, partition, hour: new Date(hour * 1000).toISOString(), ...rows });
    }
  }
  return differences;
}

function byHour(digests: readonly HourDigest[] = []): Map<number, HourDigest> {
  return new Map(digests.map((digest) => [digest.hour, digest]));
}
