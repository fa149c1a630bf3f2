import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done } from '../result.js';
import type { Result } from '../result.js';
import { SqlTemplate } from '../sql-template.js';
import {
  DAY_NS,
  floorTo,
  HOUR_NS,
  MINUTE_NS,
  rawRange,
  resolveWindow,
  rollupRange,
  SECOND_NS,
} from '../window.js';
import type { Window, WindowRequest } from '../window.js';

const LOST = new SqlTemplate('coverage-lost');
const STATUS = new SqlTemplate('coverage-status');
const EXTENT = new SqlTemplate('coverage-extent');
const LEDGER = new SqlTemplate('ledger-sums');
const NODES = new SqlTemplate('coverage-nodes');
const SAMPLED = new SqlTemplate('coverage-sampled');
const MAX_ROWS = 10_000;
/** Nodes are counted over the end of the window only: raw rows of a long window would cost more than the answer. */
const REPORTING_NS = 15n * MINUTE_NS;
/** A node that sent nothing for so long is not live; the watermark does not wait for it. */
const LIVE_NS = 15n * MINUTE_NS;
/** Without live nodes the newest flow is looked for in the last days; older means that nothing arrives any more. */
const RECENT_NS = 3n * DAY_NS;
/** How long before the window the source's last word about a node is looked for. */
const STATUS_NS = 7n * DAY_NS;

/** Whose coverage. Losses are known by node: a namespace is asked about by the nodes that its endpoints ran on. */
export interface CoverageRequest {
  readonly window?: WindowRequest | null;
  readonly cluster?: string | null;
  readonly node?: string | null;
  /** `cluster/node` of the nodes that count, from `readNamespaceNodes`; null or absent = all. */
  readonly nodes?: readonly string[] | null;
}

/** The statements behind a coverage answer; they are independent of each other. */
export interface CoveragePlan {
  readonly window: Window;
  /** The nodes asked about; null = all. */
  readonly nodes: readonly string[] | null;
  readonly nowNs: bigint;
  /** How long flows are kept, ns. */
  readonly rawRetentionNs: bigint;
  readonly lost: QueryPlan;
  readonly status: QueryPlan;
  readonly extent: QueryPlan;
  readonly ledger: QueryPlan;
}

function build(
  template: SqlTemplate,
  context: QueryContext,
  fragments: (binder: ParamBinder) => Readonly<Record<string, string>>,
): QueryPlan {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('limit', MAX_ROWS);
  const sql = template.fill(fragments(binder));
  return { name: template.name, sql, params: binder.usedBy(sql), settings: settingsFor(context, MAX_ROWS) };
}

function equal(column: string, value: string | null | undefined, binder: ParamBinder): string {
  return value === undefined || value === null ? 'true' : `${column} = ${binder.bind('String', value)}`;
}

/** Conditions on cluster and node, which some statements name otherwise. */
function scopeOf(request: CoverageRequest, binder: ParamBinder, prefix = ''): string {
  const cluster = equal(prefix === '' ? 'cluster' : `${prefix}_cluster`, request.cluster, binder);
  const node = equal(prefix === '' ? 'node' : `${prefix}_name`, request.node, binder);
  if (request.nodes === undefined || request.nodes === null) return `${cluster} AND ${node}`;
  const name =
    prefix === '' ? "concat(cluster, '/', node)" : `concat(${prefix}_cluster, '/', ${prefix}_name)`;
  return `${cluster} AND ${node} AND ${name} IN ${binder.bind('Array(String)', request.nodes)}`;
}

function planExtent(request: CoverageRequest, window: Window, context: QueryContext): QueryPlan {
  const { nowNs } = context;
  const end = window.toNs < nowNs ? window.toNs : nowNs;
  const tail = { fromNs: end - REPORTING_NS > 0n ? end - REPORTING_NS : 0n, toNs: window.toNs };
  const minute = floorTo(nowNs, MINUTE_NS);
  const toNs = minute + 2n * HOUR_NS;
  return build(EXTENT, context, (binder) => {
    binder.name('now', nowNs);
    binder.name('from_s', window.fromNs / SECOND_NS);
    binder.name('to_s', window.toNs / SECOND_NS);
    return {
      cluster: equal('cluster', request.cluster, binder),
      recent: rollupRange({ fromNs: minute - RECENT_NS, toNs }, binder),
      scope: scopeOf(request, binder),
      lately: rawRange({ fromNs: nowNs - LIVE_NS, toNs }, binder),
      reporting: rawRange(tail, binder),
    };
  });
}

/** Sums of the ledger by log epoch and partition; without tenant, since the ledger is the log's. */
export function planLedger(context: QueryContext): QueryPlan {
  return build(LEDGER, context, () => ({}));
}

/** Plans a coverage answer. Refuses BAD_WINDOW and WINDOW_TOO_WIDE. */
export function planCoverage(request: CoverageRequest, context: QueryContext): Result<CoveragePlan> {
  const resolved = resolveWindow(request.window, context);
  if (!resolved.ok) return resolved;
  const window = resolved.value;
  const earlier = window.fromNs > STATUS_NS ? window.fromNs - STATUS_NS : 0n;
  return done({
    window,
    nodes: request.nodes ?? null,
    nowNs: context.nowNs,
    rawRetentionNs: context.retention.rawNs,
    lost: build(LOST, context, (binder) => ({
      range: rawRange(window, binder),
      scope: scopeOf(request, binder),
    })),
    status: build(STATUS, context, (binder) => ({
      range: rawRange({ fromNs: earlier, toNs: window.toNs }, binder),
      scope: scopeOf(request, binder, 'node'),
    })),
    extent: planExtent(request, window, context),
    ledger: planLedger(context),
  });
}

/** Plans on which nodes the endpoints of a namespace ran in a window. Refuses BAD_WINDOW and WINDOW_TOO_WIDE. */
export function planNamespaceNodes(
  namespace: string,
  request: CoverageRequest,
  context: QueryContext,
): Result<QueryPlan> {
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  const plan = build(NODES, context, (binder) => {
    binder.name('namespace', namespace);
    return { range: rawRange(window.value, binder), scope: scopeOf(request, binder) };
  });
  return done(plan);
}

/** Plans how many flows of a window have a record of their own. Refuses BAD_WINDOW and WINDOW_TOO_WIDE. */
export function planSampledShare(request: CoverageRequest, context: QueryContext): Result<QueryPlan> {
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  return done(
    build(SAMPLED, context, (binder) => ({
      range: rawRange(window.value, binder),
      scope: scopeOf(request, binder),
    })),
  );
}
