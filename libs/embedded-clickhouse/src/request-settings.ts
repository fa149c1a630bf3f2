import { ClickHouseError } from './clickhouse-error.js';
import { literal } from './engine.js';
import type { StoreUser, UserLimits } from './users.js';

/** URL parameters of ClickHouse's HTTP interface that are not settings. */
const CONTROL = new Set([
  'query',
  'database',
  'default_format',
  'query_id',
  'compress',
  'decompress',
  'user',
  'password',
  'client_protocol_version',
  'quota_key',
  'role',
  'wait_end_of_query',
  'buffer_size',
  'enable_http_compression',
  'http_zlib_compression_level',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'cancel_http_readonly_queries_on_client_close',
  'http_response_headers',
  'log_comment',
]);

/** Parameters we do not offer; silently ignoring them would change what a query means. */
const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['session_id', 'HTTP sessions are not supported'],
  ['compress', 'ClickHouse block compression is not supported, use HTTP compression'],
  ['decompress', 'ClickHouse block compression is not supported, use HTTP compression'],
]);

/** Settings a read user may choose freely: they shape the result or the plan, not what may be reached. */
const FREE_FOR_READERS = new Set([
  'max_rows_to_read',
  'max_bytes_to_read',
  'read_overflow_mode',
  'result_overflow_mode',
  'timeout_overflow_mode',
  'max_rows_to_group_by',
  'group_by_overflow_mode',
  'max_rows_in_set',
  'max_rows_in_join',
  'join_overflow_mode',
  'join_algorithm',
  'join_use_nulls',
  'any_join_distinct_right_table_keys',
  'max_block_size',
  'preferred_block_size_bytes',
  'max_threads',
  'read_in_order_use_buffering',
  'optimize_read_in_order',
  'optimize_aggregation_in_order',
  'optimize_move_to_prewhere',
  'optimize_use_projections',
  'optimize_skip_unused_shards',
  'optimize_trivial_count_query',
  'use_query_condition_cache',
  'use_skip_indexes',
  'use_skip_indexes_if_final',
  'use_uncompressed_cache',
  'query_plan_optimize_lazy_materialization',
  'query_plan_max_limit_for_lazy_materialization',
  'force_primary_key',
  'force_index_by_date',
  'final',
  'do_not_merge_across_partitions_select_final',
  'extremes',
  'limit',
  'offset',
  'group_by_use_nulls',
  'prefer_column_name_to_alias',
  'transform_null_in',
  'session_timezone',
  'date_time_output_format',
  'date_time_input_format',
  'format_csv_delimiter',
  'async_insert',
  'wait_for_async_insert',
  'readonly',
]);
const FREE_PREFIX = /^output_format_(?!schema)[a-z0-9_]+$/;

/** Settings with a ceiling per user; 0 means "no limit" to the engine and therefore the ceiling here. */
function ceilings(limits: UserLimits): ReadonlyMap<string, number> {
  return new Map([
    ['max_execution_time', limits.maxExecutionTime],
    ['max_memory_usage', limits.maxMemoryBytes],
    ['max_result_rows', limits.maxResultRows],
    ['max_result_bytes', limits.maxResultBytes],
  ]);
}

/** What one request asks of its session, checked against its user. */
export interface SessionPlan {
  readonly database: string | null;
  /** Settings and `param_` values, in order; `readonly` is not among them. */
  readonly settings: ReadonlyMap<string, string>;
  readonly readonly: 0 | 1 | 2;
}

function refuseSetting(name: string): ClickHouseError {
  return new ClickHouseError(164, 'READONLY', `Cannot modify '${name}' setting in readonly mode`);
}

function readerSetting(name: string, value: string, limits: ReadonlyMap<string, number>): string | null {
  const ceiling = limits.get(name);
  if (ceiling !== undefined) {
    const wanted = Number(value);
    if (!Number.isFinite(wanted) || wanted < 0) {
      throw new ClickHouseError(72, 'CANNOT_PARSE_NUMBER', `Cannot parse the value of setting ${name}`);
    }
    return wanted === 0 || wanted > ceiling ? String(ceiling) : value;
  }
  if (!FREE_FOR_READERS.has(name) && !FREE_PREFIX.test(name)) throw refuseSetting(name);
  return name === 'readonly' || name.endsWith('async_insert') ? null : value;
}

function databaseFor(user: StoreUser, wanted: string | null): string | null {
  if (user.access === 'all') return wanted;
  const database = wanted ?? user.databases[0] ?? '';
  if (!user.databases.includes(database)) {
    throw new ClickHouseError(
      497,
      'ACCESS_DENIED',
      `${user.name}: Not enough privileges for database ${database}`,
    );
  }
  return database;
}

/**
 * Turns URL parameters into what the session has to be told. Pure. Throws 164 for a setting the user may not change,
 * 344 for interface features this endpoint does not have, 497 for a database outside the user's list.
 */
export function sessionPlan(
  query: URLSearchParams,
  database: string | null,
  user: StoreUser,
  get: boolean,
): SessionPlan {
  const settings = new Map<string, string>();
  const limits = ceilings(user.limits);
  if (user.access === 'read') for (const [name, ceiling] of limits) settings.set(name, String(ceiling));
  for (const [name, value] of query) {
    const unsupported = UNSUPPORTED.get(name);
    if (unsupported !== undefined && value !== '0')
      throw new ClickHouseError(344, 'SUPPORT_IS_DISABLED', unsupported);
    if (CONTROL.has(name) || (name.startsWith('session_') && name !== 'session_timezone')) continue;
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      throw new ClickHouseError(115, 'UNKNOWN_SETTING', `Unknown setting '${name.slice(0, 64)}'`);
    }
    if (name.startsWith('param_') || user.access === 'all') settings.set(name, value);
    else {
      const allowed = readerSetting(name, value, limits);
      if (allowed !== null) settings.set(name, allowed);
    }
  }
  const wanted = query.get('database') ?? database;
  return {
    database: databaseFor(user, wanted === '' ? null : wanted),
    settings,
    readonly: user.access === 'read' ? 1 : get ? 2 : 0,
  };
}

/** SQL that prepares a fresh session: database, settings, the tag for cancelling, and `readonly` as the last one. */
export function sessionSetup(plan: SessionPlan, comment: string): string {
  const sets = [...plan.settings].map(([name, value]) => `${name}=${literal(value)}`);
  sets.push(`log_comment=${literal(comment)}`);
  if (plan.readonly !== 0) sets.push(`readonly=${plan.readonly}`);
  const use = plan.database === null ? '' : `USE \`${plan.database.replace(/[\\`]/g, '\\$&')}\`; `;
  return `${use}SET ${sets.join(', ')}`;
}
