import type { RedPlan } from './plan-red.js';
import type { RedRow } from './read-red.js';

/** A row of the unranked statement: one group and one step. */
export type UnrankedRedRow = Omit<RedRow, 'group_rank' | 'last_position'> & {
  readonly [key: `key_${number}`]: string;
  readonly [inferred: `was_${number}`]: number | undefined;
};

interface Group {
  readonly texts: readonly string[];
  readonly rows: UnrankedRedRow[];
}

function groupsOf(rows: readonly UnrankedRedRow[], keys: number): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const texts = Array.from({ length: keys }, (_, index) => row[`key_${index + 1}`] ?? '');
    const id = JSON.stringify(texts);
    const known = groups.get(id);
    if (known === undefined) groups.set(id, { texts, rows: [row] });
    else known.rows.push(row);
  }
  return [...groups.values()];
}

function sum(rows: readonly UnrankedRedRow[], pick: (row: UnrankedRedRow) => string): bigint {
  return rows.reduce((total, row) => total + BigInt(pick(row)), 0n);
}

/** As `arrayFirst` over the summed histogram in the ranked statement: the bucket that holds the quantile, 0 without one. */
function quantileBucket(rows: readonly UnrankedRedRow[], q: number): number {
  const counts = new Map<number, bigint>();
  for (const row of rows) {
    for (const [index, bucket] of row.histogram_buckets.entries())
      counts.set(bucket, (counts.get(bucket) ?? 0n) + BigInt(row.histogram_counts[index] ?? '0'));
  }
  const wanted = q * Number([...counts.values()].reduce((total, count) => total + count, 0n));
  let seen = 0n;
  for (const [bucket, count] of [...counts].toSorted(([a], [b]) => a - b)) {
    seen += count;
    if (Number(seen) >= wanted) return bucket;
  }
  return 0;
}

function orderValue(rows: readonly UnrankedRedRow[], { order, errorRule }: RedPlan): bigint | number {
  const requests = sum(rows, (row) => row.requests);
  const any = errorRule === 'ANY_FAILURE';
  const denied = any ? sum(rows, (row) => row.denied) : 0n;
  const errors = any ? sum(rows, (row) => row.failures) + denied : sum(rows, (row) => row.faults);
  switch (order) {
    case 'REQUESTS':
      return requests;
    case 'ERRORS':
      return errors;
    case 'ERROR_RATIO':
      return requests + denied === 0n ? 0 : Number(errors) / Number(requests + denied);
    case 'P95':
      return quantileBucket(rows, 0.95);
    case 'P99':
      return quantileBucket(rows, 0.99);
  }
}

/** The store orders texts by their bytes. */
function compareTexts(a: readonly string[], b: readonly string[]): number {
  for (const [index, text] of a.entries()) {
    const order = Buffer.compare(Buffer.from(text), Buffer.from(b[index] ?? ''));
    if (order !== 0) return order;
  }
  return 0;
}

/**
 * Ranks all groups of a RED question as its ranked statement does: largest value first, then by key; those beyond the limit
 * get rank 0 and no key. Pure.
 */
export function rankRed(rows: readonly UnrankedRedRow[], planned: RedPlan): readonly RedRow[] {
  const keys = planned.keys.length;
  const groups = groupsOf(rows, keys)
    .map((group) => ({ ...group, value: orderValue(group.rows, planned) }))
    .toSorted((a, b) => (a.value === b.value ? compareTexts(a.texts, b.texts) : a.value > b.value ? -1 : 1));
  return groups.flatMap(({ texts, rows: mine }, index) => {
    const rank = index < planned.limit ? index + 1 : 0;
    const shown = texts.map((text, key) => [`shown_key_${key + 1}`, rank === 0 ? '' : text]);
    return mine.map((row): RedRow => {
      const told = texts.flatMap((text, key) => [
        [`shown_inferred_${key + 1}`, row[`was_${key + 1}`]],
        [`shown_unnamed_${key + 1}`, text === '' ? 1 : 0],
      ]);
      return {
        ...row,
        ...Object.fromEntries([...shown, ...told]),
        group_rank: rank,
        last_position: index + 1,
      };
    });
  });
}
