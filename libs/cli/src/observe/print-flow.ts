/** A flow in protobuf JSON, as far as lines and columns show it. */
export interface FlowJson {
  readonly time?: string;
  readonly uuid?: string;
  readonly verdict?: string;
  readonly node_name?: string;
  readonly drop_reason_desc?: string;
  readonly traffic_direction?: string;
  readonly is_reply?: boolean;
  readonly Type?: string;
  readonly event_type?: { readonly type?: number };
  readonly trace_observation_point?: string;
  readonly sock_xlate_point?: string;
  readonly debug_capture_point?: string;
  readonly IP?: { readonly source?: string; readonly destination?: string };
  readonly l4?: Readonly<
    Record<string, { readonly source_port?: number; readonly destination_port?: number }>
  >;
  readonly l7?: {
    readonly type?: string;
    readonly http?: { readonly code?: number; readonly method?: string; readonly url?: string };
    readonly dns?: { readonly query?: string; readonly rcode?: number };
  };
  readonly source?: EndJson;
  readonly destination?: EndJson;
  readonly source_service?: { readonly name?: string; readonly namespace?: string };
  readonly destination_service?: { readonly name?: string; readonly namespace?: string };
  readonly Summary?: string;
}

interface EndJson {
  readonly identity?: number;
  readonly namespace?: string;
  readonly pod_name?: string;
  readonly labels?: readonly string[];
  readonly workloads?: readonly { readonly name?: string; readonly kind?: string }[];
}

/** Columns of `-o csv` and keys of `--aggregate-by`. */
export const FLOW_KEYS: Readonly<Record<string, (flow: FlowJson) => string>> = {
  time: (flow) => flow.time ?? '',
  node: (flow) => flow.node_name ?? '',
  verdict: (flow) => flow.verdict ?? 'VERDICT_UNKNOWN',
  'drop-reason': (flow) => flow.drop_reason_desc ?? '',
  direction: (flow) => flow.traffic_direction ?? '',
  reply: (flow) => (flow.is_reply === undefined ? '' : String(flow.is_reply)),
  type: (flow) => flow.Type ?? '',
  protocol: (flow) => Object.keys(flow.l4 ?? {})[0] ?? '',
  'source-ip': (flow) => flow.IP?.source ?? '',
  'source-port': (flow) => port(flow, 'source_port'),
  'source-namespace': (flow) => flow.source?.namespace ?? '',
  'source-pod': (flow) => flow.source?.pod_name ?? '',
  'source-workload': (flow) => flow.source?.workloads?.[0]?.name ?? '',
  'source-identity': (flow) => String(flow.source?.identity ?? 0),
  'destination-ip': (flow) => flow.IP?.destination ?? '',
  'destination-port': (flow) => port(flow, 'destination_port'),
  'destination-namespace': (flow) => flow.destination?.namespace ?? '',
  'destination-pod': (flow) => flow.destination?.pod_name ?? '',
  'destination-workload': (flow) => flow.destination?.workloads?.[0]?.name ?? '',
  'destination-identity': (flow) => String(flow.destination?.identity ?? 0),
  'destination-service': (flow) => flow.destination_service?.name ?? '',
  'http-method': (flow) => flow.l7?.http?.method ?? '',
  'http-code': (flow) => String(flow.l7?.http?.code ?? ''),
  'dns-query': (flow) => flow.l7?.dns?.query ?? '',
  summary: (flow) => flow.Summary ?? '',
  uuid: (flow) => flow.uuid ?? '',
};

function port(flow: FlowJson, side: 'source_port' | 'destination_port'): string {
  return String(Object.values(flow.l4 ?? {})[0]?.[side] ?? '');
}

/** Namespace, pod and port of a side; its address where it is no pod, or where `byAddress` asks for it. */
export function endText(flow: FlowJson, side: 'source' | 'destination', byAddress = false): string {
  const { namespace, pod_name: pod } = flow[side] ?? {};
  const number = port(flow, `${side}_port`);
  const name = pod === undefined || byAddress ? (flow.IP?.[side] ?? '?') : `${namespace ?? ''}/${pod}`;
  return number === '' ? name : `${name}:${number}`;
}

/** One line for people: time, who, where to, what became of it. */
export function compactLine(flow: FlowJson, byAddress = false): string {
  const arrow = flow.is_reply === undefined ? '<>' : flow.is_reply ? '<-' : '->';
  const [left, right] =
    flow.is_reply === true ? (['destination', 'source'] as const) : (['source', 'destination'] as const);
  const reason = flow.drop_reason_desc === undefined ? '' : ` ${flow.drop_reason_desc}`;
  return `${flow.time ?? 'no time'} ${flow.node_name ?? ''} ${endText(flow, left, byAddress)} ${arrow} ${endText(flow, right, byAddress)} ${
    flow.verdict ?? 'VERDICT_UNKNOWN'
  }${reason} (${flow.Summary ?? ''})`;
}

/** The head of a CSV. */
export function csvHead(): string {
  return Object.keys(FLOW_KEYS).join(',');
}

/** A row of a CSV (RFC 4180). */
export function csvLine(flow: FlowJson): string {
  return Object.values(FLOW_KEYS)
    .map((read) => csvCell(read(flow)))
    .join(',');
}

/** Quoted where a comma, quote or line break is in it; a formula of a spreadsheet is defused by a quote. */
function csvCell(text: string): string {
  const safe = /^[=+@\t\r-]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
