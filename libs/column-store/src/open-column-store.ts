import { Readable } from 'node:stream';
import { createClient } from '@clickhouse/client';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import type { ColumnBatch } from '@flowledger/model';
import { AppError } from '@flowledger/platform';
import { withoutDefaultColumns } from './default-columns.js';
import { encodeNativeBlock } from './native.js';
import type { ColumnStore, InsertOptions, QueryPlan, QueryResult } from './port.js';
import { quotedName } from './sql-files.js';
import { storeError } from './store-errors.js';
import type { GivenUp, Operation } from './store-errors.js';

export interface ColumnStoreOptions {
  /** `http://host:8123`, a server or the embedded endpoint. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Longest wait for one request, ms. Default 60 s. */
  readonly requestTimeoutMs?: number;
  /** Open connections; more requests wait in the client. Default 8. */
  readonly maxConnections?: number;
  /** gzip both ways; for stores on another machine. Default false. */
  readonly compress?: boolean;
  /** Settings added to every request; a plan's own win. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** An INSERT larger than this would be cut into blocks, and a retry might not find the same cuts. */
const ONE_BLOCK_ROWS = 1_048_576;
/** Table partitions one INSERT may touch (design section 5); the loader splits before. */
const MAX_PARTITIONS = 16;

/**
 * Everything an INSERT's meaning depends on. The defaults of these changed between versions (reliability note,
 * section 0), so none is left to them.
 */
function insertSettings(rows: number, token: string): ClickHouseSettings {
  const block = String(Math.max(rows, ONE_BLOCK_ROWS));
  return {
    async_insert: 0,
    insert_deduplicate: 1,
    insert_deduplication_token: token,
    deduplicate_blocks_in_dependent_materialized_views: 1,
    materialized_views_ignore_errors: 0,
    parallel_view_processing: 1,
    // A view groups the one block of an insert, so it has each key once: looking for more costs a tenth of the insert.
    optimize_on_insert: 0,
    max_insert_block_size: block,
    min_insert_block_size_rows: block,
    min_insert_block_size_bytes: '0',
    input_format_native_allow_types_conversion: 1,
    max_partitions_per_insert_block: String(MAX_PARTITIONS),
    throw_on_max_partitions_per_insert_block: 1,
    wait_end_of_query: 1,
  };
}

/**
 * What every read relies on. `wait_end_of_query`: an error after the first row must not look like a result. A server stops
 * a query whose client has gone only when it is told to and the query cannot write (`readonly` 2: settings may change).
 */
const READ_SETTINGS: ClickHouseSettings = {
  output_format_json_quote_64bit_integers: 1,
  wait_end_of_query: 1,
  readonly: '2',
  cancel_http_readonly_queries_on_client_close: 1,
};

interface JsonResult<Row> {
  readonly data: readonly Row[];
  readonly exception?: string;
  readonly statistics: { readonly elapsed: number; readonly rows_read: number; readonly bytes_read: number };
}

interface Request {
  readonly operation: Operation;
  readonly what: string;
  readonly sql: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly settings: ClickHouseSettings;
  readonly values?: Readable;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

class ClickHouseStore implements ColumnStore {
  readonly #client: ClickHouseClient;
  readonly #timeoutMs: number;
  readonly #settings: ClickHouseSettings;

  constructor(options: ColumnStoreOptions) {
    this.#timeoutMs = options.requestTimeoutMs ?? 60_000;
    this.#settings = { ...options.settings };
    const compress = options.compress ?? false;
    this.#client = createClient({
      url: options.url,
      username: options.user,
      password: options.password,
      database: options.database,
      // Our own deadline comes first and names itself.
      request_timeout: this.#timeoutMs + 5_000,
      max_open_connections: options.maxConnections ?? 8,
      compression: { request: compress, response: compress },
      log: { level: 127 },
    });
  }

  async insert(batch: ColumnBatch, options: InsertOptions): Promise<void> {
    if (batch.rows === 0) return;
    const sent = withoutDefaultColumns(batch);
    const columns = sent.columns.map((column) => quotedName(column.name)).join(', ');
    const answer = await this.#send({
      operation: 'insert',
      what: `insert into ${batch.table}`,
      sql: `INSERT INTO ${quotedName(batch.table)} (${columns}) FORMAT Native`,
      settings: insertSettings(batch.rows, options.token),
      values: Readable.from(encodeNativeBlock(sent), { objectMode: false }),
      signal: options.signal,
      timeoutMs: options.timeoutMs,
    });
    refuseText('insert', `insert into ${batch.table}`, answer.toString('utf8'));
  }

  async query<Row>(plan: QueryPlan, signal?: AbortSignal): Promise<QueryResult<Row>> {
    const what = `query ${plan.name}`;
    const answer = await this.#send({
      operation: 'query',
      what,
      sql: `${plan.sql}\nFORMAT JSON`,
      params: plan.params,
      settings: { ...READ_SETTINGS, ...plan.settings, log_comment: plan.name },
      signal,
    });
    const result = parseJson<Row>(what, answer.toString('utf8'));
    const { elapsed, rows_read: rowsRead, bytes_read: bytesRead } = result.statistics;
    return { rows: result.data, rowsRead, bytesRead, elapsedMs: elapsed * 1_000 };
  }

  async command(statement: QueryPlan, signal?: AbortSignal): Promise<void> {
    const what = `command ${statement.name}`;
    const answer = await this.#send({
      operation: 'command',
      what,
      sql: statement.sql,
      params: statement.params,
      settings: { wait_end_of_query: 1, ...statement.settings, log_comment: statement.name },
      signal,
    });
    refuseText('command', what, answer.toString('utf8'));
  }

  readNative(plan: QueryPlan, signal?: AbortSignal): Promise<Readable> {
    return this.#stream('Native', plan, { wait_end_of_query: 1 }, signal);
  }

  readParquet(plan: QueryPlan, signal?: AbortSignal): Promise<Readable> {
    // Texts are texts in Parquet only when asked for; else readers show bytes.
    return this.#stream(
      'Parquet',
      plan,
      { ...READ_SETTINGS, output_format_parquet_string_as_string: 1 },
      signal,
    );
  }

  async #stream(
    format: 'Native' | 'Parquet',
    plan: QueryPlan,
    settings: ClickHouseSettings,
    signal: AbortSignal | undefined,
  ): Promise<Readable> {
    const what = `query ${plan.name}`;
    try {
      const answer = await this.#client.exec({
        query: `${plan.sql}\nFORMAT ${format}`,
        query_params: { ...plan.params },
        clickhouse_settings: { ...this.#settings, ...settings, ...plan.settings, log_comment: plan.name },
        ...(signal === undefined ? {} : { abort_signal: signal }),
      });
      return answer.stream;
    } catch (error) {
      throw storeError('query', what, error, signal?.aborted === true ? 'cancelled' : null);
    }
  }

  async writeNative(statement: QueryPlan, blocks: Readable, signal?: AbortSignal): Promise<void> {
    const what = `insert ${statement.name}`;
    const answer = await this.#send({
      operation: 'insert',
      what,
      sql: `${statement.sql} FORMAT Native`,
      params: statement.params,
      settings: { async_insert: 0, insert_deduplicate: 0, wait_end_of_query: 1, ...statement.settings },
      values: blocks,
      signal,
    });
    refuseText('insert', what, answer.toString('utf8'));
  }

  async version(): Promise<string> {
    const plan = { name: 'version', sql: 'SELECT version() AS version', params: {}, settings: {} };
    const result = await this.query<{ version: string }>(plan);
    return result.rows[0]?.version ?? '';
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Sends one request and reads the whole answer, under one deadline and the caller's signal. */
  async #send(request: Request): Promise<Buffer> {
    const ours = new AbortController();
    let givenUp: GivenUp = null;
    const giveUp = (why: GivenUp): void => {
      givenUp ??= why;
      ours.abort();
    };
    const onAbort = (): void => giveUp('cancelled');
    if (request.signal?.aborted === true)
      throw storeError(request.operation, request.what, null, 'cancelled');
    request.signal?.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => giveUp('timeout'), request.timeoutMs ?? this.#timeoutMs);
    try {
      const answer = await this.#client.exec({
        query: request.sql,
        query_params: { ...request.params },
        clickhouse_settings: { ...this.#settings, ...request.settings },
        abort_signal: ours.signal,
        ...(request.values === undefined ? {} : { values: request.values }),
      });
      return await readAll(answer.stream, ours.signal);
    } catch (error) {
      throw storeError(request.operation, request.what, error, givenUp);
    } finally {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onAbort);
      request.values?.destroy();
    }
  }
}

async function readAll(stream: Readable, signal: AbortSignal): Promise<Buffer> {
  const stop = (): void => {
    stream.destroy(new Error('request given up'));
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
    return Buffer.concat(chunks);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** An answer that should be empty and is not carries an exception that came after the status line. */
function refuseText(operation: Operation, what: string, answer: string): void {
  if (/DB::Exception/.test(answer)) throw storeError(operation, what, answer.slice(0, 1_000));
}

function parseJson<Row>(what: string, answer: string): JsonResult<Row> {
  let parsed: JsonResult<Row>;
  try {
    parsed = JSON.parse(answer) as JsonResult<Row>;
  } catch (cause) {
    // Valid JSON is the proof of a complete answer, so a cut one is a fault of the way here.
    throw new AppError('STORE_UNAVAILABLE', `${what}: the answer is incomplete`, { retry: true, cause });
  }
  if (parsed.exception !== undefined) throw storeError('query', what, parsed.exception);
  return parsed;
}

/**
 * Opens a client for one user and database. Connects on first use; `close` when done. See {@link ColumnStore} for what
 * its calls promise and how they fail.
 */
export function openColumnStore(options: ColumnStoreOptions): ColumnStore {
  return new ClickHouseStore(options);
}
