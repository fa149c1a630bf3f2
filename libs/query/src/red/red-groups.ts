import { aliasedKeys, keyFragments } from '../group/key-fragments.js';
import type { GroupKey } from '../group/dimensions.js';
import { historyLookups } from '../group/refined-keys.js';
import { historyJoin } from '../history/history-join.js';
import { namedInRollup, spanOfParts, unnamedInRaw } from '../history/unnamed-rows.js';
import type { RollupPart, UnnamedRows } from '../history/unnamed-rows.js';
import type { ParamBinder } from '../param-binder.js';
import { rawWindows, rollupWindows } from '../segments.js';
import type { Grain, Segment } from '../segments.js';
import { stepNumber } from '../series.js';
import type { SeriesGrid } from '../series.js';
import { SqlTemplate } from '../sql-template.js';
import { anyRange, ceilTo, floorTo, HOUR_NS, rawRange, rollupRange, spanOf } from '../window.js';
import type { Window } from '../window.js';

const RAW = new SqlTemplate('red-raw');
const ROLLUP = new SqlTemplate('red-rollup');
const REPORTERS = new SqlTemplate('red-reporters');
const BEATEN = new SqlTemplate('red-beaten');
const GROUPS = new SqlTemplate('red-groups');
/** The column that only the tables with endpoints have; no filter reads it. */
const ENDPOINT = 'endpoint';

/** Tables of each grain. Whole hours without endpoints are a fraction of the rows (ADR 11). */
export function tablesFor(keys: readonly GroupKey[]): Readonly<Record<Grain, string>> {
  const byEndpoint = keys.some(({ rollup }) => rollup === ENDPOINT);
  return { raw: 'flows', minute: 'red_1m', hour: byEndpoint ? 'red_1h' : 'red_edges_1h' };
}

/** Calls to be grouped: of which parts of a window, by what, and which of them. */
export interface Calls {
  readonly segments: readonly Segment[];
  readonly keys: readonly GroupKey[];
  readonly grid: SeriesGrid | null;
  readonly rawFilter: string;
  readonly rollupFilter: string | null;
  readonly unnamed: UnnamedRows | null;
  readonly unsided: boolean;
}

function rawCalls(
  windows: readonly Window[],
  filter: string,
  { keys, grid }: Calls,
  binder: ParamBinder,
): string {
  return RAW.fill({
    keys: aliasedKeys(keys, 'raw'),
    step: stepNumber(grid, 'raw', binder),
    history: historyJoin(historyLookups(keys), spanOf(windows), binder),
    range: anyRange(windows, (window) => rawRange(window, binder)),
    filter,
  });
}

function rollupCalls({ grain, windows }: RollupPart, calls: Calls, binder: ParamBinder): string {
  return ROLLUP.fill({
    keys: aliasedKeys(calls.keys, 'rollup'),
    step: stepNumber(calls.grid, 'rollup', binder),
    table: tablesFor(calls.keys)[grain],
    range: anyRange(windows, (window) => rollupRange(window, binder)),
    filter: namedInRollup(calls.rollupFilter ?? 'false', calls.unnamed, binder),
  });
}

function callsSql(calls: Calls, binder: ParamBinder): string {
  const { segments, keys, unnamed, rawFilter } = calls;
  const tables = tablesFor(keys);
  const parts = rollupWindows(segments).map((part) => ({ ...part, table: tables[part.grain] }));
  const ends = rawWindows(segments);
  const raw = ends.length === 0 ? [] : [rawCalls(ends, rawFilter, calls, binder)];
  if (unnamed !== null && parts.length > 0)
    raw.push(rawCalls([spanOfParts(parts)], unnamedInRaw(rawFilter, unnamed, parts, binder), calls, binder));
  const rollups = parts.map((part) => rollupCalls(part, calls, binder));
  return [...rollups, ...raw].join('\nUNION ALL\n');
}

const HISTOGRAM = 'sumMapIf(m_histogram, counted) AS histogram';
/** The same for who reads the groups: the fewer levels a statement has, the less its analysis costs. */
const READ_HISTOGRAM = `mapKeys(${HISTOGRAM}) AS histogram_buckets, mapValues(histogram) AS histogram_counts`;

/** All groups, or no more than `most` of them, to be read. */
export function groupsSql(calls: Calls, window: Window, binder: ParamBinder, most: string | null): string {
  const { keys, group_keys } = keyFragments(calls.keys);
  const hours = { fromNs: floorTo(window.fromNs, HOUR_NS), toNs: ceilTo(window.toNs, HOUR_NS) };
  const range = rollupRange(hours, binder);
  return GROUPS.fill({
    keys,
    group_keys,
    histogram: most === null ? HISTOGRAM : READ_HISTOGRAM,
    limit: most === null ? '' : `LIMIT ${most}`,
    against: calls.unsided ? ', if(reporter = 2, 2, 0)' : '',
    beaten: calls.unsided ? BEATEN.fill({ range }) : REPORTERS.fill({ range, reporter: '1' }),
    calls: callsSql(calls, binder),
  });
}
