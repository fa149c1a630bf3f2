import type { QueryResult } from '@flowledger/column-store';
import { rankRed, type RedPlan, type RedRow, type UnrankedRedRow } from '@flowledger/query';
import type { RequestScope } from '../request/request-scope.js';

/** Rows of a RED question, ranked: by us where all its groups are few, by the store where they are not. */
export async function readRedRows(
  scope: RequestScope,
  plan: RedPlan,
): Promise<Pick<QueryResult<RedRow>, 'rows' | 'rowsRead' | 'elapsedMs'>> {
  if (plan.unranked === null) return scope.query<RedRow>(plan.plan);
  const { rows, rowsRead, elapsedMs } = await scope.query<UnrankedRedRow>(plan.unranked.plan);
  if (rows.length <= plan.unranked.most) return { rows: rankRed(rows, plan), rowsRead, elapsedMs };
  const ranked = await scope.query<RedRow>(plan.plan);
  return {
    rows: ranked.rows,
    rowsRead: rowsRead + ranked.rowsRead,
    elapsedMs: elapsedMs + ranked.elapsedMs,
  };
}
