import type { QueryResult } from '@flowledger/column-store';
import { rankRed, refineRed, type RedPlan, type RedRow, type UnrankedRedRow } from '@flowledger/query';
import type { RequestScope } from '../request/request-scope.js';
import { planned } from './planned.js';

/** Rows of a question, what they took, and the plan that gave them. */
export interface PlannedRows<Row, Plan> extends Pick<QueryResult<Row>, 'rows' | 'rowsRead' | 'elapsedMs'> {
  readonly plan: Plan;
}

/** The second of two readings that were needed for one answer, with what both took. */
export function afterReading<Row, Plan>(
  first: Pick<QueryResult<unknown>, 'rowsRead' | 'elapsedMs'>,
  second: PlannedRows<Row, Plan>,
): PlannedRows<Row, Plan> {
  return {
    ...second,
    rowsRead: first.rowsRead + second.rowsRead,
    elapsedMs: first.elapsedMs + second.elapsedMs,
  };
}

/** Rows of a RED question, ranked: by us where all its groups are few, by the store where they are not. */
export async function readRankedRed(
  scope: RequestScope,
  plan: RedPlan,
): Promise<PlannedRows<RedRow, RedPlan>> {
  if (plan.unranked === null) return { ...(await scope.query<RedRow>(plan.plan)), plan };
  const few = await scope.query<UnrankedRedRow>(plan.unranked.plan);
  if (few.rows.length <= plan.unranked.most) return { ...few, rows: rankRed(few.rows, plan), plan };
  return afterReading(few, { ...(await scope.query<RedRow>(plan.plan)), plan });
}

/** As {@link readRankedRed}; where rows name no workload, asked again with the endpoint history. */
export async function readRedRows(scope: RequestScope, plan: RedPlan): Promise<PlannedRows<RedRow, RedPlan>> {
  const read = await readRankedRed(scope, plan);
  const refined = refineRed(plan, read.rows, scope.planning);
  return refined === null ? read : afterReading(read, await readRankedRed(scope, planned(refined)));
}
