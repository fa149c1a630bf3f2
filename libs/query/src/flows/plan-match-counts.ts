import { compileFilters } from '../filter/compile-filters.js';
import type { FlowFilter, FlowFilters } from '../filter/flow-filter.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done } from '../result.js';
import type { Result } from '../result.js';
import { SqlTemplate } from '../sql-template.js';
import { rawRange, resolveWindow } from '../window.js';
import type { FlowsRequest } from './plan-flows.js';

const COUNTS = new SqlTemplate('match-counts');

/** How many flows of an answer match as sent, and how many only by what was inferred. */
export interface MatchCounts {
  readonly exact: number;
  readonly inferred: number;
  /** Only the first `upTo` flows were looked at. */
  readonly capped: boolean;
}

/** Says whether any filter asks for inferred workloads and services. */
export function infers(filters: FlowFilters | null | undefined): boolean {
  return [...(filters?.allow ?? []), ...(filters?.deny ?? [])].some(
    (filter) => filter.matchInferred === true,
  );
}

function asSent(filters: FlowFilters | null | undefined): FlowFilters {
  const sent = (list: readonly FlowFilter[] | null | undefined) =>
    (list ?? []).map((filter) => ({ ...filter, matchInferred: false }));
  return { allow: sent(filters?.allow), deny: sent(filters?.deny) };
}

/**
 * Plans the count of flows that pass the filters, apart by whether they would pass with `matchInferred` off, no further
 * than `upTo`. Refuses as `planFlows`.
 */
export function planMatchCounts(
  request: Pick<FlowsRequest, 'window' | 'filters'>,
  upTo: number,
  context: QueryContext,
): Result<QueryPlan> {
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('limit', upTo + 1);
  const place = { target: 'record', binder, tenant: '{tenant:String}', ...window.value } as const;
  const filter = compileFilters(request.filters, place);
  if (!filter.ok) return filter;
  const sent = compileFilters(asSent(request.filters), place);
  if (!sent.ok) return sent;
  const sql = COUNTS.fill({
    range: rawRange(window.value, binder),
    filter: filter.value ?? 'true',
    sent: sent.value ?? 'true',
  });
  return done({ name: COUNTS.name, sql, params: binder.usedBy(sql), settings: settingsFor(context, 1) });
}

/** Reads the row of {@link planMatchCounts}. */
export function readMatchCounts(
  rows: readonly { readonly sent: string; readonly whole: string }[],
  upTo: number,
): MatchCounts {
  const [sent, whole] = [Number(rows[0]?.sent ?? 0), Number(rows[0]?.whole ?? 0)];
  const exact = Math.min(sent, upTo);
  return { exact, inferred: Math.min(whole, upTo) - exact, capped: whole > upTo };
}
