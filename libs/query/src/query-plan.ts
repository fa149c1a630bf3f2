/** A value bound as `{name:Type}`; the same type as the column store's, so that plans need no conversion. */
export type ParamValue = string | number | bigint | boolean | null | readonly ParamValue[];

/**
 * One named, limited statement. The same shape as the column store's `QueryPlan`: a planner is pure and imports no
 * adapter, so the type is said twice and TypeScript compares them structurally.
 */
export interface QueryPlan {
  /** Name of the .sql file; goes into `log_comment` and metrics. */
  readonly name: string;
  /** Placeholders only, never values. */
  readonly sql: string;
  readonly params: Readonly<Record<string, ParamValue>>;
  /** Explicit limits of this statement. */
  readonly settings: Readonly<Record<string, string | number>>;
}

/** Bounds of every statement; the API's configuration sets them. */
export interface QueryLimits {
  /** Longest run of one statement, seconds. */
  readonly maxSeconds: number;
  /** Rows that one statement may read. */
  readonly maxRowsToRead: number;
  /** Memory of one statement, bytes. */
  readonly maxMemoryBytes: number;
  /** Longest window that may be asked for, ns. */
  readonly maxWindowNs: bigint;
}

/** How long each table keeps its rows, ns; decides which table can still answer (`RAW_TTL_DAYS` and its siblings). */
export interface Retention {
  /** `flows`. */
  readonly rawNs: bigint;
  /** The tables of one minute. */
  readonly minuteNs: bigint;
  /** The tables of one hour. */
  readonly hourNs: bigint;
}

/** What a planner knows besides the request: who asks, what time it is, and the bounds. */
export interface QueryContext {
  /** Compiled into every statement. */
  readonly tenant: string;
  /** Now, ns since 1970; planners have no clock. */
  readonly nowNs: bigint;
  readonly limits: QueryLimits;
  readonly retention: Retention;
}

const DAY_NS = 86_400_000_000_000n;

/** Limits for a single node that serves people. */
export const DEFAULT_LIMITS: QueryLimits = {
  maxSeconds: 15,
  maxRowsToRead: 2_000_000_000,
  maxMemoryBytes: 2 * 1024 ** 3,
  maxWindowNs: 400n * DAY_NS,
};

/** The retention that the migrations render without configuration. */
export const DEFAULT_RETENTION: Retention = {
  rawNs: 30n * DAY_NS,
  minuteNs: 90n * DAY_NS,
  hourNs: 400n * DAY_NS,
};

/**
 * Settings of a statement: its limits, every one of which ends in an error and never in a partial answer, and
 * `read_in_order_use_buffering=0` for the lists that read in key order (design section 5: 38 against 179 ms).
 */
export function settingsFor(context: QueryContext, maxResultRows: number): QueryPlan['settings'] {
  return {
    max_execution_time: context.limits.maxSeconds,
    timeout_overflow_mode: 'throw',
    max_rows_to_read: context.limits.maxRowsToRead,
    read_overflow_mode: 'throw',
    max_memory_usage: context.limits.maxMemoryBytes,
    max_result_rows: maxResultRows,
    result_overflow_mode: 'throw',
    read_in_order_use_buffering: 0,
    optimize_read_in_order: 1,
  };
}
