import { groupId, keyParts } from './dimensions.js';
import type { GroupKey, KeyPart } from './dimensions.js';

/** A row of a ranked statement without a series: one group (rank 0 = all others). */
export interface RankedRow {
  readonly group_rank: number | string;
  readonly last_position: number | string;
  readonly [column: string]: unknown;
}

/** Fragments of statements that rank groups by one number and have no series. `order` is an expression over sums. */
export function rankedFragments(keys: readonly GroupKey[], order: string): Readonly<Record<string, string>> {
  const names = keys.map((_, index) => `key_${index + 1}`);
  const list = names.map((name) => `${name},`).join(' ');
  return {
    keys: list,
    keyed: keys.map((key, index) => `${key.raw} AS key_${index + 1},`).join(' '),
    group_keys: list,
    named_keys: names.join(', ') || 'tuple()',
    shown_keys: names.map((name) => `if(group_rank = 0, '', ${name}) AS shown_${name},`).join(' '),
    shown_names: names.map((name) => `, shown_${name}`).join(''),
    order_keys: names.map((name) => `, ${name}`).join(''),
    order_value: order,
  };
}

/** One group of an answer and its number. */
export interface RankedGroup<Stats> {
  readonly key: readonly KeyPart[];
  readonly id: string;
  readonly stats: Stats;
}

/** Groups, all others together, and how many groups there are. */
export interface RankedAnswer<Stats> {
  readonly total: Stats;
  readonly groups: readonly RankedGroup<Stats>[];
  /** Null when no group was left out. */
  readonly other: Stats | null;
  readonly groupCount: number;
}

/** Reads the rows of a ranked statement; `statsOf` adds up rows. */
export function readRanked<Stats>(
  rows: readonly RankedRow[],
  keys: readonly GroupKey[],
  statsOf: (rows: readonly RankedRow[]) => Stats,
): RankedAnswer<Stats> {
  const shown = rows.filter((row) => Number(row.group_rank) !== 0);
  const others = rows.filter((row) => Number(row.group_rank) === 0);
  const groups = shown.map((row) => {
    const texts = keys.map((_, index) => String(row[`shown_key_${index + 1}`] ?? ''));
    return { key: keyParts(keys, texts, []), id: groupId(texts), stats: statsOf([row]) };
  });
  return {
    total: statsOf(rows),
    groups,
    other: others.length === 0 ? null : statsOf(others),
    groupCount: rows.reduce((most, row) => Math.max(most, Number(row.last_position)), 0),
  };
}
