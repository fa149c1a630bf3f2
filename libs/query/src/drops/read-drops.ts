import { groupId, keyParts } from '../group/dimensions.js';
import type { GroupKey, KeyPart } from '../group/dimensions.js';
import type { Missing } from '../missing.js';
import { decodePolicies, policyText } from '../policies.js';
import { bucketIndex } from '../series.js';
import { dropReasonsText } from './drop-reasons.js';
import type { DropsPlan } from './plan-drops.js';

/** A row of the drops statement: one group (rank 0 = all others) and one step. */
export interface DropRow {
  readonly group_rank: number | string;
  readonly step_number: string;
  readonly last_position: number | string;
  readonly drop_count: string;
  readonly audited_count: string;
  readonly first_ns: string;
  readonly last_ns: string;
  readonly reason_codes: readonly number[];
  readonly reason_counts: readonly string[];
  readonly [key: `shown_key_${number}`]: string;
  readonly [inferred: `shown_inferred_${number}`]: number | undefined;
  readonly [unnamed: `shown_unnamed_${number}`]: number | undefined;
}

/** One group of drops, most frequent first. */
export interface DropGroup {
  readonly key: readonly KeyPart[];
  readonly id: string;
  readonly count: bigint;
  /** One value a bucket, null in buckets that have not begun; null without a step. */
  readonly series: readonly (bigint | null)[] | null;
  readonly firstSeenNs: bigint;
  readonly lastSeenNs: bigint;
  /** Drops by reason number. */
  readonly reasons: ReadonlyMap<number, bigint>;
  readonly text: string;
  readonly remedy: string | null;
  /** Grouped by policy: the bytes behind the name, base64, for `planSamples`; the same names have several (revisions). */
  readonly policies: readonly string[];
}

/** Answer to a drops question: total = sum of groups + other. */
export interface DropAnswer {
  readonly stepNs: bigint | null;
  readonly buckets: readonly bigint[];
  readonly total: bigint;
  /** Verdicts that audit mode let pass. */
  readonly audited: bigint;
  readonly groups: readonly DropGroup[];
  readonly other: bigint;
  readonly groupCount: number;
  readonly missing: readonly Missing[];
}

/** Policies have no text in SQL, only bytes: revisions differ where names do not. */
function shownTexts(row: DropRow, keys: readonly GroupKey[]): readonly string[] {
  return keys.map((key, index) => {
    const text = row[`shown_key_${index + 1}`] ?? '';
    if (key.dimension !== 'POLICY') return text;
    const names = decodePolicies(Buffer.from(text, 'base64'))
      .filter((policy) => policy.effect === 'DENIED')
      .map(policyText);
    return [...new Set(names)].toSorted().join(', ');
  });
}

interface RowsOfGroup {
  readonly texts: readonly string[];
  readonly rows: DropRow[];
}

function byGroup(rows: readonly DropRow[], keys: readonly GroupKey[]): readonly RowsOfGroup[] {
  const groups = new Map<string, RowsOfGroup>();
  for (const row of rows) {
    const texts = shownTexts(row, keys);
    const id = groupId(texts);
    const known = groups.get(id);
    if (known === undefined) groups.set(id, { texts, rows: [row] });
    else known.rows.push(row);
  }
  return [...groups.values()];
}

function countOf(rows: readonly DropRow[]): bigint {
  return rows.reduce((sum, row) => sum + BigInt(row.drop_count), 0n);
}

function reasonsOf(rows: readonly DropRow[]): ReadonlyMap<number, bigint> {
  const reasons = new Map<number, bigint>();
  for (const row of rows) {
    for (const [index, code] of row.reason_codes.entries()) {
      const count = BigInt(row.reason_counts[index] ?? '0');
      if (count !== 0n) reasons.set(code, (reasons.get(code) ?? 0n) + count);
    }
  }
  return reasons;
}

function seriesOf(rows: readonly DropRow[], planned: DropsPlan): readonly (bigint | null)[] | null {
  const { grid } = planned;
  if (grid === null) return null;
  const series = grid.starts.map((start): bigint | null => (start < planned.nowNs ? 0n : null));
  for (const row of rows) {
    const index = bucketIndex(grid, BigInt(row.step_number));
    series[index] = (series[index] ?? 0n) + BigInt(row.drop_count);
  }
  return series;
}

function policiesOf(rows: readonly DropRow[], keys: readonly GroupKey[]): readonly string[] {
  const at = keys.findIndex((key) => key.dimension === 'POLICY');
  return at < 0 ? [] : [...new Set(rows.map((row) => row[`shown_key_${at + 1}`] ?? ''))];
}

function dropGroup({ texts, rows }: RowsOfGroup, planned: DropsPlan): DropGroup {
  const seen = rows.filter((row) => row.drop_count !== '0');
  const reasons = reasonsOf(rows);
  return {
    key: keyParts(planned.keys, texts, rows),
    id: groupId(texts),
    count: countOf(rows),
    series: seriesOf(rows, planned),
    firstSeenNs: seen.map((row) => BigInt(row.first_ns)).reduce((a, b) => (a < b ? a : b)),
    lastSeenNs: seen.map((row) => BigInt(row.last_ns)).reduce((a, b) => (a > b ? a : b)),
    reasons,
    ...dropReasonsText(reasons),
    policies: policiesOf(rows, planned.keys),
  };
}

/** Turns the rows of a planned drops question into its answer. */
export function readDrops(rows: readonly DropRow[], planned: DropsPlan): DropAnswer {
  const ranked = rows.filter((row) => Number(row.group_rank) !== 0);
  const groups = byGroup(ranked, planned.keys)
    .filter((group) => countOf(group.rows) > 0n)
    .map((group) => dropGroup(group, planned))
    .toSorted((a, b) => (a.count === b.count ? (a.id < b.id ? -1 : 1) : a.count > b.count ? -1 : 1));
  const total = countOf(rows);
  const shown = groups.slice(0, planned.limit);
  const fetched = ranked.reduce((most, row) => Math.max(most, Number(row.group_rank)), 0);
  const found = rows.reduce((most, row) => Math.max(most, Number(row.last_position)), 0);
  return {
    stepNs: planned.grid?.stepNs ?? null,
    buckets: planned.grid?.starts ?? [],
    total,
    audited: rows.reduce((sum, row) => sum + BigInt(row.audited_count), 0n),
    groups: shown,
    other: total - shown.reduce((sum, group) => sum + group.count, 0n),
    groupCount: groups.length + (found - fetched),
    missing: [],
  };
}
