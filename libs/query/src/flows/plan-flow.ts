import { compileFilters } from '../filter/compile-filters.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { SqlTemplate } from '../sql-template.js';
import { HOUR_NS, rawRange, resolveWindow } from '../window.js';
import type { Window } from '../window.js';
import { ALL_PARTS, flowColumns, selectList } from './flow-columns.js';
import type { FlowPart } from './flow-columns.js';
import { decodeFlowId } from './flow-cursor.js';
import { comparedPosition } from './flow-position.js';
import type { FlowsRequest } from './plan-flows.js';

const PAGE = new SqlTemplate('flow-page');
const COUNT = new SqlTemplate('flow-count');
const LABELS = new SqlTemplate('flow-labels');

/** Which single flow: by id, or by uuid, which `nearNs` (± 10 minutes) makes cheap. */
export interface FlowRequest {
  readonly id?: string | null;
  readonly uuid?: string | null;
  readonly nearNs?: bigint | null;
  readonly parts?: readonly FlowPart[];
}

const NEAR_NS = HOUR_NS / 6n;

function flowCondition(
  request: FlowRequest,
  context: QueryContext,
  binder: ParamBinder,
): Result<{ range: Window; condition: string }> {
  if (typeof request.id === 'string') {
    const at = decodeFlowId(request.id);
    if (at === undefined) return refuse('BAD_CURSOR', 'id', 'the id of a flow of an earlier answer');
    const range = { fromNs: at.bucketNs, toNs: at.bucketNs + 1n };
    return done({ range, condition: comparedPosition(at, '=', binder) });
  }
  if (typeof request.uuid !== 'string') return refuse('BAD_FILTER', 'id', 'give id or uuid');
  const near = request.nearNs ?? undefined;
  const range =
    near === undefined
      ? { fromNs: context.nowNs - context.retention.rawNs, toNs: context.nowNs + HOUR_NS }
      : { fromNs: near - NEAR_NS, toNs: near + NEAR_NS };
  const place = { target: 'record', binder, tenant: '{tenant:String}', ...range } as const;
  const condition = compileFilters({ allow: [{ uuid: [request.uuid] }] }, place);
  if (!condition.ok) return refuse('BAD_FILTER', 'uuid', condition.error.hint);
  return done({ range, condition: condition.value ?? 'true' });
}

/** Plans the look-up of one flow; no row means there is none. Refuses BAD_CURSOR (id) and BAD_FILTER (uuid). */
export function planFlow(request: FlowRequest, context: QueryContext): Result<QueryPlan> {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('limit', 1);
  const found = flowCondition(request, context, binder);
  if (!found.ok) return found;
  const sql = PAGE.fill({
    columns: selectList(flowColumns(request.parts ?? ALL_PARTS)),
    cluster: 'true',
    range: rawRange(found.value.range, binder),
    position: 'true',
    filter: found.value.condition,
    order: 'ASC',
  });
  return done({ name: 'flow', sql, params: binder.usedBy(sql), settings: settingsFor(context, 1) });
}

/** Counts matching flows no further than `upTo`; the row's `value` is `upTo` + 1 when there are more. */
export function planFlowCount(
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
  const sql = COUNT.fill({ range: rawRange(window.value, binder), filter: filter.value ?? 'true' });
  return done({ name: COUNT.name, sql, params: binder.usedBy(sql), settings: settingsFor(context, 1) });
}

/** Plans the look-up of label sets by id (decimal text, as flows name them). */
export function planLabels(ids: readonly string[], context: QueryContext): QueryPlan {
  const params = { tenant: context.tenant, ids: [...new Set(ids)].map(BigInt) };
  const settings = settingsFor(context, params.ids.length);
  return { name: LABELS.name, sql: LABELS.fill({}), params, settings };
}
