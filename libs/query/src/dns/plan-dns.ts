import { compileFilters } from '../filter/compile-filters.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import type { GroupBy } from '../group/dimensions.js';
import { rankedFragments } from '../group/ranked-groups.js';
import { rankedQuestion } from '../group/ranked-question.js';
import type { RankedPlan } from '../group/ranked-question.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext } from '../query-plan.js';
import { done } from '../result.js';
import type { Result } from '../result.js';
import { SqlTemplate } from '../sql-template.js';
import { ceilTo, floorTo, HOUR_NS, rawRange, rollupRange, SECOND_NS } from '../window.js';
import type { Window, WindowRequest } from '../window.js';

const DNS = new SqlTemplate('dns');
const REPORTERS = new SqlTemplate('red-reporters');

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
