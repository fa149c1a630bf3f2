import { compileFilters } from '../filter/compile-filters.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import { groupKeys } from '../group/dimensions.js';
import type { GroupBy, GroupKey } from '../group/dimensions.js';
import { rankedFragments } from '../group/ranked-groups.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { SqlTemplate } from '../sql-template.js';
import { ceilTo, floorTo, HOUR_NS, rawRange, resolveWindow, rollupRange, SECOND_NS } from '../window.js';
import type { Window, WindowRequest } from '../window.js';

const DNS = new SqlTemplate('dns');
const REPORTERS = new SqlTemplate('red-reporters');

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1000;
/** The name asked for. */
const DEFAULT_GROUPING: readonly GroupBy[] = [{ dimension: 'ENDPOINT' }];
/** How long after the window an answer to a query in it may come. */
const ANSWER_WAIT_NS = 5n * SECOND_NS;

/** What answers are ranked by. */
export type DnsOrder = 'QUERIES' | 'FAILURES' | 'UNANSWERED';

const ORDER: Readonly<Record<DnsOrder, string>> = {
  QUERIES: 'queries + denied',
  FAILURES: 'answers - rcodes[0]',
  UNANSWERED: 'unanswered',
};

/** Which names were asked, by whom, and what came back. */
export interface DnsRequest {
  readonly window?: WindowRequest | null;
  readonly filters?: FlowFilters | null;
  /** By name when absent. */
  readonly groupBy?: readonly GroupBy[] | null;
  readonly orderBy?: DnsOrder | null;
  readonly limit?: number | null;
}

/** A planned question whose answer is ranked groups read from single flows. */
export interface RankedPlan {
  readonly plan: QueryPlan;
  readonly window: Window;
  readonly keys: readonly GroupKey[];
}

/** What only an answer tells, and services, which are looked up for each call. */
const UNSHARED: ReadonlySet<string> = new Set(['STATUS_CLASS', 'DIRECTION', 'SERVICE']);

/** Window, keys and limit of a question, checked. */
export function rankedQuestion(
  request: Pick<DnsRequest, 'window' | 'groupBy' | 'limit'>,
  fallback: readonly GroupBy[],
  context: QueryContext,
): Result<{ readonly window: Window; readonly keys: readonly GroupKey[]; readonly limit: number }> {
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  const groups = request.groupBy ?? fallback;
  const answerOnly = groups.findIndex(({ dimension }) => UNSHARED.has(dimension));
  if (answerOnly >= 0)
    return refuse(
      'UNSUPPORTED_GROUPING',
      `groupBy[${answerOnly}]`,
      'a dimension that question and answer share',
    );
  const keys = groupKeys(groups, 'red');
  if (!keys.ok) return keys;
  const limit = request.limit ?? DEFAULT_LIMIT;
  if (!Number.isInteger(limit) || limit < 0 || limit > MAX_LIMIT)
    return refuse('TOO_COSTLY', 'limit', `from 0 to ${MAX_LIMIT} groups`);
  return done({ window: window.value, keys: keys.value, limit });
}

function reported(side: 1 | 2, window: Window, binder: ParamBinder): string {
  const hours = { fromNs: floorTo(window.fromNs, HOUR_NS), toNs: ceilTo(window.toNs, HOUR_NS) };
  return REPORTERS.fill({ range: rollupRange(hours, binder), reporter: String(side) });
}

/**
 * Plans DNS: queries, answers by response code, refused and unanswered queries, with one reporter per edge and hour as in
 * RED (hubble note 5.3). Read from single flows. Refuses BAD_WINDOW, WINDOW_TOO_WIDE, BAD_FILTER, UNSUPPORTED_GROUPING and
 * TOO_COSTLY.
 */
export function planDns(request: DnsRequest, context: QueryContext): Result<RankedPlan> {
  const question = rankedQuestion(request, DEFAULT_GROUPING, context);
  if (!question.ok) return question;
  const { window, keys, limit } = question.value;
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('limit', limit);
  binder.name('rows', limit + 2);
  binder.name('to', window.toNs);
  const place = { binder, tenant: '{tenant:String}', ...window, target: 'call' } as const;
  const filter = compileFilters(request.filters, place);
  if (!filter.ok) return filter;
  const sql = DNS.fill({
    ...rankedFragments(keys, ORDER[request.orderBy ?? 'QUERIES']),
    server_reported: reported(1, window, binder),
    client_reported: reported(2, window, binder),
    range: rawRange({ fromNs: window.fromNs, toNs: window.toNs + ANSWER_WAIT_NS }, binder),
    filter: filter.value ?? 'true',
  });
  const settings = settingsFor(context, limit + 2);
  return done({ plan: { name: DNS.name, sql, params: binder.usedBy(sql), settings }, window, keys });
}
