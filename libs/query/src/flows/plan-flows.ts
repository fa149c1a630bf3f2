import { compileFilters } from '../filter/compile-filters.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { SqlTemplate } from '../sql-template.js';
import { rawRange, resolveWindow } from '../window.js';
import type { Window, WindowRequest } from '../window.js';
import { ALL_PARTS, flowColumns, selectList } from './flow-columns.js';
import type { FlowPart } from './flow-columns.js';
import { decodeCursor, hashFilters } from './flow-cursor.js';
import type { FlowPosition } from './flow-cursor.js';
import { comparedPosition, loadedBefore } from './flow-position.js';
import type { LogCursor } from '../live/live-flows.js';

const PAGE = new SqlTemplate('flow-page');
const MERGE = new SqlTemplate('flow-merge');

/** Rows of a page when neither `first` nor `last` is given: the newest ones, as `hubble observe` does. */
const DEFAULT_LAST = 20;
const MAX_PAGE = 1000;
const MAX_CLUSTERS = 32;

/**
 * A page of flows in ascending time. `first` reads from the start of the window (or after `after`), `last` from its end
 * (or before `before`); with neither, the last 20.
 */
export interface FlowsRequest {
  readonly window?: WindowRequest | null;
  readonly filters?: FlowFilters | null;
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
  /** Columns beyond the core; all when absent. */
  readonly parts?: readonly FlowPart[];
  /** Known clusters: with them every cluster is read in key order and merged (design section 5). */
  readonly clusters?: readonly string[];
  /** Rows that a page may have at most, for callers that bound their own memory; 1,000 when absent. */
  readonly maxPage?: number;
  /** The page is read in Native blocks, by `FlowBatchPage`, and not as JSON. */
  readonly binary?: boolean;
  /** Only this part of the window is read, as one stretch of a search (`nextStretch`). */
  readonly within?: Window;
  /** Leaves out what lies at or behind this place of its log: the live tail delivers that. */
  readonly loadedBefore?: LogCursor;
}

/** A planned page. The statement asks for one row more than the page has, to know whether another follows. */
export interface FlowsPlan {
  readonly plan: QueryPlan;
  readonly window: Window;
  /** The part of the window that the cursors and `within` leave. */
  readonly range: Window;
  readonly filterHash: string;
  readonly limit: number;
  readonly direction: 'forward' | 'backward';
  /** A cursor bounds the page on the other end. */
  readonly resumed: boolean;
}

interface Paging {
  readonly limit: number;
  readonly direction: 'forward' | 'backward';
  readonly after: FlowPosition | undefined;
  readonly before: FlowPosition | undefined;
}

function pageSize(request: FlowsRequest): Result<{ limit: number; direction: 'forward' | 'backward' }> {
  const { first, last } = request;
  const forward = first !== undefined && first !== null;
  const backward = last !== undefined && last !== null;
  if (forward && backward) return refuse('BAD_CURSOR', 'last', 'give first or last, not both');
  const limit = first ?? last ?? DEFAULT_LAST;
  const field = forward ? 'first' : 'last';
  if (!Number.isInteger(limit) || limit < 0) return refuse('BAD_CURSOR', field, 'a number of at least 0');
  const most = request.maxPage ?? MAX_PAGE;
  if (limit > most) return refuse('TOO_COSTLY', field, `at most ${most} flows a page; go on with the cursor`);
  return done({ limit, direction: forward || (!backward && request.after) ? 'forward' : 'backward' });
}

function cursorOf(
  text: string | null | undefined,
  field: string,
  hash: string,
): Result<FlowPosition | undefined> {
  if (text === undefined || text === null) return done(undefined);
  const at = decodeCursor(text, hash);
  return at === undefined
    ? refuse('BAD_CURSOR', field, 'a cursor of an answer with the same filters')
    : done(at);
}

function paging(request: FlowsRequest, hash: string): Result<Paging> {
  const size = pageSize(request);
  if (!size.ok) return size;
  const after = cursorOf(request.after, 'after', hash);
  if (!after.ok) return after;
  const before = cursorOf(request.before, 'before', hash);
  if (!before.ok) return before;
  return done({ ...size.value, after: after.value, before: before.value });
}

function overlap(one: Window, other: Window | undefined): Window {
  if (other === undefined) return one;
  return {
    fromNs: other.fromNs > one.fromNs ? other.fromNs : one.fromNs,
    toNs: other.toNs < one.toNs ? other.toNs : one.toNs,
  };
}

/** The cursors narrow the range as well, so that the store does not read what the page has passed. */
function narrowed(window: Window, { after, before }: Paging): Window {
  const fromNs = after?.bucketNs ?? window.fromNs;
  return overlap(window, { fromNs, toNs: before === undefined ? window.toNs : before.bucketNs + 1n });
}

function pageSql(
  request: FlowsRequest,
  fragments: Readonly<Record<'range' | 'position' | 'filter' | 'order', string>>,
  binder: ParamBinder,
): string {
  const columns = flowColumns(request.parts ?? ALL_PARTS, request.binary);
  const page = (cluster: string): string =>
    PAGE.fill({ ...fragments, columns: selectList(columns), cluster });
  const clusters = request.clusters ?? [];
  if (clusters.length === 0 || clusters.length > MAX_CLUSTERS) return page('true');
  const pages = clusters.map((cluster) => page(`cluster = ${binder.bind('String', cluster)}`));
  const [only] = pages;
  if (pages.length === 1 && only !== undefined) return only;
  return MERGE.fill({
    names: columns.map(({ name }) => name).join(', '),
    pages: pages.map((text) => `(${text})`).join(' UNION ALL '),
    order: fragments.order,
  });
}

/**
 * Plans one page of flows. Refuses BAD_WINDOW, WINDOW_TOO_WIDE, BAD_FILTER, BAD_CURSOR (damaged, or made with other
 * filters) and TOO_COSTLY (more than 1,000 a page).
 */
export function planFlows(request: FlowsRequest, context: QueryContext): Result<FlowsPlan> {
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  const filterHash = hashFilters(request.filters);
  const page = paging(request, filterHash);
  if (!page.ok) return page;
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('limit', page.value.limit + 1);
  const range = overlap(narrowed(window.value, page.value), request.within);
  const place = { target: 'record', binder, tenant: '{tenant:String}', ...window.value } as const;
  const filter = compileFilters(request.filters, place);
  if (!filter.ok) return filter;
  const { after, before, direction, limit } = page.value;
  const position = [
    ...(after === undefined ? [] : [comparedPosition(after, '>', binder)]),
    ...(before === undefined ? [] : [comparedPosition(before, '<', binder)]),
    ...(request.loadedBefore === undefined ? [] : [loadedBefore(request.loadedBefore, binder)]),
  ];
  const fragments = {
    range: rawRange(range, binder),
    position: position.join(' AND ') || 'true',
    filter: filter.value ?? 'true',
    order: direction === 'forward' ? 'ASC' : 'DESC',
  };
  const sql = pageSql(request, fragments, binder);
  const plan = {
    name: PAGE.name,
    sql,
    params: binder.usedBy(sql),
    settings: {
      ...settingsFor(context, (request.maxPage ?? MAX_PAGE) + 1),
      // Beyond this limit the store reads all columns of all rows it sorts; a page of 20,000 then costs five times as much.
      query_plan_max_limit_for_lazy_materialization: page.value.limit + 1,
    },
  };
  const resumed = direction === 'forward' ? after !== undefined : before !== undefined;
  return done({ plan, window: window.value, range, filterHash, limit, direction, resumed });
}
