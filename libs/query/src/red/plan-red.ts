import { compileFilters } from '../filter/compile-filters.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import { groupKeys } from '../group/dimensions.js';
import { keyFragments } from '../group/key-fragments.js';
import type { GroupBy, GroupKey } from '../group/dimensions.js';
import { unnamedConditions } from '../group/refined-keys.js';
import { unnamedRows } from '../history/unnamed-rows.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { answeredFrom, segmentsOf } from '../segments.js';
import type { AnsweredFrom } from '../segments.js';
import { seriesGrid } from '../series.js';
import type { SeriesGrid } from '../series.js';
import { SqlTemplate } from '../sql-template.js';
import { resolveWindow } from '../window.js';
import type { Window, WindowRequest } from '../window.js';
import { groupsSql, tablesFor } from './red-groups.js';
import { wantedOnly, type WantedGroups } from './wanted-groups.js';

const RED = new SqlTemplate('red');

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1000;
/** Groups that are cheaper to rank here than by window functions in the store: half a statement's analysis is theirs. */
const FEW_GROUPS = 2000;

/** What groups are ranked by, largest first. */
export type RedOrder = 'REQUESTS' | 'ERRORS' | 'ERROR_RATIO' | 'P95' | 'P99';

/**
 * SERVER_FAULT: HTTP 5xx and DNS SERVFAIL, out of all answers. ANY_FAILURE: also HTTP 4xx, other DNS errors, Kafka errors
 * and denied calls, out of all answers and denied calls.
 */
export type ErrorRule = 'SERVER_FAULT' | 'ANY_FAILURE';

/** Who calls whom, how often, how many errors, how slow. */
export interface RedRequest {
  readonly window?: WindowRequest | null;
  readonly filters?: FlowFilters | null;
  readonly groupBy?: readonly GroupBy[] | null;
  /** Wished step of the series, ns; absent = no series. */
  readonly stepNs?: bigint | null;
  readonly orderBy?: RedOrder | null;
  readonly limit?: number | null;
  readonly source?: 'FLOWS' | 'SPANS' | 'AUTO' | null;
  readonly errorRule?: ErrorRule | null;
}

/** A planned RED question: one statement, so that total, groups and series come from one snapshot. */
export interface RedPlan {
  /** Ranks the groups itself; for any number of them. */
  readonly plan: QueryPlan;
  /**
   * The same without a series and without ranking, read by `rankRed`; cheaper. Answers only when it returns no more than
   * `most` rows: the groups are more then. Null for a series.
   */
  readonly unranked: { readonly plan: QueryPlan; readonly most: number } | null;
  readonly order: RedOrder;
  readonly window: Window;
  readonly grid: SeriesGrid | null;
  readonly keys: readonly GroupKey[];
  readonly errorRule: ErrorRule;
  readonly limit: number;
  readonly answered: AnsweredFrom;
  /** Later buckets have not happened yet. */
  readonly nowNs: bigint;
  /** What was planned, for `refineRed`. */
  readonly question: RedQuestion;
}

const ERRORS: Readonly<Record<ErrorRule, string>> = {
  SERVER_FAULT: 'faults',
  ANY_FAILURE: 'failures + denied',
};

/** Quantile bucket of the summed histogram; its number ranks like the latency. */
function quantileBucket(q: number, partition: string): string {
  const histogram = `mapSort((k, v) -> k, sumMap(histogram) OVER (${partition}))`;
  return [
    `arrayFirst((bucket, seen) -> seen >= ${q} * arraySum(mapValues(${histogram})),`,
    ` mapKeys(${histogram}), arrayCumSum(mapValues(${histogram})))`,
  ].join('');
}

function orderValue(order: RedOrder, rule: ErrorRule, partition: string): string {
  const sum = (expression: string): string => `sum(${expression}) OVER (${partition})`;
  switch (order) {
    case 'REQUESTS':
      return sum('requests');
    case 'ERRORS':
      return sum(ERRORS[rule]);
    case 'ERROR_RATIO': {
      const calls = rule === 'ANY_FAILURE' ? 'requests + denied' : 'requests';
      return `if(${sum(calls)} = 0, 0, ${sum(ERRORS[rule])} / ${sum(calls)})`;
    }
    case 'P95':
      return quantileBucket(0.95, partition);
    case 'P99':
      return quantileBucket(0.99, partition);
  }
}

function rankedSql(keys: readonly GroupKey[], order: RedOrder, rule: ErrorRule, groups: string): string {
  const { partition, shown_keys, shown_names, order_keys } = keyFragments(keys);
  const order_value = orderValue(order, rule, partition);
  return RED.fill({ shown_keys, shown_names, order_keys, order_value, groups });
}

interface Validated {
  readonly window: Window;
  readonly keys: readonly GroupKey[];
  readonly limit: number;
}

function validate(request: RedRequest, context: QueryContext): Result<Validated> {
  if (request.source === 'SPANS')
    return refuse('UNSUPPORTED', 'source', 'RED from spans is not available yet; use FLOWS or AUTO');
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  const keys = groupKeys(request.groupBy ?? [], 'red');
  if (!keys.ok) return keys;
  const limit = request.limit ?? DEFAULT_LIMIT;
  if (!Number.isInteger(limit) || limit < 0 || limit > MAX_LIMIT)
    return refuse('TOO_COSTLY', 'limit', `from 0 to ${MAX_LIMIT} groups`);
  if (typeof request.stepNs === 'bigint' && request.stepNs <= 0n)
    return refuse('BAD_WINDOW', 'step', 'a step above zero');
  return done({ window: window.value, keys: keys.value, limit });
}

/** A RED question whose window and keys are settled; `serviceMap` asks with its own keys. */
export interface RedQuestion {
  readonly window: Window;
  readonly filters: FlowFilters | null | undefined;
  readonly keys: readonly GroupKey[];
  readonly limit: number;
  readonly stepNs: bigint | null | undefined;
  readonly order: RedOrder;
  readonly rule: ErrorRule;
  /**
   * Some reports may come from neither side. Hubble's do not, and without them a third of the statement's cost is saved;
   * when there are some after all, the rows say so and `refineRed` plans again.
   */
  readonly unsided?: boolean;
  /** Only groups whose first keys have one of these hashes are wanted; others may be among the answers. */
  readonly among?: WantedGroups;
}

/** Plans a settled RED question; refuses BAD_FILTER only. */
export function planRedQuestion(question: RedQuestion, context: QueryContext): Result<RedPlan> {
  const { window, filters, keys, limit, order, rule, unsided = false } = question;
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('limit', limit);
  const place = { binder, tenant: '{tenant:String}', ...window };
  const raw = compileFilters(filters, { ...place, target: 'call' });
  if (!raw.ok) return raw;
  const rollup = compileFilters(filters, { ...place, target: 'red' });
  if (!rollup.ok) return rollup;
  const grid = seriesGrid(window, question.stepNs, limit + 1);
  const eligible = rollup.value !== null && keys.every((key) => key.rollup !== null);
  const segments = segmentsOf(window, grid?.stepNs ?? null, eligible ? ['minute', 'hour'] : []);
  const conditions = wantedOnly(
    { raw: raw.value ?? 'true', rollup: rollup.value },
    question.among,
    keys,
    binder,
  );
  const rows = (limit + 1) * (grid?.starts.length ?? 1);
  binder.name('rows', rows + 1);
  const unnamed = eligible ? unnamedRows(unnamedConditions(keys), context) : null;
  const calls = {
    segments,
    keys,
    grid,
    rawFilter: conditions.raw,
    rollupFilter: conditions.rollup,
    unnamed,
    unsided,
  };
  const most = Math.max(limit, FEW_GROUPS);
  const planOf = (name: string, sql: string, resultRows: number): QueryPlan => ({
    name,
    sql,
    params: binder.usedBy(sql),
    settings: settingsFor(context, resultRows),
  });
  const ranked = rankedSql(keys, order, rule, groupsSql(calls, window, binder, null));
  const plan = planOf(RED.name, ranked, rows + 1);
  const few = (): QueryPlan =>
    planOf('red-unranked', groupsSql(calls, window, binder, binder.bind('UInt32', most + 1)), most + 1);
  const unranked = grid === null ? { plan: few(), most } : null;
  const answered = answeredFrom(segments, tablesFor(keys), context, unnamedConditions(keys).length > 0);
  const { nowNs } = context;
  return done({
    plan,
    unranked,
    order,
    window,
    grid,
    keys,
    errorRule: rule,
    limit,
    answered,
    nowNs,
    question,
  });
}

/**
 * Plans RED. Whole hours and minutes come from the rollups when filters and groupings are rollup keys, ragged ends and
 * everything else from raw rows; the numbers are the same. Refuses BAD_WINDOW, WINDOW_TOO_WIDE, BAD_FILTER,
 * UNSUPPORTED_GROUPING, UNSUPPORTED (source SPANS), TOO_COSTLY.
 */
export function planRed(request: RedRequest, context: QueryContext): Result<RedPlan> {
  const valid = validate(request, context);
  if (!valid.ok) return valid;
  const { filters, stepNs } = request;
  const order = request.orderBy ?? 'REQUESTS';
  const rule = request.errorRule ?? 'SERVER_FAULT';
  return planRedQuestion({ ...valid.value, filters, stepNs, order, rule }, context);
}
