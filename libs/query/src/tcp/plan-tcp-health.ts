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
import { rawRange, SECOND_NS } from '../window.js';
import type { WindowRequest } from '../window.js';

const TCP = new SqlTemplate('tcp-health');

const DEFAULT_GROUPING: readonly GroupBy[] = [
  { dimension: 'WORKLOAD', side: 'CLIENT' },
  { dimension: 'WORKLOAD', side: 'SERVER' },
  { dimension: 'PORT' },
];
/** How long after the window the answer to a SYN in it may come: the first retransmissions are within. */
const ANSWER_WAIT_NS = 5n * SECOND_NS;

/** What answers are ranked by. */
export type TcpOrder = 'OPENED' | 'FAILURES' | 'RESETS';

const ORDER: Readonly<Record<TcpOrder, string>> = {
  OPENED: 'opened',
  FAILURES: 'unanswered + refused + half_open + dropped',
  RESETS: 'client_resets + server_resets',
};

/** How TCP connections began and ended. */
export interface TcpHealthRequest {
  readonly window?: WindowRequest | null;
  readonly filters?: FlowFilters | null;
  /** By client workload, server workload and port when absent. */
  readonly groupBy?: readonly GroupBy[] | null;
  readonly orderBy?: TcpOrder | null;
  readonly limit?: number | null;
}

/**
 * Plans TCP health from the flags of single flows. Refuses BAD_WINDOW, WINDOW_TOO_WIDE, BAD_FILTER, UNSUPPORTED_GROUPING
 * and TOO_COSTLY.
 */
export function planTcpHealth(request: TcpHealthRequest, context: QueryContext): Result<RankedPlan> {
  const question = rankedQuestion(request, DEFAULT_GROUPING, context);
  if (!question.ok) return question;
  const { window, keys, limit } = question.value;
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('limit', limit);
  binder.name('rows', limit + 2);
  binder.name('from', window.fromNs);
  binder.name('to', window.toNs);
  const place = { binder, tenant: '{tenant:String}', ...window, target: 'call' } as const;
  const filter = compileFilters(request.filters, place);
  if (!filter.ok) return filter;
  const sql = TCP.fill({
    ...rankedFragments(keys, ORDER[request.orderBy ?? 'FAILURES']),
    range: rawRange({ fromNs: window.fromNs, toNs: window.toNs + ANSWER_WAIT_NS }, binder),
    filter: filter.value ?? 'true',
  });
  const settings = settingsFor(context, limit + 2);
  return done({ plan: { name: TCP.name, sql, params: binder.usedBy(sql), settings }, window, keys });
}
