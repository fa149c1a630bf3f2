import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from './errors.js';
import type { Metrics } from './metrics.js';
import { assertSafeBinding } from './safe-binding.js';

export interface AdminServerOptions {
  readonly host: string;
  readonly port: number;
  /** Bearer token that everything but `/healthz` and `/readyz` asks for; empty or missing: none (loopback only). */
  readonly token?: string;
  /** Allow listening beyond loopback without a token. */
  readonly insecure?: boolean;
  readonly metrics: Metrics;
  /** Facts about the process for `GET /status`; `ok: false` makes `/healthz` answer 503. */
  readonly status: () => Promise<{ ok: boolean } & Record<string, unknown>>;
  /** Whether the process does its work now: what it stands on answers. `/readyz` answers 503 while it does not. */
  readonly ready?: () => Promise<boolean>;
  /** Called before `/metrics` answers, to bring gauges up to date. A fault leaves them as they are. */
  readonly refresh?: () => Promise<void>;
  /** Answers further paths; returns false for what it does not know. */
  readonly handle?: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;
}

export interface AdminServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * The small listener of a process without a public API: `/healthz`, `/readyz`, `/status`, `/metrics`. Rejects
 * CONFIG_INVALID when it would be reachable from elsewhere without a token.
 */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  assertSafeBinding(options.host, options.token, options.insecure === true, 'admin');
  // An upload takes as long as the log takes it: Node's five minutes for a whole request cut a large import.
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    void answer(request, response, options).catch(() => response.destroy());
  });
  await listen(server, options.host, options.port);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    url: `http://${options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: AdminServerOptions,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0];
  if (path === '/readyz') {
    const ready = await (options.ready?.() ?? Promise.resolve(true)).catch(() => false);
    response
      .writeHead(ready ? 200 : 503, { 'content-type': 'application/json' })
      .end(JSON.stringify({ ready }));
  } else if (path !== '/healthz' && !isAllowed(request, options.token)) {
    response
      .writeHead(401, { 'www-authenticate': 'Bearer', 'content-type': 'text/plain' })
      .end('a bearer token is needed\n');
  } else if (path === '/healthz' || path === '/status') {
    const status = await options.status();
    const code = path === '/healthz' && !status.ok ? 503 : 200;
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(status));
  } else if (path === '/metrics') {
    await options.refresh?.().catch(() => undefined);
    response
      .writeHead(200, { 'content-type': options.metrics.contentType })
      .end(await options.metrics.text());
  } else if (!(await options.handle?.(request, response))) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
  }
}

function isAllowed(request: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined || token === '') return true;
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`));
}

/** Listens, or rejects CONFLICT in one clear line when the port is taken. */
export function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const busy = error.code === 'EADDRINUSE';
      reject(
        new AppError('CONFLICT', busy ? `port ${port} on ${host} is in use` : `listen on ${host}:${port}`, {
          retry: false,
          cause: error,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}
