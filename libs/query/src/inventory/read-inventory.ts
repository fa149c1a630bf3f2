import type { InventoryPlan } from './plan-inventory.js';

/** A row of the nodes statement. */
export interface NodeRow {
  readonly cluster: string;
  readonly node: string;
  readonly last_seen_ns: string;
  readonly flow_total: string;
  readonly lost_total: string;
  readonly node_label_set: string;
}

/** A node that was heard of in the window. */
export interface NodeAnswer {
  readonly name: string;
  readonly cluster: string;
  /** Id of the label set; see `planLabels`. */
  readonly labelSet: string;
  readonly lastSeenNs: bigint;
  /** Flow records by the length of the window. */
  readonly flowsPerSecond: number;
  readonly eventsLost: bigint;
}

/** Reads the nodes of a window. */
export function readNodes(rows: readonly NodeRow[], { window }: InventoryPlan): readonly NodeAnswer[] {
  const seconds = Number(window.toNs - window.fromNs) / 1e9;
  return rows.map((row) => ({
    name: row.node,
    cluster: row.cluster,
    labelSet: row.node_label_set,
    lastSeenNs: BigInt(row.last_seen_ns),
    flowsPerSecond: Number(row.flow_total) / seconds,
    eventsLost: BigInt(row.lost_total),
  }));
}

/** A row of the namespaces statement. */
export interface NamespaceRow {
  readonly cluster: string;
  readonly namespace: string;
  readonly last_seen_ns: string;
  readonly flow_total: string;
  readonly drop_total: string;
}

/** A namespace that sent or received in the window. */
export interface NamespaceAnswer {
  readonly cluster: string;
  readonly name: string;
  readonly lastSeenNs: bigint;
  /** Flows with the namespace on either side; a flow inside a namespace counts once. */
  readonly flows: bigint;
  readonly drops: bigint;
}

/** Reads the namespaces of a window. */
export function readNamespaces(rows: readonly NamespaceRow[]): readonly NamespaceAnswer[] {
  return rows.map((row) => ({
    cluster: row.cluster,
    name: row.namespace,
    lastSeenNs: BigInt(row.last_seen_ns),
    flows: BigInt(row.flow_total),
    drops: BigInt(row.drop_total),
  }));
}
