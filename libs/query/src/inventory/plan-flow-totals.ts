import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { SqlTemplate } from '../sql-template.js';
import { HOUR_NS, MINUTE_NS, rawRange } from '../window.js';

const TOTALS = new SqlTemplate('flow-totals');

/** The row of {@link planFlowTotals}: counts as decimal text. */
export interface FlowTotalsRow {
  readonly stored: string;
  readonly seen: string;
  readonly last_minute: string;
}

/** Plans the numbers of flow records: all, since a time, and of the last minute. */
export function planFlowTotals(sinceNs: bigint, context: QueryContext): QueryPlan {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  const toNs = context.nowNs + HOUR_NS;
  const sql = TOTALS.fill({
    since: rawRange({ fromNs: sinceNs, toNs }, binder),
    minute: rawRange({ fromNs: context.nowNs - MINUTE_NS, toNs }, binder),
  });
  return { name: TOTALS.name, sql, params: binder.usedBy(sql), settings: settingsFor(context, 1) };
}
