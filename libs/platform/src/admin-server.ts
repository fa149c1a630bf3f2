import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AppError } from './errors.js';
import type { Metrics } from './metrics.js';

export interface AdminServerOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** Facts about the process for `GET /status`; `ok: false` makes `/healthz` answer 503. */
  readonly status: () => Promise<{ ok: boolean } & Record<string, unknown>>;
  /** Answers further paths; returns false for what it does not know. */
  readonly handle?: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;
}

export interface AdminServer {
  readonly url: string;
  close(): Promise<void>;
}

/** The small loopback listener of a process without a public API: `/healthz`, `/status`, `/metrics`. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const server = createServer((request, response) => {
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
  if (path === '/healthz' || path === '/status') {
    const status = await options.status();
    const code = path === '/healthz' && !status.ok ? 503 : 200;
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(status));
  } else if (path === '/metrics') {
    response
      .writeHead(200, { 'content-type': options.metrics.contentType })
      .end(await options.metrics.text());
  } else if (!(await options.handle?.(request, response))) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
  }
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
