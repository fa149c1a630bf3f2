import type { FlowRecord } from '../flows/flow-record.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { SqlTemplate } from '../sql-template.js';
import { ceilTo, DAY_NS, floorTo, MINUTE_NS, rawRange, rollupRange } from '../window.js';
import { planTwins } from './twins.js';

const DROPS = new SqlTemplate('drop-history');
const DENIED = new SqlTemplate('denied-history');
const CHANGES = new SqlTemplate('drop-changes');
/** Similar drops are counted this far back. */
const HISTORY_NS = DAY_NS;
/** A change is told when it came this long before the first drop, or less. */
export const SHORTLY_NS = 5n * MINUTE_NS;
/** An agent that reported anything in this time is known to report. */
const RECORDED_NS = DAY_NS;
const MAX_CHANGES = 50;

/** True for what `dropExplanation` can explain: a drop event, a denying verdict, or a call the proxy denied. */
export function isExplainable(flow: FlowRecord): boolean {
  return flow.eventType === 1 || flow.verdict === 2;
}

/** True for a request that a proxy denied: it has no drop event and no drop reason. */
export function isDeniedCall(flow: FlowRecord): boolean {
  return flow.l7Kind !== 0 && flow.verdict === 2;
}

/** Client and server of a flow; the sender is the client where nothing is known. */
export function partiesOf(flow: FlowRecord): {
  readonly client: FlowRecord['source'];
  readonly server: FlowRecord['source'];
} {
  return flow.client === 'destination'
    ? { client: flow.destination, server: flow.source }
    : { client: flow.source, server: flow.destination };
}

function sameCause(drop: FlowRecord, binder: ParamBinder): string {
  const { client, server } = partiesOf(drop);
  const text = (value: string): string => binder.bind('String', value);
  return [
    `cluster = ${text(drop.cluster)}`,
    `client_namespace = ${text(client.namespace)} AND client_workload = ${text(client.workload)}`,
    `server_namespace = ${text(server.namespace)} AND server_workload = ${text(server.workload)}`,
    `server_port = ${binder.bind('UInt16', drop.serverPort)}`,
    isDeniedCall(drop)
      ? `l7_kind = ${binder.bind('UInt8', drop.l7Kind)} AND endpoint = ${text(drop.endpoint)}`
      : `drop_reason = ${binder.bind('Int16', drop.dropReason)}`,
  ].join(' AND ');
}

/** The statements that explain a drop; they are independent of each other. */
export interface ExplanationPlan {
  /** Null when the reason has no policy verdict. */
  readonly twins: QueryPlan | null;
  readonly history: QueryPlan;
}

/**
 * Plans the facts about a drop that was looked up before: its policy verdict, and the drops like it in the 24 hours
 * before (for a denied call: the denied calls of its endpoint).
 */
export function planExplanation(drop: FlowRecord, context: QueryContext): ExplanationPlan {
  const template = isDeniedCall(drop) ? DENIED : DROPS;
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  const at = drop.position.bucketNs;
  const minute = floorTo(at, MINUTE_NS);
  const since = at > HISTORY_NS ? ceilTo(at - HISTORY_NS, MINUTE_NS) : 0n;
  const sql = template.fill({
    minutes: rollupRange({ fromNs: since, toNs: minute }, binder),
    rest: rawRange({ fromNs: minute, toNs: at }, binder),
    same: sameCause(drop, binder),
  });
  const settings = settingsFor(context, 1);
  const history = { name: template.name, sql, params: binder.usedBy(sql), settings };
  return { twins: planTwins([drop], context), history };
}

/** Plans what the agent of the drop's node reported before the first drop of this cause. */
export function planChanges(drop: FlowRecord, firstSeenNs: bigint, context: QueryContext): QueryPlan {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('cluster', drop.cluster);
  binder.name('node', drop.node);
  binder.name('shortly', firstSeenNs - SHORTLY_NS);
  binder.name('limit', MAX_CHANGES);
  const fromNs = firstSeenNs > RECORDED_NS ? firstSeenNs - RECORDED_NS : 0n;
  const sql = CHANGES.fill({ range: rawRange({ fromNs, toNs: firstSeenNs + 1n }, binder) });
  const settings = settingsFor(context, MAX_CHANGES);
  return { name: CHANGES.name, sql, params: binder.usedBy(sql), settings };
}
