import type { FlowFilters } from '../filter/flow-filter.js';
import type { GroupKey } from '../group/dimensions.js';
import { lacksNames } from '../group/refined-keys.js';
import type { Party } from '../history/history-join.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { planRedQuestion } from '../red/plan-red.js';
import type { RedPlan } from '../red/plan-red.js';
import type { WantedGroups } from '../red/wanted-groups.js';
import { isUnsided } from '../red/read-red.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import type { AnsweredFrom } from '../segments.js';
import { resolveWindow } from '../window.js';
import type { Window, WindowRequest } from '../window.js';
import type { MapLevel } from './map-level.js';
import { columnsOf, planEdges } from './plan-edges.js';
import type { MapQuestion } from './plan-edges.js';
import type { EdgeRow, MapRows } from './read-service-map.js';

const DEFAULT_EDGES = 500;
const MAX_EDGES = 5000;
/** RED of an edge is in one group for each kind of call; what else its nodes exchange, or shares their hash, comes with it. */
const RED_EDGES = 4 * MAX_EDGES;
/** The keys that name the nodes of an edge: cluster, and namespace and name of both. */
const NODE_KEYS = 5;

/** Who talks to whom, with RED, drops and encryption of every edge. */
export interface ServiceMapRequest {
  readonly window?: WindowRequest | null;
  readonly compareTo?: WindowRequest | null;
  readonly filters?: FlowFilters | null;
  readonly collapse?: MapLevel | null;
  readonly maxEdges?: number | null;
}

/** The two statements of one window of a map: {@link redOfEdges} makes the second from what the first found. */
export interface MapWindowPlan {
  readonly window: Window;
  readonly edges: QueryPlan;
  /** RED of all edges; says how rows are to be read. */
  readonly red: RedPlan;
  readonly answered: AnsweredFrom;
  /** What was planned, for {@link refineMap}. */
  readonly question: MapQuestion;
}

/** A planned map; `before` is the window to compare with. */
export interface ServiceMapPlan {
  readonly level: MapLevel;
  readonly maxEdges: number;
  readonly now: MapWindowPlan;
  readonly before: MapWindowPlan | null;
}

function textKey(texts: { raw: string; rollup: string | null }): GroupKey {
  const rollup = texts.rollup === null ? null : `toString(${texts.rollup})`;
  return { dimension: 'WORKLOAD', side: 'NONE', raw: `toString(${texts.raw})`, rollup };
}

/** Keys of the namespace and of the name of a party; the name tells whether one is lacking. */
function partyKeys(question: MapQuestion, side: Party): readonly GroupKey[] {
  const { party, name, history, unnamed, refined } = columnsOf(question, side);
  const joined = history === undefined ? {} : { history };
  const split = unnamed === undefined ? {} : { unnamed };
  const later =
    refined?.unnamed === undefined
      ? {}
      : { refined: { raw: `toString(${refined.name.raw})`, unnamed: refined.unnamed } };
  return [
    { ...textKey(party), ...joined },
    { ...textKey(name), ...joined, ...split, ...later },
  ];
}

function redKeys(question: MapQuestion): readonly GroupKey[] {
  const same = (text: string): GroupKey => textKey({ raw: text, rollup: text });
  return [
    same('cluster'),
    ...partyKeys(question, 'client'),
    ...partyKeys(question, 'server'),
    same('server_port'),
    same('l7_kind'),
  ];
}

function planRedOf(
  question: MapQuestion,
  window: Window,
  context: QueryContext,
  among?: WantedGroups,
): Result<RedPlan> {
  const { filters, unsided } = question;
  const keys = redKeys(question);
  const wanted = among === undefined ? {} : { among };
  const settled = { window, filters, keys, limit: RED_EDGES, stepNs: null, unsided, ...wanted };
  return planRedQuestion({ ...settled, order: 'REQUESTS', rule: 'SERVER_FAULT' }, context);
}

function planWindow(question: MapQuestion, window: Window, context: QueryContext): Result<MapWindowPlan> {
  const edges = planEdges(question, window, context);
  if (!edges.ok) return edges;
  const red = planRedOf(question, window, context);
  if (!red.ok) return red;
  return done({ window, edges: edges.value.plan, red: red.value, answered: edges.value.answered, question });
}

/**
 * RED of the edges that were found: of a map that was cut it is a small part of all, and of one with more edges than a
 * statement may answer it is the right part.
 */
export function redOfEdges(
  { question, window, red }: MapWindowPlan,
  edges: readonly EdgeRow[],
  context: QueryContext,
): Result<RedPlan> {
  if (Number(edges[0]?.edge_total ?? 0) <= edges.length) return done(red);
  const hashes = [...new Set(edges.map((edge) => edge.nodes_hash))];
  return planRedOf(question, window, context, { keys: NODE_KEYS, hashes });
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
  const question = { level, maxEdges, filters: request.filters, refined: false, unsided: false };
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

/**
 * One window planned again, when an edge of its answer lacks the name of an end or a report came from neither side; null
 * otherwise. As by `refineRed`, the new statements answer alone.
 */
export function refineMap(
  { question, window, red }: MapWindowPlan,
  rows: MapRows,
  context: QueryContext,
): Result<MapWindowPlan> | null {
  const lacking = rows.edges.some((row) => row.unnamed_edges === 1) || lacksNames(red.keys, rows.red);
  const refined = question.level === 'WORKLOAD' && (question.refined || lacking);
  const unsided = question.unsided || isUnsided(red, rows.red);
  if (refined === question.refined && unsided === question.unsided) return null;
  return planWindow({ ...question, refined, unsided: true }, window, context);
}
