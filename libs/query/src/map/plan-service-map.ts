import { compileFilters } from '../filter/compile-filters.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import type { GroupKey } from '../group/dimensions.js';
import { historyJoin } from '../history/was-service.js';
import type { Party } from '../history/was-service.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { planRedQuestion } from '../red/plan-red.js';
import type { RedPlan } from '../red/plan-red.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { answeredFrom, segmentsOf } from '../segments.js';
import type { AnsweredFrom, Segment } from '../segments.js';
import { SqlTemplate } from '../sql-template.js';
import { ceilTo, floorTo, HOUR_NS, rawRange, resolveWindow, rollupRange } from '../window.js';
import type { Window, WindowRequest } from '../window.js';
import { partyColumns } from './map-level.js';
import type { MapLevel, PartyColumns } from './map-level.js';

const EDGES = new SqlTemplate('edges');
const BEST_POINT = new SqlTemplate('edges-best-point');
const ROLLUP = new SqlTemplate('edges-rollup');
const RAW = new SqlTemplate('edges-raw');
const WHOLE = new SqlTemplate('edges-whole');
const AROUND = new SqlTemplate('edges-around');
const TABLES = { raw: 'flows', minute: 'edges_1m', hour: 'edges_1m' } as const;

const DEFAULT_EDGES = 500;
const MAX_EDGES = 5000;
/** RED is looked up for more edges than are shown: the busiest edges need not be those with the most requests. */
const RED_EDGES = 10_000;

/** Who talks to whom, with RED, drops and encryption of every edge. */
export interface ServiceMapRequest {
  readonly window?: WindowRequest | null;
  readonly compareTo?: WindowRequest | null;
  readonly filters?: FlowFilters | null;
  readonly collapse?: MapLevel | null;
  readonly maxEdges?: number | null;
}

/** The two statements of one window of a map. */
export interface MapWindowPlan {
  readonly window: Window;
  readonly edges: QueryPlan;
  readonly red: RedPlan;
  readonly answered: AnsweredFrom;
}

/** A planned map; `before` is the window to compare with. */
export interface ServiceMapPlan {
  readonly level: MapLevel;
  readonly maxEdges: number;
  readonly now: MapWindowPlan;
  readonly before: MapWindowPlan | null;
}

interface MapQuestion {
  readonly level: MapLevel;
  readonly maxEdges: number;
  readonly filters: FlowFilters | null | undefined;
}

function parties(level: MapLevel, raw: boolean): string {
  return (['client', 'server'] as const)
    .map((side) => {
      const { party, name, inferred } = partyColumns(level, side);
      const text = (of: { raw: string; rollup: string | null }): string =>
        raw ? of.raw : (of.rollup ?? "''");
      const flag = raw && inferred !== undefined ? inferred : 'toUInt8(0)';
      return `toString(${text(party)}) AS ${side}_party, toString(${text(name)}) AS ${side}_name, ${flag} AS ${side}_was_told,`;
    })
    .join(' ');
}

/** The parties whose endpoint history names the nodes of a level. */
function historyOf(level: MapLevel): readonly Party[] {
  return (['client', 'server'] as const).filter((side) => partyColumns(level, side).inferred !== undefined);
}

function redKeys(level: MapLevel): readonly GroupKey[] {
  const key = (texts: { raw: string; rollup: string | null }): GroupKey => ({
    dimension: 'WORKLOAD',
    side: 'NONE',
    raw: `toString(${texts.raw})`,
    rollup: texts.rollup === null ? null : `toString(${texts.rollup})`,
  });
  const [client, server] = [partyColumns(level, 'client'), partyColumns(level, 'server')];
  const named = (columns: PartyColumns, party: Party): GroupKey =>
    columns.inferred === undefined ? key(columns.name) : { ...key(columns.name), history: party };
  const same = (text: string): { raw: string; rollup: string } => ({ raw: text, rollup: text });
  return [
    key(same('cluster')),
    key(client.party),
    named(client, 'client'),
    key(server.party),
    named(server, 'server'),
    key(same('server_port')),
    key(same('l7_kind')),
  ];
}

interface EdgeFilters {
  readonly raw: string;
  readonly rollup: string;
}

function edgesOf(segment: Segment, level: MapLevel, filters: EdgeFilters, binder: ParamBinder): string {
  return segment.grain === 'raw'
    ? RAW.fill({
        parties: parties(level, true),
        history: historyJoin(historyOf(level), segment, binder),
        range: rawRange(segment, binder),
        filter: filters.raw,
      })
    : ROLLUP.fill({
        parties: parties(level, false),
        range: rollupRange(segment, binder),
        filter: filters.rollup,
      });
}

const INSIDE = 'toUInt8(1) AS inside,';

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
  const rows = segments.map((segment) =>
    segment.grain === 'raw'
      ? RAW.fill({ parties: INSIDE, history: '', range: rawRange(segment, binder), filter: 'true' })
      : ROLLUP.fill({ parties: INSIDE, range: rollupRange(segment, binder), filter: 'true' }),
  );
  const ranges = around(minutes).map((part) => `(${rollupRange(part, binder)})`);
  if (ranges.length > 0) rows.push(AROUND.fill({ ranges: ranges.join(' OR ') }));
  const names = (['client', 'server'] as const).map((side) => {
    const { party, name } = partyColumns(level, side);
    return `toString(${party.rollup ?? "''"}) AS ${side}_party, toString(${name.rollup ?? "''"}) AS ${side}_name,`;
  });
  return WHOLE.fill({ parties: names.join(' '), edges: rows.join('\nUNION ALL\n') });
}

function planEdges(
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
  const segments = segmentsOf(window, null, coarse ? ['minute'] : []);
  const minutes = segments.find((segment) => segment.grain === 'minute');
  const filters = { raw: raw.value ?? 'true', rollup: rollup.value ?? 'false' };
  const hours = { fromNs: floorTo(window.fromNs, HOUR_NS), toNs: ceilTo(window.toNs, HOUR_NS) };
  const sql =
    minutes !== undefined && filters.rollup === 'true'
      ? wholeSql(question.level, segments, minutes, binder)
      : EDGES.fill({
          best_points: BEST_POINT.fill({ range: rollupRange(hours, binder) }),
          edges: segments
            .map((segment) => edgesOf(segment, question.level, filters, binder))
            .join('\nUNION ALL\n'),
        });
  const settings = settingsFor(context, question.maxEdges);
  const plan = { name: EDGES.name, sql, params: binder.usedBy(sql), settings };
  return done({ plan, answered: answeredFrom(segments, TABLES, context) });
}

function planWindow(question: MapQuestion, window: Window, context: QueryContext): Result<MapWindowPlan> {
  const edges = planEdges(question, window, context);
  if (!edges.ok) return edges;
  const red = planRedQuestion(
    {
      window,
      filters: question.filters,
      keys: redKeys(question.level),
      limit: RED_EDGES,
      stepNs: null,
      order: 'REQUESTS',
      rule: 'SERVER_FAULT',
    },
    context,
  );
  if (!red.ok) return red;
  return done({ window, edges: edges.value.plan, red: red.value, answered: edges.value.answered });
}

/**
 * Plans a service map: one statement for the edges and one for their RED, twice when a window to compare with is given.
 * Edges whose client and server are not known by evidence are left out. Refuses BAD_WINDOW, WINDOW_TOO_WIDE, BAD_FILTER,
 * TOO_COSTLY.
 */
export function planServiceMap(request: ServiceMapRequest, context: QueryContext): Result<ServiceMapPlan> {
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  const maxEdges = request.maxEdges ?? DEFAULT_EDGES;
  if (!Number.isInteger(maxEdges) || maxEdges < 1 || maxEdges > MAX_EDGES)
    return refuse('TOO_COSTLY', 'maxEdges', `from 1 to ${MAX_EDGES} edges`);
  const level = request.collapse ?? 'WORKLOAD';
  const question = { level, maxEdges, filters: request.filters };
  const now = planWindow(question, window.value, context);
  if (!now.ok) return now;
  if (request.compareTo === undefined || request.compareTo === null)
    return done({ level, maxEdges, now: now.value, before: null });
  const earlier = resolveWindow(request.compareTo, context, 'compareTo');
  if (!earlier.ok) return earlier;
  const before = planWindow({ ...question, maxEdges: MAX_EDGES }, earlier.value, context);
  if (!before.ok) return before;
  return done({ level, maxEdges, now: now.value, before: before.value });
}
