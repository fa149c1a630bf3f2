import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Engine } from './engine.js';
import type { ServerOptions, ServerStats } from './messages.js';
import { QueryEndpoint } from './query-endpoint.js';
import { ReadGuard } from './read-guard.js';
import { Slots } from './slots.js';
import { Spool } from './spool.js';

/** Waiting requests per user before new ones are refused at once. */
const QUEUE_LIMIT = 200;
/** Parameters travel in the URL; a server takes 1 MiB of it. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** ClickHouse's HTTP interface in front of one embedded engine. Owner: the child's main. */
export class ClickHouseHttpServer {
  readonly version: string;
  readonly #engine: Engine;
  readonly #endpoint: QueryEndpoint;
  readonly #server: Server;
  readonly #slots: ReadonlyMap<string, Slots>;
  readonly #spool: Spool;
  #active = 0;
  #idle: (() => void) | null = null;

  private constructor(engine: Engine, guard: ReadGuard, spool: Spool, options: ServerOptions) {
    this.version = engine.version;
    this.#engine = engine;
    this.#spool = spool;
    const users = new Map(options.users.map((user) => [user.name, user]));
    this.#slots = new Map(
      options.users.map((user) => [
        user.name,
        new Slots(user.limits.maxConcurrent, QUEUE_LIMIT, options.queueTimeoutMs),
      ]),
    );
    this.#endpoint = new QueryEndpoint({ engine, users, slots: this.#slots, spool, guard });
    this.#server = createServer(
      { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: 30_000, requestTimeout: 300_000 },
      (request, response) => {
        void this.#serve(request, response);
      },
    );
  }

  /** Opens the spool and the engine. Nothing listens yet. */
  static async open(options: ServerOptions): Promise<ClickHouseHttpServer> {
    const spool = await Spool.open(options.spoolDirectory, options.maxSpoolBytes, options.maxBodyBytes);
    const engine = await Engine.open(options);
    return new ClickHouseHttpServer(engine, await ReadGuard.open(engine), spool, options);
  }

  /** Listens and resolves with the port. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  stats(): ServerStats {
    let running = 0;
    let waiting = 0;
    for (const slots of this.#slots.values()) {
      running += slots.used;
      waiting += slots.waiting;
    }
    return { rssBytes: process.memoryUsage.rss(), running, waiting, spoolBytes: this.#spool.used };
  }

  /**
   * Takes no new connection, lets requests finish for `drainMs`, then cancels their queries, and closes the engine.
   * Resolves false when something still ran: then the engine was not closed and the process has to be ended.
   */
  async stop(drainMs: number): Promise<boolean> {
    this.#server.close();
    this.#server.closeIdleConnections();
    if (!(await this.#drained(drainMs))) {
      await this.#engine.kill('').catch(() => undefined);
      this.#server.closeAllConnections();
      if (!(await this.#drained(2_000))) return false;
    }
    this.#engine.close();
    return true;
  }

  async #drained(ms: number): Promise<boolean> {
    if (this.#active === 0) return true;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), ms);
    });
    const idle = new Promise<boolean>((resolve) => {
      this.#idle = () => resolve(true);
    });
    const drained = await Promise.race([idle, timeout]);
    clearTimeout(timer);
    return drained;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#active++;
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (!this.#answerFixed(request, response, url))
        await this.#endpoint.handle(request, response, url.searchParams);
    } catch {
      response.destroy();
    } finally {
      this.#active--;
      if (this.#active === 0) this.#idle?.();
    }
  }

  /** Health checks and methods that need no engine. Returns whether the request was one. */
  #answerFixed(request: IncomingMessage, response: ServerResponse, url: URL): boolean {
    const reply = (status: number, text: string): true => {
      response.writeHead(status, { 'Content-Type': 'text/plain; charset=UTF-8' });
      response.end(request.method === 'HEAD' ? undefined : text);
      return true;
    };
    const method = request.method ?? 'GET';
    if (method === 'OPTIONS') {
      response.writeHead(204, { Allow: 'GET, HEAD, POST, OPTIONS' }).end();
      return true;
    }
    if (!['GET', 'HEAD', 'POST'].includes(method)) return reply(405, 'Method not allowed\n');
    if (url.pathname === '/ping' || url.pathname === '/replicas_status') return reply(200, 'Ok.\n');
    if (url.pathname !== '/') return reply(404, 'Not found. Queries go to /, health checks to /ping\n');
    if (method !== 'POST' && !url.searchParams.has('query')) return reply(200, 'Ok.\n');
    return false;
  }
}
