import { DROP_REASON, enumName, L4_PROTOCOL } from '@flowledger/model';
import type { FirstSeenKind } from './plan-first-seen.js';

/** A row of one of the statements; what a kind does not have is undefined. */
export interface FirstSeenRow {
  readonly cluster: string;
  readonly client_namespace: string;
  readonly client_workload?: string;
  readonly client_workloads?: readonly string[];
  readonly server_namespace: string;
  readonly server_workload?: string;
  readonly l4_protocol?: number;
  readonly server_port?: number;
  readonly ports?: readonly number[];
  readonly drop_reason?: number;
  readonly destination?: string;
  readonly flow_count: string;
  readonly drop_count: string;
  readonly first_ns: string;
  readonly found_total: string;
}

/** A row of the history statement. */
export interface HistoryBeginRow {
  readonly first_ns: string;
  readonly row_count: string;
}

/** Something that was never seen before. */
export interface FirstSeen {
  readonly kind: FirstSeenKind;
  readonly cluster: string;
  /** Who calls: workloads, or the namespace alone. */
  readonly clients: readonly string[];
  /** Who is called; empty for a drop reason between namespaces that are not known. */
  readonly server: string;
  readonly protocol: string | null;
  readonly ports: readonly number[];
  readonly dropReason: number | null;
  readonly firstNs: bigint;
  /** Flows since, up to the minute in which the window ends. */
  readonly flows: bigint;
  /** How many of them were dropped. */
  readonly dropped: bigint;
  /** In words. */
  readonly text: string;
}

function name(namespace: string, workload: string): string {
  if (namespace === '') return workload || 'unknown';
  return workload === '' ? namespace : `${namespace}/${workload}`;
}

function edge(
  row: FirstSeenRow,
): Pick<FirstSeen, 'clients' | 'server' | 'protocol' | 'ports' | 'dropReason' | 'text'> {
  const client = name(row.client_namespace, row.client_workload ?? '');
  const server = name(row.server_namespace, row.server_workload ?? '');
  const protocol = enumName(L4_PROTOCOL, row.l4_protocol ?? 0);
  const port = row.server_port ?? 0;
  const on = port === 0 ? protocol : `${protocol} ${port}`;
  return {
    clients: [client],
    server,
    protocol,
    ports: port === 0 ? [] : [port],
    dropReason: null,
    text: `${client} calls ${server} on ${on}`,
  };
}

function reason(row: FirstSeenRow): ReturnType<typeof edge> {
  const client = name(row.client_namespace, '');
  const server = name(row.server_namespace, '');
  const dropReason = row.drop_reason ?? 0;
  const text = `packets from ${client} to ${server} are dropped with ${enumName(DROP_REASON, dropReason)}`;
  return { clients: [client], server, protocol: null, ports: [], dropReason, text };
}

function destination(row: FirstSeenRow): ReturnType<typeof edge> {
  const clients = (row.client_workloads ?? []).map((workload) => name(row.client_namespace, workload));
  const server = row.destination ?? '';
  const ports = (row.ports ?? []).filter((port) => port !== 0);
  const on = ports.length === 0 ? '' : ` on ${ports.join(', ')}`;
  return {
    clients,
    server,
    protocol: null,
    ports,
    dropReason: null,
    text: `${clients.join(', ')} calls ${server}${on}`,
  };
}

const READERS = { EDGE: edge, DROP_REASON: reason, EXTERNAL_DESTINATION: destination } as const;

/** Reads the rows of one kind; `total` counts what the limit cut off as well. */
export function readFirstSeen(
  kind: FirstSeenKind,
  rows: readonly FirstSeenRow[],
): { readonly items: readonly FirstSeen[]; readonly total: number } {
  const items = rows.map((row): FirstSeen => ({
    kind,
    cluster: row.cluster,
    ...READERS[kind](row),
    firstNs: BigInt(row.first_ns),
    flows: BigInt(row.flow_count),
    dropped: BigInt(row.drop_count),
  }));
  return { items, total: Number(rows[0]?.found_total ?? 0) };
}

/** When the history begins, ns; null when nothing was recorded in it. */
export function readHistoryBegin(rows: readonly HistoryBeginRow[]): bigint | null {
  const [row] = rows;
  return row === undefined || row.row_count === '0' ? null : BigInt(row.first_ns);
}
