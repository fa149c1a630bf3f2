import type { QueryResult } from '@flowledger/column-store';
import {
  planFlows,
  planOtherClusters,
  searchPage,
  type FlowRow,
  type FlowsPlan,
  type FlowsRequest,
  type Window,
} from '@flowledger/query';
import type { ClusterRow } from '../request/known-clusters.js';
import type { RequestScope } from '../request/request-scope.js';
import { planned } from './planned.js';

/** Rows of a page with its plan. */
export interface ReadPage {
  readonly plan: FlowsPlan;
  readonly result: Pick<QueryResult<FlowRow>, 'rows' | 'rowsRead' | 'elapsedMs'>;
  /** What the time was too short for. */
  readonly unsearched: Window | undefined;
}

/**
 * Reads a page cluster by cluster, each in key order, which is several times cheaper than all at once (design section 5). A
 * second question beside it finds clusters that are not known yet; then the page is read again. With `budgetMs` the window
 * is searched in stretches until the page is full or the time is up.
 */
export async function readFlowPage(
  scope: RequestScope,
  request: FlowsRequest,
  budgetMs?: number,
): Promise<ReadPage> {
  const read = (asked: FlowsRequest): Promise<ReadPage> =>
    budgetMs === undefined ? readWhole(scope, asked) : search(scope, asked, budgetMs);
  const known = await scope.deps.clusters.known(scope);
  const asked = { ...request, clusters: known };
  const { window } = planned(planFlows(asked, scope.planning));
  const [page, others] = await Promise.all([
    read(asked),
    known.length === 0
      ? { rows: [] }
      : scope.query<ClusterRow>(planOtherClusters(known, window, scope.planning)),
  ]);
  if (others.rows.length === 0) return page;
  scope.deps.clusters.add(others.rows);
  return read(request);
}

async function readWhole(scope: RequestScope, request: FlowsRequest): Promise<ReadPage> {
  const plan = planned(planFlows(request, scope.planning));
  return { plan, result: await scope.query<FlowRow>(plan.plan), unsearched: undefined };
}

async function search(scope: RequestScope, request: FlowsRequest, budgetMs: number): Promise<ReadPage> {
  const { clock } = scope.deps;
  let [rowsRead, elapsedMs] = [0, 0];
  const read = async ({ plan }: FlowsPlan): Promise<readonly FlowRow[]> => {
    const result = await scope.query<FlowRow>(plan);
    rowsRead += result.rowsRead;
    elapsedMs += result.elapsedMs;
    return result.rows;
  };
  const time = { budgetMs, now: () => clock.monotonic() };
  const { plan, rows, unsearched } = planned(await searchPage(request, scope.planning, time, read));
  return { plan, result: { rows, rowsRead, elapsedMs }, unsearched };
}
