import { compileFilters } from '../filter/compile-filters.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done } from '../result.js';
import type { Result } from '../result.js';
import { SqlTemplate } from '../sql-template.js';
import { rawRange, resolveWindow } from '../window.js';
import type { FlowPosition } from './flow-cursor.js';
import { loadedBefore } from './flow-position.js';
import type { FlowsRequest } from './plan-flows.js';

const START = new SqlTemplate('flow-start');
const MERGE = new SqlTemplate('flow-start-merge');

/** A row of {@link planFlowStart}. */
export interface FlowStartRow {
  readonly bucket_ns: string;
  readonly _le: string;
  readonly _lp: number;
  readonly _lo: string;
  readonly _li: number;
}

/**
 * Plans the look-up of where the last `count` matching flows of a window begin, so that they can be read forwards page by
 * page; no row when there are fewer. Reads only what the filter needs. Refuses as `planFlows` does.
 */
export function planFlowStart(
  request: Pick<FlowsRequest, 'window' | 'filters' | 'clusters' | 'loadedBefore'>,
  count: bigint,
  context: QueryContext,
): Result<QueryPlan> {
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('skip', count - 1n);
  binder.name('count', count);
  const place = { target: 'record', binder, tenant: '{tenant:String}', ...window.value } as const;
  const filter = compileFilters(request.filters, place);
  if (!filter.ok) return filter;
  const fragments = {
    range: rawRange(window.value, binder),
    position: request.loadedBefore === undefined ? 'true' : loadedBefore(request.loadedBefore, binder),
    filter: filter.value ?? 'true',
  };
  const [only, ...others] = request.clusters ?? [];
  const named = (cluster: string): string => `cluster = ${binder.bind('String', cluster)}`;
  const merged = only !== undefined && others.length > 0;
  const sql = merged
    ? MERGE.fill({
        pages: [only, ...others]
          .map((cluster) =>
            START.fill({ ...fragments, cluster: named(cluster), limit: 'LIMIT {count:UInt64}' }),
          )
          .map((text) => `(${text})`)
          .join(' UNION ALL '),
      })
    : START.fill({
        ...fragments,
        cluster: only === undefined ? 'true' : named(only),
        limit: 'LIMIT 1 OFFSET {skip:UInt64}',
      });
  return done({ name: START.name, sql, params: binder.usedBy(sql), settings: settingsFor(context, 1) });
}

/** Reads the row of {@link planFlowStart}; undefined when there are fewer flows. */
export function readFlowStart([row]: readonly FlowStartRow[]): FlowPosition | undefined {
  if (row === undefined) return undefined;
  return {
    bucketNs: BigInt(row.bucket_ns),
    logEpoch: BigInt(row._le),
    partition: row._lp,
    offset: BigInt(row._lo),
    index: row._li,
  };
}
