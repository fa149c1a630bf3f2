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
  if (order === 'REQUESTS') return requests;
  const any = errorRule === 'ANY_FAILURE';
  const denied = any ? sum(rows, (row) => row.denied) : 0n;
  const errors = any ? sum(rows, (row) => row.failures) + denied : sum(rows, (row) => row.faults);
  switch (order) {
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
function compareTexts(a: readonly Buffer[], b: readonly Buffer[]): number {
  for (const [index, bytes] of a.entries()) {
    const order = bytes.compare(b[index] ?? Buffer.alloc(0));
    if (order !== 0) return order;
  }
  return 0;
}

/** Writable while it is made; the names of its cells depend on the question. */
type MadeRow = { -readonly [Name in keyof RedRow]: RedRow[Name] };

/** Rows are many and every request makes them anew: `Object.assign` is ten times faster here than a spread. */
function rankedRow(row: UnrankedRedRow, texts: readonly string[], position: number, rank: number): RedRow {
  const made: MadeRow = Object.assign({}, row, { group_rank: rank, last_position: position });
  for (const [index, text] of texts.entries()) {
    const key = index + 1;
    made[`shown_key_${key}`] = rank === 0 ? '' : text;
    made[`shown_inferred_${key}`] = row[`was_${key}`];
    made[`shown_unnamed_${key}`] = text === '' ? 1 : 0;
  }
  return made;
}

/**
 * Ranks all groups of a RED question as its ranked statement does: largest value first, then by key; those beyond the limit
 * get rank 0 and no key. Pure.
 */
export function rankRed(rows: readonly UnrankedRedRow[], planned: RedPlan): readonly RedRow[] {
  const groups = groupsOf(rows, planned.keys.length)
    .map(({ texts, rows: mine }) => ({
      texts,
      mine,
      value: orderValue(mine, planned),
      bytes: texts.map((text) => Buffer.from(text)),
    }))
    .toSorted((a, b) => (a.value === b.value ? compareTexts(a.bytes, b.bytes) : a.value > b.value ? -1 : 1));
  return groups.flatMap(({ texts, mine }, index) => {
    const rank = index < planned.limit ? index + 1 : 0;
    return mine.map((row) => rankedRow(row, texts, index + 1, rank));
  });
}
