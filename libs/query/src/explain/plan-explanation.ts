import type { FlowRecord } from '../flows/flow-record.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { SqlTemplate } from '../sql-template.js';
import { floorTo, MINUTE_NS, rawRange, rollupRange } from '../window.js';
import { planTwins } from './twins.js';

const HISTORY = new SqlTemplate('drop-history');
const CHANGES = new SqlTemplate('drop-changes');
/** Changes are looked for this long before the first drop. */
const BEFORE_NS = 5n * MINUTE_NS;
const MAX_CHANGES = 20;

/** True for what `dropExplanation` can explain: a drop event, a denying verdict, or a call the proxy denied. */
export function isExplainable(flow: FlowRecord): boolean {
  return flow.eventType === 1 || flow.verdict === 2;
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
    `drop_reason = ${binder.bind('Int16', drop.dropReason)}`,
  ].join(' AND ');
}

/** The statements that explain a drop; they are independent of each other. */
export interface ExplanationPlan {
  /** Null when the reason has no policy verdict. */
  readonly twins: QueryPlan | null;
  readonly history: QueryPlan;
}

/** Plans the facts about a drop that was looked up before. */
export function planExplanation(drop: FlowRecord, context: QueryContext): ExplanationPlan {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  const at = drop.position.bucketNs;
  const minute = floorTo(at, MINUTE_NS);
  const oldest = floorTo(context.nowNs - context.retention.minuteNs, MINUTE_NS);
  const since = oldest > 0n ? oldest : 0n;
  const sql = HISTORY.fill({
    minutes: rollupRange({ fromNs: since < minute ? since : minute, toNs: minute }, binder),
    rest: rawRange({ fromNs: minute, toNs: at }, binder),
    same: sameCause(drop, binder),
  });
  const settings = settingsFor(context, 1);
  const history = { name: HISTORY.name, sql, params: binder.params, settings };
  return { twins: planTwins([drop], context), history };
}

/** Plans the changes in the five minutes before the first drop of this cause. */
export function planChanges(drop: FlowRecord, firstSeenNs: bigint, context: QueryContext): QueryPlan {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('cluster', drop.cluster);
  binder.name('limit', MAX_CHANGES);
  const fromNs = firstSeenNs > BEFORE_NS ? firstSeenNs - BEFORE_NS : 0n;
  const sql = CHANGES.fill({ range: rawRange({ fromNs, toNs: firstSeenNs + 1n }, binder) });
  const settings = settingsFor(context, MAX_CHANGES);
  return { name: CHANGES.name, sql, params: binder.params, settings };
}
