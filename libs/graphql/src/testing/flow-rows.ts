import type { ColumnStore } from '@flowledger/column-store';

/** Columns of one row of `flows` that differ from the defaults below; values as SQL literals. */
export type FlowCells = Readonly<Record<string, string>>;

const HOUR_MS = 3_600_000;

/** Start of the hour in which the test rows lie, ms: recent enough that no TTL takes them. */
export const HOUR_START_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 2 * HOUR_MS;

/** RFC 3339 text of a time in that hour, as the API writes it. */
export function at(seconds: number): string {
  return new Date(HOUR_START_MS + seconds * 1000).toISOString().replace('.000Z', 'Z');
}

const DEFAULTS: FlowCells = {
  _le: '7',
  _lp: '0',
  tenant: "'default'",
  cluster: "'default'",
  node: "'node-1'",
  verdict: '1',
  flow_type: '1',
  event_type: '4',
  ip_version: '1',
  l4_protocol: '1',
  weight: '1',
};

let offset = 0;

/**
 * Writes rows of `flows`, one envelope each, `seconds` into the hour. Rollups follow by the views.
 */
export async function insertFlows(
  writer: ColumnStore,
  rows: readonly { readonly seconds: number; readonly cells: FlowCells }[],
): Promise<void> {
  for (const { seconds, cells } of rows) {
    const all: FlowCells = {
      ...DEFAULTS,
      _lo: String(offset++),
      bucket_time: `fromUnixTimestamp64Milli(${Math.round(HOUR_START_MS + seconds * 1000)}, 'UTC')`,
      ...cells,
    };
    const sql = `INSERT INTO flows (${Object.keys(all).join(', ')}) SELECT ${Object.values(all).join(', ')}`;
    await writer.command({ name: 'test_insert', sql, params: {}, settings: {} });
  }
}

/** A row of `endpoints`. */
export interface EndpointCells {
  readonly tenant?: string;
  readonly hourS: number;
  readonly ip: string;
  readonly namespace?: string;
  readonly pod?: string;
  readonly kind?: string;
  readonly workload?: string;
  readonly serviceNamespace?: string;
  readonly service?: string;
}

/** Writes who addresses were. */
export async function insertEndpoints(writer: ColumnStore, rows: readonly EndpointCells[]): Promise<void> {
  const values = rows.map((row) => {
    const texts = [row.namespace, row.pod, row.kind, row.workload, row.serviceNamespace, row.service];
    return `('${row.tenant ?? 'default'}', 'default', ${row.hourS}, '${row.ip}', ${texts.map((text) => `'${text ?? ''}'`).join(', ')})`;
  });
  const columns =
    'tenant, cluster, hour, ip, namespace, pod, workload_kind, workload, service_namespace, service_name';
  const sql = `INSERT INTO endpoints (${columns}) VALUES ${values.join(', ')}`;
  await writer.command({ name: 'test_insert', sql, params: {}, settings: {} });
}

/** A call from web to api that the server's side answered. */
export function httpAnswer(code: number, milliseconds: number): FlowCells {
  const ns = Math.round(milliseconds * 1e6);
  return {
    flow_type: '2',
    event_type: '129',
    traffic_direction: '1',
    is_reply: '2',
    client_side: '2',
    src_namespace: "'shop'",
    src_pod: "'api-1'",
    src_workload: "'api'",
    src_workload_kind: "'Deployment'",
    src_workloads: "['Deployment/api']",
    dst_namespace: "'shop'",
    dst_pod: "'web-1'",
    dst_workload: "'web'",
    client_namespace: "'shop'",
    client_workload: "'web'",
    server_namespace: "'shop'",
    server_workload: "'api'",
    server_port: '8080',
    l7_type: '2',
    l7_kind: '2',
    latency_ns: String(ns),
    latency_bucket: String(2 + Math.floor(16 * Math.log2(ns))),
    http_code: String(code),
    http_method: "'GET'",
    http_url: "'http://api:8080/items/7'",
    http_path_template: "'/items/{id}'",
    http_protocol: "'HTTP/1.1'",
    endpoint: "'GET /items/{id}'",
  };
}

/** A packet from `job` to `db` that policy denied. */
export const POLICY_DROP: FlowCells = {
  verdict: '2',
  event_type: '1',
  event_sub_type: '133',
  drop_reason: '133',
  traffic_direction: '1',
  client_side: '1',
  src_namespace: "'batch'",
  src_pod: "'job-1'",
  src_workload: "'job'",
  dst_namespace: "'data'",
  dst_pod: "'db-0'",
  dst_workload: "'db'",
  client_namespace: "'batch'",
  client_workload: "'job'",
  server_namespace: "'data'",
  server_workload: "'db'",
  src_port: '41000',
  dst_port: '5432',
  server_port: '5432',
  tcp_flags: '514',
};
