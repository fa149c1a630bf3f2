import type { Readable } from 'node:stream';
import type { ColumnBatch } from '@flowledger/model';

/** A value bound as `{name:Type}`; 64-bit integers are bigint, times are decimal text as ClickHouse reads it. */
export type ParamValue = string | number | bigint | boolean | null | readonly ParamValue[];

/** One named, limited statement, made by a pure planner. `sql` holds placeholders only, never values. */
export interface QueryPlan {
  /** From the .sql file's name; goes into `log_comment` and metrics. */
  readonly name: string;
  readonly sql: string;
  readonly params: Readonly<Record<string, ParamValue>>;
  /** Explicit limits and switches (`max_execution_time`, `max_result_rows`, …). */
  readonly settings: Readonly<Record<string, string | number>>;
}

export interface QueryResult<Row> {
  readonly rows: readonly Row[];
  readonly rowsRead: number;
  readonly bytesRead: number;
  /** Engine time, ms. */
  readonly elapsedMs: number;
}

export interface InsertOptions {
  /** `insert_deduplication_token`: names the same rows on every retry. */
  readonly token: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/**
 * The only way to ClickHouse: a real server, a cluster, or the embedded engine's HTTP endpoint. Every setting that
 * matters is named on each request because defaults changed between versions (reliability note, section 0).
 *
 * Faults are AppErrors: STORE_UNAVAILABLE (never reached the engine; retry), STORE_REJECTED (the content was refused
 * for certain; `details.code` is ClickHouse's; no retry), STORE_UNCERTAIN (may or may not have been applied; verify),
 * TIMEOUT, CANCELLED.
 */
export interface ColumnStore {
  /**
   * Writes one batch as one Native block in one INSERT with explicit settings (`async_insert=0`, view dedup, token).
   * Columns that are zero or empty throughout are left to the table, whose columns must have no DEFAULT expression.
   */
  insert(batch: ColumnBatch, options: InsertOptions): Promise<void>;
  /** Runs a SELECT. UInt64 and wider arrive as decimal strings; rows are plain objects by column name. */
  query<Row>(plan: QueryPlan, signal?: AbortSignal): Promise<QueryResult<Row>>;
  /**
   * Runs a SELECT and hands its result over as a stream of Native blocks, for copies. The stream fails with
   * STORE_UNAVAILABLE when it ends too early; reading slowly slows the engine down.
   */
  readNative(plan: QueryPlan, signal?: AbortSignal): Promise<Readable>;
  /**
   * Runs a SELECT and hands its result over as one Parquet file. The engine has the whole answer before the first byte
   * comes, so a fault of the query rejects here; a stream that was cut lacks the mark at a file's end.
   */
  readParquet(plan: QueryPlan, signal?: AbortSignal): Promise<Readable>;
  /** Inserts Native blocks as `readNative` gave them; `statement` is an INSERT without its FORMAT. No deduplication. */
  writeNative(statement: QueryPlan, blocks: Readable, signal?: AbortSignal): Promise<void>;
  /** Runs DDL or INSERT … SELECT. */
  command(statement: QueryPlan, signal?: AbortSignal): Promise<void>;
  /** Engine version text; rejects STORE_UNAVAILABLE when nobody answers. */
  version(): Promise<string>;
  close(): Promise<void>;
}
