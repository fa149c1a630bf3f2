import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done } from '../result.js';
import type { Result } from '../result.js';
import { segmentsOf } from '../segments.js';
import { SqlTemplate } from '../sql-template.js';
import { DAY_NS, floorTo, MINUTE_NS, rawRange, resolveWindow, rollupRange } from '../window.js';
import type { Window, WindowRequest } from '../window.js';

const NODES = new SqlTemplate('nodes');
const NAMESPACES = new SqlTemplate('namespaces');
const NAMESPACES_ROLLUP = new SqlTemplate('namespaces-rollup');
const NAMESPACES_RAW = new SqlTemplate('namespaces-raw');
const CLUSTERS = new SqlTemplate('clusters');
const OTHER_CLUSTERS = new SqlTemplate('clusters-other');
const MAX_NAMES = 10_000;

/** A planned list for one window. */
export interface InventoryPlan {
  readonly plan: QueryPlan;
  readonly window: Window;
}

function binderOf(context: QueryContext): ParamBinder {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('limit', MAX_NAMES);
  return binder;
}

function planOf(name: string, sql: string, binder: ParamBinder, context: QueryContext): QueryPlan {
  return { name, sql, params: binder.usedBy(sql), settings: settingsFor(context, MAX_NAMES) };
}

/** Plans the nodes of a window. Refuses BAD_WINDOW and WINDOW_TOO_WIDE. */
export function planNodes(
  request: WindowRequest | null | undefined,
  context: QueryContext,
): Result<InventoryPlan> {
  const window = resolveWindow(request, context);
  if (!window.ok) return window;
  const binder = binderOf(context);
  const range = rawRange(window.value, binder);
  const sql = NODES.fill({ flow_range: range, event_range: range });
  return done({ plan: planOf(NODES.name, sql, binder, context), window: window.value });
}

/** Plans the namespaces of a window. Refuses BAD_WINDOW and WINDOW_TOO_WIDE. */
export function planNamespaces(
  request: WindowRequest | null | undefined,
  context: QueryContext,
): Result<InventoryPlan> {
  const window = resolveWindow(request, context);
  if (!window.ok) return window;
  const binder = binderOf(context);
  const parts = segmentsOf(window.value, null, ['minute']).map((segment) =>
    segment.grain === 'raw'
      ? NAMESPACES_RAW.fill({ range: rawRange(segment, binder) })
      : NAMESPACES_ROLLUP.fill({ range: rollupRange(segment, binder) }),
  );
  const sql = NAMESPACES.fill({ flows: parts.join('\nUNION ALL\n') });
  return done({ plan: planOf(NAMESPACES.name, sql, binder, context), window: window.value });
}

/**
 * Plans the list of clusters of the last day: what `FlowsRequest.clusters` may be filled with, beside
 * {@link planOtherClusters}, which finds those that the list lacks.
 */
export function planClusters(context: QueryContext): QueryPlan {
  const binder = binderOf(context);
  const toNs = floorTo(context.nowNs, MINUTE_NS) + 2n * MINUTE_NS;
  const sql = CLUSTERS.fill({ range: rollupRange({ fromNs: toNs - DAY_NS, toNs }, binder) });
  return planOf(CLUSTERS.name, sql, binder, context);
}

/** Plans the list of clusters that have flows in a window and are not among the known ones; costs next to nothing when there are none. */
export function planOtherClusters(
  known: readonly string[],
  window: Window,
  context: QueryContext,
): QueryPlan {
  const binder = binderOf(context);
  binder.name('known', known);
  const sql = OTHER_CLUSTERS.fill({ range: rawRange(window, binder) });
  return planOf(OTHER_CLUSTERS.name, sql, binder, context);
}
