import { ALL_PARTS, flowColumns, selectList } from '../flows/flow-columns.js';
import { readFlow } from '../flows/read-flow.js';
import type { FlowRecord, FlowRow } from '../flows/flow-record.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { SqlTemplate } from '../sql-template.js';
import { rawRange, SECOND_NS } from '../window.js';

const PAGE = new SqlTemplate('flow-page');
const MAX_DROPS = 50;
const MAX_TWINS = 1000;
/** Only these reasons come from a policy and so have a verdict (hubble note 7.2). */
const POLICY_REASONS: readonly number[] = [133, 181, 189];

function hasTwin(drop: FlowRecord): boolean {
  return drop.eventType === 1 && POLICY_REASONS.includes(drop.dropReason);
}

function sameConnection(drop: FlowRecord, binder: ParamBinder): string {
  const text = (value: string): string => binder.bind('String', value);
  const address = (value: string | null): string => binder.bind('IPv6', value ?? '::');
  const near = rawRange(
    { fromNs: drop.position.bucketNs - SECOND_NS, toNs: drop.position.bucketNs + SECOND_NS + 1n },
    binder,
  );
  return [
    `cluster = ${text(drop.cluster)} AND node = ${text(drop.node)}`,
    `src_ip = ${address(drop.source.ip)} AND dst_ip = ${address(drop.destination.ip)}`,
    `l4_protocol = ${binder.bind('UInt8', drop.l4Protocol)}`,
    `src_port = ${binder.bind('UInt16', drop.sourcePort)}`,
    `dst_port = ${binder.bind('UInt16', drop.destinationPort)}`,
    near,
  ].join(' AND ');
}

/**
 * Plans the policy verdicts that belong to drops: same node and 5-tuple, DROPPED, at most 1 s apart. At most 50 drops;
 * null when none of them can have one.
 */
export function planTwins(drops: readonly FlowRecord[], context: QueryContext): QueryPlan | null {
  const wanted = drops.filter(hasTwin).slice(0, MAX_DROPS);
  const [first] = wanted;
  if (first === undefined) return null;
  const times = wanted.map((drop) => drop.position.bucketNs);
  const min = times.reduce((a, b) => (a < b ? a : b));
  const max = times.reduce((a, b) => (a > b ? a : b));
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('limit', MAX_TWINS);
  const sql = PAGE.fill({
    columns: selectList(flowColumns(ALL_PARTS)),
    cluster: 'true',
    range: rawRange({ fromNs: min - SECOND_NS, toNs: max + SECOND_NS + 1n }, binder),
    position: 'event_type = 5 AND verdict = 2',
    filter: wanted.map((drop) => `(${sameConnection(drop, binder)})`).join(' OR '),
    order: 'ASC',
  });
  return { name: 'twins', sql, params: binder.usedBy(sql), settings: settingsFor(context, MAX_TWINS) };
}

function distance(a: FlowRecord, b: FlowRecord): bigint {
  const difference = a.position.bucketNs - b.position.bucketNs;
  return difference < 0n ? -difference : difference;
}

function connection(flow: FlowRecord): string {
  const { cluster, node, source, destination, l4Protocol, sourcePort, destinationPort } = flow;
  const parts = [cluster, node, source.ip, destination.ip, l4Protocol, sourcePort, destinationPort];
  return parts.join('\n');
}

/** Verdicts by the id of the drop they belong to: the nearest in time. Drops without a verdict are not in the map. */
export function readTwins(
  rows: readonly FlowRow[],
  drops: readonly FlowRecord[],
): ReadonlyMap<string, FlowRecord> {
  const verdicts = new Map<string, FlowRecord[]>();
  for (const verdict of rows.map(readFlow)) {
    const key = connection(verdict);
    const list = verdicts.get(key);
    if (list === undefined) verdicts.set(key, [verdict]);
    else list.push(verdict);
  }
  const twins = new Map<string, FlowRecord>();
  for (const drop of drops.filter(hasTwin)) {
    const near = (verdicts.get(connection(drop)) ?? []).filter((twin) => distance(drop, twin) <= SECOND_NS);
    const [nearest] = near.toSorted((a, b) => (distance(drop, a) < distance(drop, b) ? -1 : 1));
    if (nearest !== undefined) twins.set(drop.id, nearest);
  }
  return twins;
}
