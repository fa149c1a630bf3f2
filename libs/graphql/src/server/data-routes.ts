import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '@flowledger/platform';
import { schemaText } from '../schema-text.js';

/** Facts about the process. `ok: false` makes `/healthz` answer 503; `banner` is shown on the start page. */
export type ApiStatus = { readonly ok: boolean; readonly banner?: string } & Readonly<
  Record<string, unknown>
>;

/** A further path that the caller answers itself, with the raw request; access is checked before. */
export interface ExtraRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

interface DataRoutes {
  readonly version: string;
  readonly metrics: Metrics;
  readonly status: () => Promise<ApiStatus>;
  readonly routes: readonly ExtraRoute[];
}

/** `/healthz`, `/readyz`, `/status`, `/metrics`, the schema, and the caller's own routes. */
export function registerDataRoutes(server: FastifyInstance, options: DataRoutes): void {
  const sdl = schemaText();
  server.get('/healthz', async (_request, reply) => {
    const { ok } = await options.status();
    return reply.code(ok ? 200 : 503).send({ ok, version: options.version });
  });
  server.get('/readyz', async (_request, reply) => {
    const ready = await options.status().then(
      ({ ok }) => ok,
      () => false,
    );
    return reply.code(ready ? 200 : 503).send({ ready });
  });
  server.get('/status', async () => ({ version: options.version, ...(await options.status()) }));
  server.get('/metrics', async (_request, reply) =>
    reply.header('content-type', options.metrics.contentType).send(await options.metrics.text()),
  );
  server.get('/graphql/schema.graphql', (_request, reply) =>
    reply.header('content-type', 'text/plain; charset=utf-8').send(sdl),
  );
  if (options.routes.length > 0) void server.register(rawRoutes(options.routes));
}

/** In a scope of its own, because its bodies are streams: the parsers of the API must not read them first. */
function rawRoutes(routes: readonly ExtraRoute[]): (scope: FastifyInstance) => Promise<void> {
  return async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    for (const route of routes) {
      scope.route({
        method: route.method,
        url: route.path,
        bodyLimit: Number.MAX_SAFE_INTEGER,
        handler: async (request, reply) => {
          reply.hijack();
          await route.handle(request.raw, reply.raw);
        },
      });
    }
  };
}
