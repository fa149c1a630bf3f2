import type { HistoryLookup } from '../history/history-join.js';
import type { GroupKey } from './dimensions.js';

/** What the keys need of the endpoint history; see `historyJoin`. */
export function historyLookups(keys: readonly GroupKey[]): readonly HistoryLookup[] {
  return keys.flatMap((key) => (key.history === undefined ? [] : [key.history]));
}

/** The rows that rollups cannot answer; see `unnamedRows`. */
export function unnamedConditions(keys: readonly GroupKey[]): readonly string[] {
  return keys.flatMap((key) => (key.unnamed === undefined ? [] : [key.unnamed]));
}

/** Rows say in `shown_unnamed_<key>` whether a value is missing that the endpoint history may know. */
export type UnnamedCells = Readonly<Record<`shown_unnamed_${number}`, number | undefined>>;

/** Whether rows of an answer lack a value that the endpoint history may know. */
export function lacksNames(keys: readonly GroupKey[], rows: readonly UnnamedCells[]): boolean {
  return keys.some(
    ({ refined }, index) =>
      refined?.unnamed !== undefined && rows.some((row) => row[`shown_unnamed_${index + 1}`] === 1),
  );
}

/** The keys with the endpoint history. */
export function refinedKeys(keys: readonly GroupKey[]): readonly GroupKey[] {
  return keys.map(({ refined, ...key }) => (refined === undefined ? key : { ...key, ...refined }));
}
