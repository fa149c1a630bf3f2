import { flowColumns, selectList } from '../flows/flow-columns.js';
import type { EndpointRecord, FlowRecord } from '../flows/flow-record.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { SqlTemplate } from '../sql-template.js';
import { DAY_NS, MINUTE_NS, rawRange, SECOND_NS } from '../window.js';

const TWIN = new SqlTemplate('explain-twin');
const SIMILAR = new SqlTemplate('explain-similar');
const CHANGES = new SqlTemplate('explain-changes');

/** How far apart the records of one packet may be (hubble note 7.2). */
const TWIN_NS = SECOND_NS;
/** How far back drops of the same kind are counted. */
const SIMILAR_NS = DAY_NS;
/** How long before the first drop a change is worth telling. */
export const SHORTLY_NS = 5n * MINUTE_NS;
/** How far back agent events show that agent events of the node are recorded. */
const HEARD_NS = DAY_NS;
const MAX_CHANGES = 200;

const DROPPED = 2;
const DROP_EVENT = 1;
/** Policy denied, policy deny, authentication required: only these have a policy verdict beside them. */
const JUDGED: readonly number[] = [133, 181, 189];

/** The statements about one dropped flow; they are independent of each other. */
export interface DropExplanationPlan {
  readonly flow: FlowRecord;
  /** Gives at most one flow, for `readFlow`; null when the drop can have no policy verdict beside it. */
  readonly twin: QueryPlan | null;
  readonly similar: QueryPlan;
}

/** The calling and the called endpoint; where nothing tells them apart, the sender counts as client, as in the store. */
export function partiesOf(flow: FlowRecord): {
  readonly client: EndpointRecord;
  readonly server: EndpointRecord;
} {
  return flow.client === 'destination'
    ? { client: flow.destination, server: flow.source }
    : { client: flow.source, server: flow.destination };
}

/** A request or response that a proxy refused: it has no drop event and no reason. */
export function isRefusedCall(flow: FlowRecord): boolean {
  return flow.l7Kind !== 0 && flow.verdict === DROPPED;
}

/** Drop events of the datapath, refused policy verdicts, and calls that a proxy refused. */
function isDropped(flow: FlowRecord): boolean {
  return flow.eventType === DROP_EVENT || flow.verdict === DROPPED;
}

function binderFor(flow: FlowRecord, context: QueryContext): ParamBinder {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('cluster', flow.cluster);
  return binder;
}

function columnAddress(endpoint: EndpointRecord): string {
  const ip = endpoint.ip ?? '::';
  return ip.includes(':') ? ip : `::ffff:${ip}`;
}

function planTwin(flow: FlowRecord, context: QueryContext): QueryPlan {
  const binder = binderFor(flow, context);
  const at = flow.position.bucketNs;
  binder.name('node', flow.node);
  binder.name('src_ip', columnAddress(flow.source));
  binder.name('dst_ip', columnAddress(flow.destination));
  binder.name('l4_protocol', flow.l4Protocol);
  binder.name('src_port', flow.sourcePort);
  binder.name('dst_port', flow.destinationPort);
  binder.name('at', at);
  const sql = TWIN.fill({
    columns: selectList(flowColumns(['policies'])),
    range: rawRange({ fromNs: at - TWIN_NS, toNs: at + TWIN_NS + 1n }, binder),
  });
  return { name: TWIN.name, sql, params: binder.params, settings: settingsFor(context, 1) };
}

function planSimilar(flow: FlowRecord, context: QueryContext): QueryPlan {
  const binder = binderFor(flow, context);
  const { client, server } = partiesOf(flow);
  binder.name('client_namespace', client.namespace);
  binder.name('client_workload', client.workload);
  binder.name('server_namespace', server.namespace);
  binder.name('server_workload', server.workload);
  const at = flow.position.bucketNs;
  const cause = isRefusedCall(flow)
    ? 'l7_type = 1 AND verdict = 2'
    : `is_drop AND drop_reason = ${binder.bind('Int16', flow.dropReason)}`;
  const range = rawRange({ fromNs: at > SIMILAR_NS ? at - SIMILAR_NS : 0n, toNs: at }, binder);
  const sql = SIMILAR.fill({ range, cause });
  return { name: SIMILAR.name, sql, params: binder.params, settings: settingsFor(context, 1) };
}

/**
 * Plans what an explanation of a dropped flow needs besides the flow itself (see `planFlow`): the policy verdict of the
 * same packet, and the drops of the same kind in the 24 hours before. When they are read, `planPrecedingChanges` follows.
 * Refuses BAD_FILTER when the flow was not dropped.
 */
export function planDropExplanation(flow: FlowRecord, context: QueryContext): Result<DropExplanationPlan> {
  if (!isDropped(flow)) return refuse('BAD_FILTER', 'flowId', 'the id of a flow that was dropped');
  const twin =
    flow.eventType === DROP_EVENT && JUDGED.includes(flow.dropReason) ? planTwin(flow, context) : null;
  return done({ flow, twin, similar: planSimilar(flow, context) });
}

/** Plans the agent events of the flow's node before the first drop of its kind, `firstSeenNs` (see `readSimilarDrops`). */
export function planPrecedingChanges(
  flow: FlowRecord,
  firstSeenNs: bigint,
  context: QueryContext,
): QueryPlan {
  const binder = binderFor(flow, context);
  binder.name('node', flow.node);
  binder.name('shortly', firstSeenNs - SHORTLY_NS);
  binder.name('limit', MAX_CHANGES);
  const fromNs = firstSeenNs > HEARD_NS ? firstSeenNs - HEARD_NS : 0n;
  const sql = CHANGES.fill({ range: rawRange({ fromNs, toNs: firstSeenNs + 1n }, binder) });
  return { name: CHANGES.name, sql, params: binder.params, settings: settingsFor(context, MAX_CHANGES) };
}
