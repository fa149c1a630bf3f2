/** Which side of a flow or call a filter field is about. */
export type FilterSide = 'source' | 'destination';

/** What a filter asks of one side; the suffix of the columns `src_…` and `dst_…`. */
export type EndpointColumn =
  | 'ip'
  | 'pod'
  | 'namespace'
  | 'workload'
  | 'workload_kind'
  | 'workloads'
  | 'label_set'
  | 'identity'
  | 'cluster'
  | 'names'
  | 'service_namespace'
  | 'service_name'
  | 'port';

/**
 * What source and destination mean in a question, and which columns can answer it. `undefined` = this table cannot.
 *
 * - `record`: rows of `flows`; source is the sender of the packet, as in Hubble
 * - `call`: rows of `flows`; source is the client and destination the server of the call
 * - `red`, `edges`, `drops`: the rollups; only their key columns
 */
export interface FilterColumns {
  readonly target: FilterTarget;
  /** Source and destination are client and server. */
  readonly calls: boolean;
  /** Raw rows, with `bucket_time` and addresses. */
  readonly raw: boolean;
  endpoint(side: FilterSide, what: EndpointColumn): string | undefined;
  own(column: string): string | undefined;
}

/** See {@link FilterColumns}. */
export type FilterTarget = 'record' | 'call' | 'red' | 'edges' | 'drops';

const KEYS: Readonly<Record<'red' | 'edges' | 'drops', Readonly<Record<string, string>>>> = {
  red: { cluster: 'cluster', l7_kind: 'l7_kind', server_port: 'server_port', traffic_direction: 'reporter' },
  edges: { cluster: 'cluster', l4_protocol: 'l4_protocol', server_port: 'server_port' },
  drops: {
    cluster: 'cluster',
    node: 'node',
    l4_protocol: 'l4_protocol',
    server_port: 'server_port',
    traffic_direction: 'traffic_direction',
    drop_reason: 'drop_reason',
  },
};

function clientOrServer(side: FilterSide): 'client' | 'server' {
  return side === 'source' ? 'client' : 'server';
}

function callEndpoint(side: FilterSide, what: EndpointColumn): string {
  if (what === 'namespace' || what === 'workload') return `${clientOrServer(side)}_${what}`;
  return side === 'source'
    ? `if(client_side = 2, dst_${what}, src_${what})`
    : `if(client_side = 2, src_${what}, dst_${what})`;
}

/** The columns of one target. */
export function filterColumns(target: FilterTarget): FilterColumns {
  if (target === 'record') {
    return {
      target,
      calls: false,
      raw: true,
      endpoint: (side, what) => `${side === 'source' ? 'src' : 'dst'}_${what}`,
      own: (column) => column,
    };
  }
  if (target === 'call')
    return { target, calls: true, raw: true, endpoint: callEndpoint, own: (column) => column };
  const keys = KEYS[target];
  return {
    target,
    calls: true,
    raw: false,
    endpoint: (side, what) =>
      what === 'namespace' || what === 'workload' ? `${clientOrServer(side)}_${what}` : undefined,
    own: (column) => keys[column],
  };
}
