import { encodeFlowId } from '../flows/flow-cursor.js';
import { ParamBinder } from '../param-binder.js';
import { decodePolicies, type PolicyRef } from '../policies.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { SqlTemplate } from '../sql-template.js';
import { ceilTo, floorTo, MINUTE_NS, rawRange, rollupRange } from '../window.js';
import type { Window } from '../window.js';

const EDGES = new SqlTemplate('policy-edges');
const PLACES = new SqlTemplate('policy-edges-places');
/** Edges that one question compares at most. */
export const MAX_POLICY_EDGES = 5000;
/** Addresses kept of an end that is no pod. */
const ADDRESSES = 20;

/** What policies decided: let pass, refused, or would have refused if audit mode were enforced. */
export type PolicyOutcome = 'FORWARDED' | 'DENIED' | 'AUDITED';

/**
 * Conditions of the outcomes. A record counts only for the direction that it was seen in: a packet that left its node may
 * still be refused where it arrives. A drop is a drop event, and only two reasons are refusals by a policy.
 */
const WHICH: Readonly<Record<PolicyOutcome, string>> = {
  FORWARDED:
    'flow_type = 1 AND event_type IN (4, 5) AND verdict IN (1, 5) AND client_side != 0 AND (event_type = 5 OR trace_observation_point IN (1, 2, 3, 4, 11, 101))',
  DENIED: 'is_drop AND drop_reason IN (133, 181)',
  AUDITED: 'verdict = 4',
};

/** What the rollup of drops counts of an outcome; null where it knows nothing of it. */
const COUNTED: Readonly<Record<PolicyOutcome, string | null>> = {
  FORWARDED: null,
  DENIED: 'drops != 0 AND drop_reason IN (133, 181)',
  AUDITED: 'audited != 0',
};

/** Narrows to the places of the sort key in which the rollup knows of the outcome. */
function places({ window, outcome }: PolicyEdgesRequest, binder: ParamBinder): readonly string[] {
  const counted = COUNTED[outcome];
  if (counted === null) return [];
  const minutes = rollupRange(
    { fromNs: floorTo(window.fromNs, MINUTE_NS), toNs: ceilTo(window.toNs, MINUTE_NS) },
    binder,
  );
  const found = PLACES.fill({ minutes, counted });
  return [`(cluster, toStartOfFiveMinutes(bucket_time), server_namespace, server_workload) IN (${found})`];
}

/** Which connections to compare. */
export interface PolicyEdgesRequest {
  readonly window: Window;
  readonly outcome: PolicyOutcome;
  readonly cluster?: string | null;
  /** Namespace of the end whose policies judged: the server's for ingress, the client's for egress. */
  readonly namespace?: string | null;
  readonly limit?: number;
}

/** A row of the statement. */
export interface PolicyEdgeRow {
  readonly cluster: string;
  readonly direction: number;
  readonly client_namespace: string;
  readonly client_workload: string;
  readonly client_labels: string;
  readonly client_identity: number;
  readonly client_names: readonly string[];
  readonly client_addresses: readonly string[];
  readonly client_address_count: string;
  readonly server_namespace: string;
  readonly server_workload: string;
  readonly server_labels: string;
  readonly server_identity: number;
  readonly server_names: readonly string[];
  readonly server_addresses: readonly string[];
  readonly server_address_count: string;
  readonly protocol: number;
  readonly port: number;
  readonly icmp: number;
  readonly flow_count: string;
  readonly first_ns: string;
  readonly last_ns: string;
  /** Epoch, partition, offset and index of the first and the last flow. */
  readonly first_position: readonly string[];
  readonly last_position: readonly string[];
  readonly policy_lists: readonly string[];
  readonly edge_total: string;
}

/** One end of a {@link PolicyEdge}. */
export interface PolicyEnd {
  readonly namespace: string;
  readonly workload: string;
  /** Id of the label set, decimal. */
  readonly labelSet: string;
  /** Reserved or local-scope identity; 0 for all others. */
  readonly identity: number;
  readonly names: readonly string[];
  /** A few addresses of what is no pod; IPv4 unmapped. */
  readonly addresses: readonly string[];
  /** How many addresses there were. */
  readonly addressCount: number;
}

/** Connections that are alike to policies. */
export interface PolicyEdge {
  readonly cluster: string;
  readonly direction: 'INGRESS' | 'EGRESS';
  readonly client: PolicyEnd;
  readonly server: PolicyEnd;
  /** L4_PROTOCOL number. */
  readonly protocol: number;
  /** 0 where the protocol has none. */
  readonly port: number;
  /** Null when it is no ICMP message. */
  readonly icmpType: number | null;
  /** Flows that the records stand for. */
  readonly flows: bigint;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  /** Ids of the first and the last flow. */
  readonly samples: readonly string[];
  /** Policies that verdicts of these connections named. */
  readonly policies: readonly PolicyRef[];
}

/** Plans the connections of a window that policies let pass, refused or audited, most frequent first. */
export function planPolicyEdges(request: PolicyEdgesRequest, context: QueryContext): QueryPlan {
  const binder = new ParamBinder();
  const limit = Math.min(request.limit ?? MAX_POLICY_EDGES, MAX_POLICY_EDGES);
  binder.name('tenant', context.tenant);
  binder.name('limit', limit);
  binder.name('addresses', ADDRESSES);
  const { cluster, namespace } = request;
  const where: string[] = [];
  if (typeof cluster === 'string') where.push(`cluster = ${binder.bind('String', cluster)}`);
  if (typeof namespace === 'string') {
    const value = binder.bind('String', namespace);
    where.push(`if(traffic_direction = 1, server_namespace, client_namespace) = ${value}`);
  }
  const sql = EDGES.fill({
    range: rawRange(request.window, binder),
    which: [WHICH[request.outcome], ...places(request, binder)].join(' AND '),
    // Only audited verdicts are asked for the policies that they name.
    named: request.outcome === 'AUDITED' ? 'groupUniqArray(20)(policies)' : "CAST([], 'Array(String)')",
    where: where.join(' AND ') || 'true',
  });
  return { name: EDGES.name, sql, params: binder.usedBy(sql), settings: settingsFor(context, limit) };
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

function end(row: PolicyEdgeRow, side: 'client' | 'server'): PolicyEnd {
  return {
    namespace: row[`${side}_namespace`],
    workload: row[`${side}_workload`],
    labelSet: row[`${side}_labels`],
    identity: row[`${side}_identity`],
    names: row[`${side}_names`],
    addresses: row[`${side}_addresses`]
      .filter((text) => text !== '' && text !== '::')
      .map((text) => MAPPED.exec(text)?.[1] ?? text),
    addressCount: Number(row[`${side}_address_count`]),
  };
}

function sampleId(bucketNs: string, position: readonly string[]): string {
  const [logEpoch = '0', partition = '0', offset = '0', index = '0'] = position;
  return encodeFlowId({
    bucketNs: BigInt(bucketNs),
    logEpoch: BigInt(logEpoch),
    partition: Number(partition),
    offset: BigInt(offset),
    index: Number(index),
  });
}

function samplesOf(row: PolicyEdgeRow): readonly string[] {
  const first = sampleId(row.first_ns, row.first_position);
  const last = sampleId(row.last_ns, row.last_position);
  return first === last ? [first] : [first, last];
}

/** Reads rows of a planned comparison; `total` counts the edges that the limit cut off as well. */
export function readPolicyEdges(rows: readonly PolicyEdgeRow[]): {
  readonly edges: readonly PolicyEdge[];
  readonly total: number;
} {
  const edges = rows.map((row): PolicyEdge => ({
    cluster: row.cluster,
    direction: row.direction === 1 ? 'INGRESS' : 'EGRESS',
    client: end(row, 'client'),
    server: end(row, 'server'),
    protocol: row.protocol,
    port: row.port,
    icmpType: row.icmp < 0 ? null : row.icmp,
    flows: BigInt(row.flow_count),
    firstNs: BigInt(row.first_ns),
    lastNs: BigInt(row.last_ns),
    samples: samplesOf(row),
    policies: row.policy_lists.flatMap((bytes) => decodePolicies(Buffer.from(bytes, 'base64'))),
  }));
  return { edges, total: Number(rows[0]?.edge_total ?? 0) };
}
