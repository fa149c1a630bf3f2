import type { ParamBinder } from '../param-binder.js';
import type { QueryContext } from '../query-plan.js';
import type { RollupWindows } from '../segments.js';
import { SqlTemplate } from '../sql-template.js';
import { anyRange, ceilTo, HOUR_NS, rollupRange, SECOND_NS, spanOf } from '../window.js';
import type { Window } from '../window.js';

const PLACES = new SqlTemplate('unnamed-places');
/** Days of raw rows that were removed before their time. */
const CUT = "(SELECT max(until) FROM retention_cuts WHERE class = 'raw')";

/** Five minutes of the sort key of `flows` that a row of a rollup stands for. */
const FIVE_MINUTES = {
  minute: 'toStartOfFiveMinutes(bucket)',
  hour: 'arrayJoin(arrayMap(n -> bucket + n * 300, range(12)))',
} as const;

/**
 * The rows that raw flows answer instead of a rollup, as only their addresses can tell who it was: those that name no
 * workload, from the first hour on of which no raw row has been removed. Older ones stay with the rollup, unknown, so
 * that every flow is counted once.
 */
export interface UnnamedRows {
  /** Condition on raw rows and rollups. */
  readonly unnamed: string;
  readonly keptFromNs: bigint;
}

/** `unnamed` are the conditions of all parties that are asked about. */
export function unnamedRows(unnamed: readonly string[], context: QueryContext): UnnamedRows | null {
  if (unnamed.length === 0) return null;
  const keptFromNs = ceilTo(context.nowNs - context.retention.rawNs, HOUR_NS);
  return { unnamed: unnamed.join(' OR '), keptFromNs };
}

function kept(time: 'bucket' | 'bucket_time', rows: UnnamedRows, binder: ParamBinder): string {
  const from = binder.bind('Int64', rows.keptFromNs / SECOND_NS);
  const hour = `toDateTime(toStartOfHour(${time}), 'UTC')`;
  return `${hour} >= toDateTime(${from}, 'UTC') AND ${hour} >= ${CUT}`;
}

/** Condition on a rollup: the rows of `filter` but those of `rows`. */
export function namedInRollup(filter: string, rows: UnnamedRows | null, binder: ParamBinder): string {
  if (rows === null) return filter;
  return `(${filter}) AND NOT ((${rows.unnamed}) AND ${kept('bucket', rows, binder)})`;
}

/** What a rollup answers of a window, and which table that is. */
export interface RollupPart extends RollupWindows {
  readonly table: string;
}

function placesOf({ grain, table, windows }: RollupPart, rows: UnnamedRows, binder: ParamBinder): string {
  return PLACES.fill({
    five_minutes: FIVE_MINUTES[grain],
    table,
    range: anyRange(windows, (window) => rollupRange(window, binder)),
    unnamed: rows.unnamed,
  });
}

/** The window that parts cover together. */
export function spanOfParts(parts: readonly RollupPart[]): Window {
  return spanOf(parts.flatMap(({ windows }) => windows));
}

/** Condition on `flows` in {@link spanOfParts} the parts: the rows of `filter` that {@link namedInRollup} leaves out of them. */
export function unnamedInRaw(
  filter: string,
  rows: UnnamedRows,
  parts: readonly RollupPart[],
  binder: ParamBinder,
): string {
  const place = '(cluster, toStartOfFiveMinutes(bucket_time), server_namespace, server_workload)';
  const places = parts.map((part) => `${place} IN (${placesOf(part, rows, binder)})`);
  return [
    `(${rows.unnamed})`,
    kept('bucket_time', rows, binder),
    `(${places.join(' OR ')})`,
    `(${filter})`,
  ].join(' AND ');
}
