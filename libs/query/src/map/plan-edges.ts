import { compileFilters } from '../filter/compile-filters.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import { historyJoin } from '../history/history-join.js';
import type { HistoryLookup, Party } from '../history/history-join.js';
import { namedInRollup, spanOfParts, unnamedInRaw, unnamedRows } from '../history/unnamed-rows.js';
import type { RollupPart, UnnamedRows } from '../history/unnamed-rows.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done } from '../result.js';
import type { Result } from '../result.js';
import { answeredFrom, rawWindows, rollupWindows, segmentsOf } from '../segments.js';
import type { AnsweredFrom, Segment } from '../segments.js';
import { SqlTemplate } from '../sql-template.js';
import { anyRange, ceilTo, floorTo, HOUR_NS, rawRange, rollupRange, spanOf } from '../window.js';
import type { Window } from '../window.js';
import { partyColumns } from './map-level.js';
import type { MapLevel, PartyColumns } from './map-level.js';

const EDGES = new SqlTemplate('edges');
const BEST_POINT = new SqlTemplate('edges-best-point');
const ROLLUP = new SqlTemplate('edges-rollup');
const RAW = new SqlTemplate('edges-raw');
const WHOLE = new SqlTemplate('edges-whole');
const AROUND = new SqlTemplate('edges-around');
const TABLES = { raw: 'flows', minute: 'edges_1m', hour: 'edges_1h' } as const;

const PARTIES = ['client', 'server'] as const;

/** A question about one window whose limits are settled. */
export interface MapQuestion {
  readonly level: MapLevel;
  readonly maxEdges: number;
  readonly filters: FlowFilters | null | undefined;
  /** Nodes are named by the endpoint history where a flow does not. */
  readonly refined: boolean;
  /** See `RedQuestion`. */
  readonly unsided: boolean;
}

/** Columns of a party, as the question wants them. */
export function columnsOf({ level, refined }: MapQuestion, party: Party): PartyColumns {
  const columns = partyColumns(level, party);
  return (refined ? columns.refined : undefined) ?? columns;
}

function parties(question: MapQuestion, raw: boolean): string {
  return PARTIES.map((side) => {
    const { party, name, inferred } = columnsOf(question, side);
    const text = (of: { raw: string; rollup: string | null }): string => (raw ? of.raw : (of.rollup ?? "''"));
    const flag = raw && inferred !== undefined ? inferred : 'toUInt8(0)';
    return `toString(${text(party)}) AS ${side}_party, toString(${text(name)}) AS ${side}_name, ${flag} AS ${side}_was_told,`;
  }).join(' ');
}

/** What names the nodes beside the flows. */
function lookupsOf(question: MapQuestion): readonly HistoryLookup[] {
  return PARTIES.flatMap((side) => columnsOf(question, side).history ?? []);
}

interface EdgeFilters {
  readonly raw: string;
  readonly rollup: string;
  readonly unnamed: UnnamedRows | null;
}

function rawEdges(
  windows: readonly Window[],
  question: MapQuestion,
  filter: string,
  binder: ParamBinder,
): string {
  return RAW.fill({
    parties: parties(question, true),
    history: historyJoin(lookupsOf(question), spanOf(windows), binder),
    range: anyRange(windows, (window) => rawRange(window, binder)),
    filter,
  });
}

function rollupEdges(
  { table, windows }: RollupPart,
  question: MapQuestion,
  filters: EdgeFilters,
  binder: ParamBinder,
): string {
  return ROLLUP.fill({
    table,
    parties: parties(question, false),
    range: anyRange(windows, (window) => rollupRange(window, binder)),
    filter: namedInRollup(filters.rollup, filters.unnamed, binder),
  });
}

function edgesOf(
  segments: readonly Segment[],
  question: MapQuestion,
  filters: EdgeFilters,
  binder: ParamBinder,
): readonly string[] {
  const parts = rollupWindows(segments).map((part) => ({ ...part, table: TABLES[part.grain] }));
  const edges = parts.map((part) => rollupEdges(part, question, filters, binder));
  const ends = rawWindows(segments);
  if (ends.length > 0) edges.push(rawEdges(ends, question, filters.raw, binder));
  if (filters.unnamed !== null && parts.length > 0) {
    const rest = unnamedInRaw(filters.raw, filters.unnamed, parts, binder);
    edges.push(rawEdges([spanOfParts(parts)], question, rest, binder));
  }
  return edges;
}

const INSIDE = 'toUInt8(1) AS inside,';

/** The part of a window that rollups answer; null where none does. */
function wholeMinutes(segments: readonly Segment[]): Window | null {
  const parts = segments.filter(({ grain }) => grain !== 'raw');
  const [first, last] = [parts.at(0), parts.at(-1)];
  return first === undefined || last === undefined ? null : { fromNs: first.fromNs, toNs: last.toNs };
}

/** Minutes of the hours that a window cuts, outside its whole minutes; nothing where it is made of whole hours. */
function around(minutes: Window): readonly Window[] {
  const { fromNs, toNs } = minutes;
  const before = { fromNs: floorTo(fromNs, HOUR_NS), toNs: fromNs };
  const after = { fromNs: toNs, toNs: ceilTo(toNs, HOUR_NS) };
  return [before, after].filter((part) => part.fromNs < part.toNs);
}

/**
 * The edges of all flows, in one look at the minutes: several times cheaper than finding the observation points apart, which
 * a filter needs, as it must not narrow them.
 */
function wholeSql(
  level: MapLevel,
  segments: readonly Segment[],
  minutes: Window,
  binder: ParamBinder,
): string {
  const common = { parties: INSIDE, filter: 'true' };
  const rows = rollupWindows(segments).map(({ grain, windows }) => {
    const range = anyRange(windows, (window) => rollupRange(window, binder));
    return ROLLUP.fill({ ...common, table: TABLES[grain], range });
  });
  const ends = rawWindows(segments);
  if (ends.length > 0) {
    const range = anyRange(ends, (window) => rawRange(window, binder));
    rows.push(RAW.fill({ ...common, history: '', range }));
  }
  const rest = around(minutes);
  if (rest.length > 0)
    rows.push(AROUND.fill({ range: anyRange(rest, (window) => rollupRange(window, binder)) }));
  const names = PARTIES.map((side) => {
    const { party, name } = partyColumns(level, side);
    return `toString(${party.rollup ?? "''"}) AS ${side}_party, toString(${name.rollup ?? "''"}) AS ${side}_name,`;
  });
  return WHOLE.fill({ parties: names.join(' '), edges: rows.join('\nUNION ALL\n') });
}

/** Plans the edges of one window; refuses BAD_FILTER only. */
export function planEdges(
  question: MapQuestion,
  window: Window,
  context: QueryContext,
): Result<{ plan: QueryPlan; answered: AnsweredFrom }> {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('limit', question.maxEdges);
  const place = { binder, tenant: '{tenant:String}', ...window };
  const raw = compileFilters(question.filters, { ...place, target: 'call' });
  if (!raw.ok) return raw;
  const rollup = compileFilters(question.filters, { ...place, target: 'edges' });
  if (!rollup.ok) return rollup;
  const coarse = partyColumns(question.level, 'client').name.rollup !== null && rollup.value !== null;
  const segments = segmentsOf(window, null, coarse ? ['minute', 'hour'] : []);
  const minutes = wholeMinutes(segments);
  const unnamed = PARTIES.flatMap((side) => columnsOf(question, side).unnamed ?? []);
  const filters = {
    raw: raw.value ?? 'true',
    rollup: rollup.value ?? 'false',
    unnamed: coarse ? unnamedRows(unnamed, context) : null,
  };
  const hours = { fromNs: floorTo(window.fromNs, HOUR_NS), toNs: ceilTo(window.toNs, HOUR_NS) };
  const sql =
    minutes !== null && filters.rollup === 'true' && filters.unnamed === null
      ? wholeSql(question.level, segments, minutes, binder)
      : EDGES.fill({
          best_points: BEST_POINT.fill({ range: rollupRange(hours, binder) }),
          edges: edgesOf(segments, question, filters, binder).join('\nUNION ALL\n'),
        });
  const settings = settingsFor(context, question.maxEdges);
  const plan = { name: EDGES.name, sql, params: binder.usedBy(sql), settings };
  return done({ plan, answered: answeredFrom(segments, TABLES, context, unnamed.length > 0) });
}
