import { compileFilters } from '../filter/compile-filters.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import { groupKeys } from '../group/dimensions.js';
import { aliasedKeys, keyFragments } from '../group/key-fragments.js';
import type { GroupBy, GroupKey } from '../group/dimensions.js';
import { historyLookups, lacksNames, refinedKeys, unnamedConditions } from '../group/refined-keys.js';
import type { UnnamedCells } from '../group/refined-keys.js';
import { distinctLookups, historyJoin, wasColumn } from '../history/history-join.js';
import type { HistoryLookup } from '../history/history-join.js';
import { namedInRollup, unnamedInRaw, unnamedRows } from '../history/unnamed-rows.js';
import type { UnnamedRows } from '../history/unnamed-rows.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { answeredFrom, segmentsOf } from '../segments.js';
import type { AnsweredFrom, Segment } from '../segments.js';
import { seriesGrid, stepNumber } from '../series.js';
import type { SeriesGrid } from '../series.js';
import { SqlTemplate } from '../sql-template.js';
import { rawRange, resolveWindow, rollupRange, SECOND_NS } from '../window.js';
import type { Window, WindowRequest } from '../window.js';

const DROPS = new SqlTemplate('drops');
const ROLLUP = new SqlTemplate('drops-rollup');
const RAW = new SqlTemplate('drops-raw');
const TWINS = new SqlTemplate('drops-twins');
const TWINNED = new SqlTemplate('drops-twinned');
const OF_POLICY = new SqlTemplate('drops-of-policy');
const TABLES = { raw: 'flows', minute: 'drops_1m', hour: 'drops_1m' } as const;

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1000;
/** Policies are grouped by their bytes in SQL and by name afterwards, so more groups are fetched than asked for. */
const POLICY_LIMIT = 1000;
const DEFAULT_GROUPING: readonly GroupBy[] = [{ dimension: 'DROP_REASON' }];

/** What was dropped, when, between whom and why. */
export interface DropsRequest {
  readonly window?: WindowRequest | null;
  readonly filters?: FlowFilters | null;
  /** By drop reason when absent. */
  readonly groupBy?: readonly GroupBy[] | null;
  readonly stepNs?: bigint | null;
  readonly limit?: number | null;
}

/** A planned drops question: one statement, so that total, groups and series come from one snapshot. */
export interface DropsPlan {
  readonly plan: QueryPlan;
  readonly window: Window;
  readonly grid: SeriesGrid | null;
  readonly keys: readonly GroupKey[];
  /** Groups that the answer shows. */
  readonly limit: number;
  readonly answered: AnsweredFrom;
  readonly nowNs: bigint;
  /** What was planned, for {@link refineDrops}. */
  readonly question: DropsQuestion;
}

/** A drops question whose window and keys are settled. */
export interface DropsQuestion {
  readonly window: Window;
  readonly filters: FlowFilters | null | undefined;
  readonly keys: readonly GroupKey[];
  readonly limit: number;
  readonly stepNs: bigint | null | undefined;
}

interface Events {
  readonly keys: readonly GroupKey[];
  readonly grid: SeriesGrid | null;
  readonly rawFilter: string;
  readonly rollupFilter: string | null;
  readonly byPolicy: boolean;
  readonly unnamed: UnnamedRows | null;
}

function rawEvents(segment: Segment, filter: string, events: Events, binder: ParamBinder): string {
  const keys = aliasedKeys(events.keys, 'raw');
  const lookups = historyLookups(events.keys);
  const step = stepNumber(events.grid, 'raw', binder);
  if (events.byPolicy) return TWINS.fill({ keys, step, twinned: twinned(segment, filter, lookups, binder) });
  return RAW.fill({
    keys,
    step,
    history: historyJoin(lookups, segment, binder),
    range: rawRange(segment, binder),
    filter,
  });
}

function eventsOf(segment: Segment, events: Events, binder: ParamBinder): readonly string[] {
  const { grain } = segment;
  if (grain === 'raw') return [rawEvents(segment, events.rawFilter, events, binder)];
  const { unnamed, rawFilter, rollupFilter } = events;
  const rollup = ROLLUP.fill({
    keys: aliasedKeys(events.keys, 'rollup'),
    step: stepNumber(events.grid, 'rollup', binder),
    range: rollupRange(segment, binder),
    filter: namedInRollup(rollupFilter ?? 'false', unnamed, binder),
  });
  if (unnamed === null) return [rollup];
  const part = { grain, table: TABLES[grain], windows: [segment] };
  const rest = unnamedInRaw(rawFilter, unnamed, [part], binder);
  return [rollup, rawEvents(segment, rest, events, binder)];
}

function twinned(
  window: Window,
  filter: string,
  lookups: readonly HistoryLookup[],
  binder: ParamBinder,
): string {
  const around = { fromNs: window.fromNs - SECOND_NS, toNs: window.toNs + SECOND_NS };
  return TWINNED.fill({
    was: distinctLookups(lookups)
      .map((lookup) => `, ${wasColumn(lookup)}`)
      .join(''),
    history: historyJoin(lookups, window, binder),
    range: rawRange(window, binder),
    twin_range: rawRange(around, binder),
    filter,
  });
}

/** Condition on rows of `flows`: a drop whose twin has one of these bytes of policies (base64; empty = no twin). */
export function dropOfPolicies(
  policies: readonly string[],
  window: Window,
  filter: string,
  binder: ParamBinder,
): string {
  const drops = OF_POLICY.fill({
    twinned: twinned(window, filter, [], binder),
    policies: binder.bind('Array(String)', policies),
  });
  return `(bucket_time, _le, _lp, _lo, _li) IN (${drops})`;
}

interface Validated {
  readonly window: Window;
  readonly keys: readonly GroupKey[];
  readonly limit: number;
}

function validate(request: DropsRequest, context: QueryContext): Result<Validated> {
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  const keys = groupKeys(request.groupBy ?? DEFAULT_GROUPING, 'drops');
  if (!keys.ok) return keys;
  const limit = request.limit ?? DEFAULT_LIMIT;
  if (!Number.isInteger(limit) || limit < 0 || limit > MAX_LIMIT)
    return refuse('TOO_COSTLY', 'limit', `from 0 to ${MAX_LIMIT} groups`);
  if (typeof request.stepNs === 'bigint' && request.stepNs <= 0n)
    return refuse('BAD_WINDOW', 'step', 'a step above zero');
  return done({ window: window.value, keys: keys.value, limit });
}

/**
 * Plans drops: drop events only, audited verdicts apart. Minutes come from the rollup when filters and groupings are
 * rollup keys; the numbers are the same. Refuses as {@link planRed} does.
 */
export function planDrops(request: DropsRequest, context: QueryContext): Result<DropsPlan> {
  const valid = validate(request, context);
  if (!valid.ok) return valid;
  const { filters, stepNs } = request;
  return planDropsQuestion({ ...valid.value, filters, stepNs }, context);
}

/** The question planned again with the endpoint history, as `refineRed` does; null when nothing is unnamed. */
export function refineDrops(
  { question, keys }: DropsPlan,
  rows: readonly UnnamedCells[],
  context: QueryContext,
): Result<DropsPlan> | null {
  if (!lacksNames(keys, rows)) return null;
  return planDropsQuestion({ ...question, keys: refinedKeys(keys) }, context);
}

function planDropsQuestion(question: DropsQuestion, context: QueryContext): Result<DropsPlan> {
  const { window, filters, keys, limit, stepNs } = question;
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  const place = { binder, tenant: '{tenant:String}', ...window };
  const raw = compileFilters(filters, { ...place, target: 'call' });
  if (!raw.ok) return raw;
  const rollup = compileFilters(filters, { ...place, target: 'drops' });
  if (!rollup.ok) return rollup;
  const byPolicy = keys.some((key) => key.dimension === 'POLICY');
  const fetched = byPolicy ? Math.max(limit, POLICY_LIMIT) : limit;
  const grid = seriesGrid(window, stepNs, fetched + 1);
  const rows = (fetched + 1) * (grid?.starts.length ?? 1);
  binder.name('limit', fetched);
  binder.name('rows', rows + 1);
  const eligible = rollup.value !== null && keys.every((key) => key.rollup !== null);
  const segments = segmentsOf(window, grid?.stepNs ?? null, eligible ? ['minute'] : []);
  const events: Events = {
    keys,
    grid,
    rawFilter: raw.value ?? 'true',
    rollupFilter: rollup.value,
    byPolicy,
    unnamed: eligible ? unnamedRows(unnamedConditions(keys), context) : null,
  };
  const sql = DROPS.fill({
    ...keyFragments(keys),
    events: segments.flatMap((segment) => eventsOf(segment, events, binder)).join('\nUNION ALL\n'),
  });
  const plan = {
    name: DROPS.name,
    sql,
    params: binder.usedBy(sql),
    settings: settingsFor(context, rows + 1),
  };
  const answered = answeredFrom(segments, TABLES, context, unnamedConditions(keys).length > 0);
  return done({ plan, window, grid, keys, limit, answered, nowNs: context.nowNs, question });
}
