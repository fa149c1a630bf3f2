import {
  DROP_REASON,
  FLOW_TYPE,
  L4_PROTOCOL,
  L7_FLOW_TYPE,
  TRAFFIC_DIRECTION,
  VERDICT,
  type EnumTable,
} from '@flowledger/model';
import { compileFilters } from '../filter/compile-filters.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor, type QueryContext, type QueryPlan } from '../query-plan.js';
import { done, refuse, type Result } from '../result.js';
import { SqlTemplate } from '../sql-template.js';
import { rawRange, resolveWindow, type Window, type WindowRequest } from '../window.js';
import { selectList, type SelectedColumn } from './flow-columns.js';

const EXPORT = new SqlTemplate('flow-export');

/** Flows of one export, at most: its sort must fit the memory of one statement. */
export const MAX_EXPORT = 500_000;

/** Flows to export: the first or the last ones of a window, or all of it. */
export interface FlowExportRequest {
  readonly window: WindowRequest;
  readonly filters?: FlowFilters | null;
  /** How many; null = all, which are refused by the store when there are more than {@link MAX_EXPORT}. */
  readonly count: number | null;
  /** From the start of the window, not from its end. */
  readonly first: boolean;
  /** Bound on the flows of this export; {@link MAX_EXPORT} when absent. */
  readonly most?: number;
}

/** A planned export. */
export interface FlowExportPlan {
  readonly plan: QueryPlan;
  readonly window: Window;
}

/** The name of a number, or the number as text where we know no name. */
function named(column: string, { names }: EnumTable): SelectedColumn {
  const numbers = Object.keys(names).join(', ');
  const words = Object.values(names).map((word) => `'${word}'`);
  const sql = `transform(${column}, [${numbers}], [${words.join(', ')}], toString(${column}))`;
  return { name: column, sql };
}

function plain(name: string): SelectedColumn {
  return { name, sql: name };
}

function as(name: string, sql: string): SelectedColumn {
  return { name, sql };
}

/** An address as text: IPv4 without its prefix, empty where there is none. */
function address(column: string): SelectedColumn {
  return as(
    column,
    `if(${column} = toIPv6('::'), '', replaceOne(IPv6NumToString(${column}), '::ffff:', ''))`,
  );
}

/** Null where the column's zero says that nobody knows. */
function known(column: string): SelectedColumn {
  return as(column, `nullIf(${column}, 0)`);
}

function side(prefix: 'src' | 'dst'): readonly SelectedColumn[] {
  const names = ['identity', 'cluster', 'namespace', 'pod', 'workload', 'workload_kind', 'names'];
  const services = ['service_namespace', 'service_name'];
  return [
    address(`${prefix}_ip`),
    plain(`${prefix}_port`),
    ...[...names, ...services].map((name) => plain(`${prefix}_${name}`)),
  ];
}

/**
 * Columns of an export: those of `flows` under their own names (docs/reference/fields.md), with names for the numbers of
 * enums, text for addresses, and null for what is unknown.
 */
const COLUMNS: readonly SelectedColumn[] = [
  as('time', 'bucket_time + toIntervalNanosecond(time_shift)'),
  plain('uuid'),
  plain('cluster'),
  plain('node'),
  named('verdict', VERDICT),
  as('drop_reason', `if(drop_reason = 0, '', ${named('drop_reason', DROP_REASON).sql})`),
  named('flow_type', FLOW_TYPE),
  plain('event_type'),
  plain('event_sub_type'),
  named('traffic_direction', TRAFFIC_DIRECTION),
  as('is_reply', "if(is_reply = 0, NULL, CAST(is_reply = 2, 'Bool'))"),
  named('l4_protocol', L4_PROTOCOL),
  ...side('src'),
  ...side('dst'),
  plain('tcp_flags'),
  as('l7_type', `if(l7_kind = 0, '', ${named('l7_type', L7_FLOW_TYPE).sql})`),
  known('latency_ns'),
  known('http_code'),
  ...['http_method', 'http_url', 'http_path_template', 'http_protocol', 'dns_query', 'dns_ips'].map(plain),
  as('dns_rcode', 'if(l7_kind = 1 AND l7_type = 2, dns_rcode, NULL)'),
  ...['dns_qtypes', 'kafka_api_key', 'kafka_topic', 'trace_id', 'weight'].map(plain),
];

/** Names of the columns, in order. */
export const EXPORT_COLUMNS: readonly string[] = COLUMNS.map(({ name }) => name);

/**
 * Plans an export in the order of time. Refuses BAD_WINDOW, WINDOW_TOO_WIDE, BAD_FILTER, and TOO_COSTLY for more than
 * {@link MAX_EXPORT} flows.
 */
export function planFlowExport(request: FlowExportRequest, context: QueryContext): Result<FlowExportPlan> {
  const { count, most = MAX_EXPORT } = request;
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  if (count !== null && (!Number.isInteger(count) || count < 0))
    return refuse('BAD_WINDOW', 'count', 'a number of flows');
  if (count !== null && count > most) return refuse('TOO_COSTLY', 'count', `at most ${most} flows at once`);
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  // One more than may be: the store then refuses the answer, and nobody takes a part for the whole.
  binder.name('limit', count ?? most + 1);
  const filter = compileFilters(request.filters, {
    target: 'record',
    binder,
    tenant: '{tenant:String}',
    ...window.value,
  });
  if (!filter.ok) return filter;
  const sql = EXPORT.fill({
    columns: selectList(COLUMNS),
    range: rawRange(window.value, binder),
    filter: filter.value ?? 'true',
    order: request.first ? 'ASC' : 'DESC',
  });
  const plan = {
    name: EXPORT.name,
    sql,
    params: binder.usedBy(sql),
    settings: {
      ...settingsFor(context, most),
      // Names of the answer are names of the table: a condition must mean the table's.
      prefer_column_name_to_alias: 1,
    },
  };
  return done({ plan, window: window.value });
}
