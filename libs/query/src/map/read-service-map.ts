import { enumName, L4_PROTOCOL } from '@flowledger/model';
import { groupId } from '../group/dimensions.js';
import type { RedPlan } from '../red/plan-red.js';
import { isUnsided, redStats } from '../red/read-red.js';
import type { RedRow, RedStats } from '../red/read-red.js';
import { edgeChanged } from './edge-change.js';
import type { MapLevel } from './map-level.js';
import type { MapWindowPlan, ServiceMapPlan } from './plan-service-map.js';

/** A row of the edges statement. */
export interface EdgeRow {
  readonly cluster: string;
  readonly client_party: string;
  readonly client_name: string;
  readonly server_party: string;
  readonly server_name: string;
  readonly l4_protocol: number;
  readonly server_port: number;
  readonly flow_count: string;
  readonly connection_count: string;
  readonly best_point: number;
  readonly drop_count: string;
  readonly trace_count: string;
  readonly encrypted_count: string;
  readonly first_ns: string;
  readonly last_ns: string;
  readonly edge_total: string;
  /** 1 when an edge between the nodes on this port, shown or not, is one of UDP. */
  readonly udp_too: number;
  /** Hash of the names of both nodes, to ask for RED of this edge. */
  readonly nodes_hash: number;
  /** 1 where the endpoint history told the name of the node. */
  readonly client_inferred: number;
  readonly server_inferred: number;
  /** 1 when any edge of the window, shown or not, lacks the name of an end. */
  readonly unnamed_edges: number;
}

/** Rows of the two statements of one window. */
export interface MapRows {
  readonly edges: readonly EdgeRow[];
  readonly red: readonly RedRow[];
}

/** A node of the map. */
export interface MapNode {
  readonly id: string;
  readonly name: string;
  /** `cluster`, `namespace`, `workload`, `service`, `pod`, `reserved`, or `unknown`. */
  readonly kind: string;
  readonly namespace: string | null;
  readonly cluster: string;
  readonly inferred: boolean;
}

/** How an edge differs from the window compared with. */
export type EdgeChange = 'NEW' | 'GONE' | 'CHANGED' | 'SAME' | 'UNKNOWN_COVERAGE';

/** An edge from client to server. */
export interface MapEdge {
  readonly id: string;
  readonly client: string;
  readonly server: string;
  /** Layer-4 protocol. */
  readonly protocol: string;
  /** 0 when the protocol has none. */
  readonly port: number;
  /** New connections at one observation point; null when no point reported. */
  readonly connections: bigint | null;
  readonly flows: bigint;
  /** Null without L7 visibility. */
  readonly red: RedStats | null;
  readonly drops: bigint;
  /** Encrypted by all flows that know; null when none knows. */
  readonly encryptedShare: number | null;
  readonly firstSeenNs: bigint;
  readonly lastSeenNs: bigint;
  readonly change: EdgeChange | null;
  readonly before: RedStats | null;
}

/** The map. */
export interface ServiceMapAnswer {
  readonly nodes: readonly MapNode[];
  readonly edges: readonly MapEdge[];
  /** Edges beyond the limit. */
  readonly truncated: number;
}

type PlainEdge = Omit<MapEdge, 'change' | 'before'>;

const KINDS: Readonly<Record<MapLevel, string>> = {
  CLUSTER: 'cluster',
  NAMESPACE: 'namespace',
  WORKLOAD: 'workload',
  SERVICE: 'service',
  POD: 'pod',
};
const TCP = 1;
const UDP = 2;
const DNS_KIND = '1';

function nodeOf(cluster: string, party: string, name: string, level: MapLevel, told = 0): MapNode {
  const reserved = name.startsWith('reserved:');
  return {
    id: groupId([cluster, party, name]),
    name: name === '' ? 'unknown' : name,
    kind: name === '' ? 'unknown' : reserved ? 'reserved' : KINDS[level],
    namespace: party === '' ? null : party,
    cluster,
    inferred: told === 1 || (level === 'WORKLOAD' && !reserved && name !== ''),
  };
}

function edgeKey(row: EdgeRow, l4 = row.l4_protocol): string {
  const { cluster, client_party, client_name, server_party, server_name } = row;
  return groupId([
    cluster,
    client_party,
    client_name,
    server_party,
    server_name,
    String(row.server_port),
    String(l4),
  ]);
}

/** RED rows by edge: HTTP and Kafka run over TCP, DNS over UDP where the map has such an edge, else over TCP. */
function redByEdge(rows: MapRows, planned: RedPlan): ReadonlyMap<string, RedStats> {
  if (isUnsided(planned, rows.red)) throw new TypeError('reports of neither side: ask refineMap first');
  const udpEdges = new Set(rows.edges.filter((row) => row.udp_too === 1).map((row) => edgeKey(row, UDP)));
  const found = new Map<string, RedRow[]>();
  for (const row of rows.red) {
    if (Number(row.group_rank) === 0) continue;
    const texts = planned.keys.map((_, index) => row[`shown_key_${index + 1}`] ?? '');
    const key = (l4: number): string => groupId([...texts.slice(0, 6), String(l4)]);
    const udp = key(UDP);
    const id = texts[6] === DNS_KIND && udpEdges.has(udp) ? udp : key(TCP);
    found.set(id, [...(found.get(id) ?? []), row]);
  }
  return new Map([...found].map(([id, list]) => [id, redStats(list, planned)]));
}

function edgesOf(rows: MapRows, plan: MapWindowPlan, level: MapLevel): readonly PlainEdge[] {
  const red = redByEdge(rows, plan.red);
  return rows.edges.map((row) => {
    const id = edgeKey(row);
    const known = Number(row.trace_count);
    return {
      id,
      client: nodeOf(row.cluster, row.client_party, row.client_name, level).id,
      server: nodeOf(row.cluster, row.server_party, row.server_name, level).id,
      protocol: row.l4_protocol === 0 ? 'unknown' : enumName(L4_PROTOCOL, row.l4_protocol),
      port: row.server_port,
      connections: row.best_point === 0 ? null : BigInt(row.connection_count),
      flows: BigInt(row.flow_count),
      red: red.get(id) ?? null,
      drops: BigInt(row.drop_count),
      encryptedShare: known === 0 ? null : Number(row.encrypted_count) / known,
      firstSeenNs: BigInt(row.first_ns),
      lastSeenNs: BigInt(row.last_ns),
    };
  });
}

interface Comparison {
  readonly plan: MapWindowPlan;
  readonly edges: ReadonlyMap<string, PlainEdge>;
  /** The earlier window was seen completely, so that absence means something. */
  readonly complete: boolean;
}

function changeOf(edge: PlainEdge, now: MapWindowPlan, comparison: Comparison): EdgeChange {
  const before = comparison.edges.get(edge.id);
  if (before === undefined) return comparison.complete ? 'NEW' : 'UNKNOWN_COVERAGE';
  return edgeChanged(edge, before, { now: now.window, before: comparison.plan.window }) ? 'CHANGED' : 'SAME';
}

function totalOf(rows: readonly EdgeRow[]): number {
  return Number(rows[0]?.edge_total ?? 0);
}

/** Edges of the earlier window that are gone; only when the window now was not cut off. */
function goneEdges(shown: readonly PlainEdge[], comparison: Comparison, cut: boolean): readonly MapEdge[] {
  if (cut) return [];
  const ids = new Set(shown.map((edge) => edge.id));
  const gone = [...comparison.edges.values()].filter((edge) => !ids.has(edge.id));
  return gone.map((edge) => ({
    ...edge,
    connections: edge.connections === null ? null : 0n,
    flows: 0n,
    red: null,
    drops: 0n,
    encryptedShare: null,
    change: 'GONE',
    before: edge.red,
  }));
}

function nodesOf(rows: readonly EdgeRow[], level: MapLevel, edges: readonly MapEdge[]): readonly MapNode[] {
  const used = new Set(edges.flatMap((edge) => [edge.client, edge.server]));
  const nodes = rows.flatMap((row) => [
    nodeOf(row.cluster, row.client_party, row.client_name, level, row.client_inferred),
    nodeOf(row.cluster, row.server_party, row.server_name, level, row.server_inferred),
  ]);
  const byId = new Map<string, MapNode>();
  for (const node of nodes) {
    if (!used.has(node.id)) continue;
    const inferred = node.inferred || byId.get(node.id)?.inferred === true;
    byId.set(node.id, { ...node, inferred });
  }
  return [...byId.values()];
}

/**
 * Turns the rows of a planned map into the map. `compared` holds the rows of the earlier window and whether its coverage
 * was complete: without that, a missing edge is UNKNOWN_COVERAGE, not NEW.
 */
export function readServiceMap(
  rows: MapRows,
  planned: ServiceMapPlan,
  compared?: { readonly rows: MapRows; readonly complete: boolean },
): ServiceMapAnswer {
  const { level, now, before } = planned;
  const plain = edgesOf(rows, now, level);
  const truncated = Math.max(0, totalOf(rows.edges) - rows.edges.length);
  if (before === null || compared === undefined) {
    const edges = plain.map((edge) => ({ ...edge, change: null, before: null }));
    return { nodes: nodesOf(rows.edges, level, edges), edges, truncated };
  }
  const earlier = edgesOf(compared.rows, before, level);
  const comparison = {
    plan: before,
    edges: new Map(earlier.map((edge) => [edge.id, edge])),
    complete: compared.complete && totalOf(compared.rows.edges) === earlier.length,
  };
  const edges = [
    ...plain.map((edge) => ({
      ...edge,
      change: changeOf(edge, now, comparison),
      before: comparison.edges.get(edge.id)?.red ?? null,
    })),
    ...goneEdges(plain, comparison, truncated > 0),
  ];
  return { nodes: nodesOf([...rows.edges, ...compared.rows.edges], level, edges), edges, truncated };
}
