import { createRequire } from 'node:module';

/** Handle of one native connection; opaque. */
type Connection = object & { readonly __connection?: never };
/** Handle of one native result stream; opaque. */
type StreamHandle = object & { readonly __stream?: never };

interface NativeResult {
  readonly bytes: Uint8Array;
  readonly elapsed: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
}

interface NativeChunk {
  readonly done: boolean;
  readonly bytes: Uint8Array;
}

/** The calls of chdb's native addon that we use (chdb 3.4.0, pinned). */
interface NativeAddon {
  CreateConnection(path: string, args?: readonly string[]): Connection;
  CloseConnection(connection: Connection): void;
  QueryAsyncConnection(connection: Connection, sql: string, format: string): Promise<NativeResult>;
  StreamQuery(connection: Connection, sql: string, format: string): StreamHandle;
  StreamFetch(handle: StreamHandle): Promise<NativeChunk>;
  StreamCancel(handle: StreamHandle): void;
}

/**
 * Loads the addon itself instead of chdb's `Session`: a `Session` that closes while any other query of the process
 * runs stays open until that query ends, so one long query would pile up a connection per request (measured on 3.4.0).
 * Closing an idle connection beside running ones is safe and takes 0.1 ms.
 */
function loadAddon(): NativeAddon {
  const here = createRequire(import.meta.url);
  const insideChdb = createRequire(here.resolve('chdb'));
  const loader = insideChdb('./dist/loader.js') as { loadNative(): NativeAddon };
  return loader.loadNative();
}

/** Result of a statement that ran to its end. */
export interface EngineResult {
  readonly bytes: Uint8Array;
  /** Rows of the result; of an INSERT with data: rows inserted. */
  readonly rows: number;
  readonly resultBytes: number;
  readonly elapsedSeconds: number;
}

/**
 * One connection with its own settings and parameters, used for one request and closed. Runs one statement at a time.
 * Errors carry the engine's text (`Code: N. DB::Exception: …`).
 */
export class EngineSession {
  readonly #addon: NativeAddon;
  readonly #connection: Connection;

  constructor(addon: NativeAddon, connection: Connection) {
    this.#addon = addon;
    this.#connection = connection;
  }

  /** Runs text to its end and keeps the whole result in memory. Takes several statements: guard foreign text first. */
  async run(sql: string, format: string): Promise<EngineResult> {
    const raw = await this.#addon.QueryAsyncConnection(this.#connection, sql, format);
    return { bytes: raw.bytes, rows: raw.rowsRead, resultBytes: raw.bytesRead, elapsedSeconds: raw.elapsed };
  }

  /** Streams one SELECT block by block; for formats whose blocks may be joined. Leaving the loop ends the query. */
  async *stream(sql: string, format: string): AsyncGenerator<Uint8Array> {
    const handle = this.#addon.StreamQuery(this.#connection, sql, format);
    try {
      for (;;) {
        const chunk = await this.#addon.StreamFetch(handle);
        if (chunk.done) return;
        if (chunk.bytes.length > 0) yield chunk.bytes;
      }
    } finally {
      this.#addon.StreamCancel(handle);
    }
  }

  /** Gives the connection back. Only call it when no statement of this session is running. */
  close(): void {
    this.#addon.CloseConnection(this.#connection);
  }
}

export interface EngineOptions {
  readonly directory: string;
  readonly maxMemoryBytes: number;
}

/** Server settings that keep an embedded engine small: few background threads, small caches, no logs of its own. */
function engineArguments(options: EngineOptions): string[] {
  const mib = 1024 * 1024;
  const settings: Readonly<Record<string, number>> = {
    max_server_memory_usage: options.maxMemoryBytes,
    background_pool_size: 2,
    background_merges_mutations_concurrency_ratio: 2,
    background_schedule_pool_size: 4,
    background_fetches_pool_size: 1,
    background_move_pool_size: 1,
    background_common_pool_size: 2,
    background_buffer_flush_schedule_pool_size: 1,
    background_distributed_schedule_pool_size: 1,
    background_message_broker_schedule_pool_size: 1,
    mark_cache_size: 64 * mib,
    index_mark_cache_size: 16 * mib,
    uncompressed_cache_size: 0,
    mmap_cache_size: 0,
  };
  return Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
}

/** Quotes text as a ClickHouse string literal. */
export function literal(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}

/** The one engine of this process, over one data directory. Owner: the child's main; close it last. */
export class Engine {
  readonly version: string;
  readonly #addon: NativeAddon;
  readonly #directory: string;
  /** Keeps the engine running between requests. */
  readonly #keeper: EngineSession;

  private constructor(addon: NativeAddon, directory: string, keeper: EngineSession, version: string) {
    this.#addon = addon;
    this.#directory = directory;
    this.#keeper = keeper;
    this.version = version;
  }

  /** Opens the data directory. Throws when another process holds it or its files cannot be loaded. */
  static async open(options: EngineOptions): Promise<Engine> {
    const addon = loadAddon();
    const keeper = new EngineSession(
      addon,
      addon.CreateConnection(options.directory, engineArguments(options)),
    );
    const answer = await keeper.run('SELECT version()', 'TSVRaw');
    const version = Buffer.from(answer.bytes).toString('utf8').trim();
    return new Engine(addon, options.directory, keeper, version);
  }

  session(): EngineSession {
    return new EngineSession(this.#addon, this.#addon.CreateConnection(this.#directory));
  }

  /** Asks the engine to stop every query whose `log_comment` starts with `tag`. Resolves before they have stopped. */
  async kill(tag: string): Promise<void> {
    const mine = `startsWith(Settings['log_comment'], ${literal(tag)})`;
    await this.#keeper.run(`KILL QUERY WHERE ${mine} ASYNC`, 'Null');
  }

  /** Names in one column of a query of our own, for the access rules. */
  async names(sql: string): Promise<string[]> {
    const answer = await this.#keeper.run(sql, 'JSONCompactColumns');
    const columns = JSON.parse(Buffer.from(answer.bytes).toString('utf8')) as string[][];
    return columns[0] ?? [];
  }

  close(): void {
    this.#keeper.close();
  }
}
