import { compileFilters } from '../filter/compile-filters.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import { aliasedKeys, groupKeys, historyParties, keyFragments } from '../group/dimensions.js';
import type { GroupBy, GroupKey } from '../group/dimensions.js';
import { historyJoin } from '../history/was-service.js';
import type { Party } from '../history/was-service.js';
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
}

interface Events {
  readonly keys: readonly GroupKey[];
  readonly grid: SeriesGrid | null;
  readonly rawFilter: string;
  readonly rollupFilter: string | null;
  readonly byPolicy: boolean;
}

function eventsOf(segment: Segment, events: Events, binder: ParamBinder): string {
  const raw = segment.grain === 'raw';
  const keys = aliasedKeys(events.keys, raw ? 'raw' : 'rollup');
  const parties = historyParties(events.keys);
  const step = stepNumber(events.grid, raw ? 'raw' : 'rollup', binder);
  if (!raw)
    return ROLLUP.fill({
      keys,
      step,
      range: rollupRange(segment, binder),
      filter: events.rollupFilter ?? 'false',
    });
  if (!events.byPolicy)
    return RAW.fill({
      keys,
      step,
      history: historyJoin(parties, segment, binder),
      range: rawRange(segment, binder),
      filter: events.rawFilter,
    });
  return TWINS.fill({ keys, step, twinned: twinned(segment, events.rawFilter, parties, binder) });
}

function twinned(window: Window, filter: string, parties: readonly Party[], binder: ParamBinder): string {
  const around = { fromNs: window.fromNs - SECOND_NS, toNs: window.toNs + SECOND_NS };
  return TWINNED.fill({
    was: [...new Set(parties)].map((party) => `, ${party}_was`).join(''),
    history: historyJoin(parties, window, binder),
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
  const { window, keys, limit } = valid.value;
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  const place = { binder, tenant: '{tenant:String}', ...window };
  const raw = compileFilters(request.filters, { ...place, target: 'call' });
  if (!raw.ok) return raw;
  const rollup = compileFilters(request.filters, { ...place, target: 'drops' });
  if (!rollup.ok) return rollup;
  const byPolicy = keys.some((key) => key.dimension === 'POLICY');
  const fetched = byPolicy ? Math.max(limit, POLICY_LIMIT) : limit;
  const grid = seriesGrid(window, request.stepNs, fetched + 1);
  const rows = (fetched + 1) * (grid?.starts.length ?? 1);
  binder.name('limit', fetched);
  binder.name('rows', rows + 1);
  const eligible = rollup.value !== null && keys.every((key) => key.rollup !== null);
  const segments = segmentsOf(window, grid?.stepNs ?? null, eligible ? ['minute'] : []);
  const events = { keys, grid, rawFilter: raw.value ?? 'true', rollupFilter: rollup.value, byPolicy };
  const sql = DROPS.fill({
    ...keyFragments(keys),
    events: segments.map((segment) => eventsOf(segment, events, binder)).join('\nUNION ALL\n'),
  });
  const plan = {
    name: DROPS.name,
    sql,
    params: binder.usedBy(sql),
    settings: settingsFor(context, rows + 1),
  };
  const answered = answeredFrom(segments, TABLES, context);
  return done({ plan, window, grid, keys, limit, answered, nowNs: context.nowNs });
}
