import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ColumnStore } from '@flowledger/column-store';
import type { EventLog } from '@flowledger/event-log';
import {
  AppError,
  assertSafeBinding,
  isLoopback,
  openMetrics,
  silentLog,
  systemClock,
  Turnstile,
  type Clock,
  type Log,
  type Metrics,
} from '@flowledger/platform';
import { DEFAULT_RETENTION, type OpenLiveFlows, type Retention } from '@flowledger/query';
import { DEFAULT_LIMITS, type Limits } from '../limits/limits.js';
import { TokenBuckets } from '../limits/token-bucket.js';
import { SharedPredicates } from '../live/shared-predicates.js';
import { SubscriptionLimits } from '../live/subscription-limits.js';
import { KnownClusters } from '../request/known-clusters.js';
import type { PolicySource } from '../policies/policy-source.js';
import type { LiveDeps, RequestDeps } from '../request/request-scope.js';
import { refuse, type AccessRules, type Refusal } from './access.js';
import { ApiModule } from './api-module.js';
import { registerDataRoutes, type ApiStatus, type ExtraRoute } from './data-routes.js';
import { PersistedQueries, type PersistedOptions } from './persisted-queries.js';
import { registerStaticPages, STRICT_POLICY } from './static-pages.js';

/** Bytes of a request body: a document of 64 KiB with filter lists as variables. */
const BODY_BYTES = 1024 * 1024;

export interface ApiServerOptions {
  /** As the reading user; stays the caller's to close. */
  readonly store: ColumnStore;
  /** The log that the loader reads, for `coverage.unaccounted`; stays the caller's to close. */
  readonly log?: Pick<EventLog, 'epoch' | 'partitions' | 'bounds' | 'read'>;
  /** The live tail, for subscriptions; they are refused without it. */
  readonly live?: LiveOptions;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly token?: string;
  readonly insecure?: boolean;
  /** Names accepted in Host and Origin beside localhost. */
  readonly allowedHosts?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** How long the tables keep rows; the migrations' defaults when absent. */
  readonly retention?: Retention;
  readonly tenant: string;
  readonly version: string;
  readonly status: () => Promise<ApiStatus>;
  readonly metrics?: Metrics;
  readonly logger?: Log;
  readonly clock?: Clock;
  /** Policy objects for explanations, drafts and reports; none are known when absent. */
  readonly policies?: PolicySource;
  readonly routes?: readonly ExtraRoute[];
  /** "Did you mean" in errors; for development. */
  readonly suggestions?: boolean;
  /** Whether the schema may be asked for by introspection; `auto`, the default: unless anybody in the network may ask. */
  readonly introspection?: 'auto' | 'on' | 'off';
  /** How documents may be named by hash. Default: automatically. */
  readonly persisted?: PersistedOptions;
}

/** Bounds of subscriptions and where they get their flows. */
export interface LiveOptions {
  readonly flows: OpenLiveFlows;
  /** Subscriptions of one WebSocket. Default 20. */
  readonly perConnection?: number;
  /** Subscriptions of all. Default 5,000. */
  readonly subscriptions?: number;
  /** Bytes that may wait for one slow subscriber. Default 8 MiB: a second at the default rate. */
  readonly bufferBytes?: number;
}

export interface ApiServer {
  /** `http://host:port` as it can be asked on this machine. */
  readonly url: string;
  /** Takes no more requests, ends open ones, frees the port. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves GraphQL (`POST /graphql`), its schema, GraphiQL, the start page, health and metrics. Rejects CONFIG_INVALID
 * for a binding that is not safe, CONFLICT when the port is taken.
 */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  assertSafeBinding(options.host, options.token, options.insecure === true);
  const metrics = options.metrics ?? openMetrics();
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_BYTES,
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: 200 },
  });
  const server = adapter.getInstance() as unknown as FastifyInstance;
  guard(server, options);
  registerStaticPages(server);
  registerDataRoutes(server, {
    version: options.version,
    metrics,
    status: options.status,
    routes: options.routes ?? [],
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    ApiModule.with({
      deps: requestDeps(options, metrics),
      suggestions: options.suggestions === true,
      introspection: mayIntrospect(options),
      persisted: new PersistedQueries(options.persisted ?? { mode: 'automatic', documents: [] }),
      token: options.token,
    }),
    adapter,
    { logger: false, abortOnError: false, bodyParser: false, forceCloseConnections: true },
  );
  await listen(app, options);
  const address = app.getHttpServer().address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  let closing: Promise<void> | undefined;
  return { url: `http://${urlHost(options.host)}:${port}`, close: () => (closing ??= app.close()) };
}

function mayIntrospect({ introspection = 'auto', host, token = '' }: ApiServerOptions): boolean {
  return introspection === 'on' || (introspection === 'auto' && (token !== '' || isLoopback(host)));
}

function requestDeps(options: ApiServerOptions, metrics: Metrics): RequestDeps {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const queries = metrics.gauge('flowledger_graphql_store_queries', 'Store queries now, by state', ['state']);
  const gate = new Turnstile(limits.concurrentQueries, limits.waitingQueries, (running, waiting) => {
    queries.set({ state: 'running' }, running);
    queries.set({ state: 'waiting' }, waiting);
  });
  return {
    store: options.store,
    ...(options.log === undefined ? {} : { log: options.log }),
    ...(options.live === undefined ? {} : { live: liveDeps(options.live, metrics) }),
    tenant: options.tenant,
    limits,
    retention: options.retention ?? DEFAULT_RETENTION,
    gate,
    clusters: new KnownClusters(),
    rate: new TokenBuckets(limits.costPerSecond, limits.costBurst),
    ...(options.policies === undefined ? {} : { policies: options.policies }),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLog,
    queries: metrics.counter('flowledger_graphql_store_queries_total', 'Store queries by plan', ['query']),
    errors: metrics.counter('flowledger_graphql_errors_total', 'Errors answered, by code', ['code']),
  };
}

function liveDeps(options: LiveOptions, metrics: Metrics): LiveDeps {
  const { flows, perConnection = 20, subscriptions = 5000, bufferBytes = 8 * 1024 * 1024 } = options;
  const open = metrics.gauge('flowledger_graphql_subscriptions', 'Open subscriptions');
  const limits = new SubscriptionLimits(perConnection, subscriptions, (now) => open.set(now));
  return { flows, limits, predicates: new SharedPredicates(flows.endpoints), bufferBytes };
}

async function listen(app: NestFastifyApplication, options: ApiServerOptions): Promise<void> {
  try {
    await app.listen(options.port, options.host);
  } catch (cause) {
    await app.close();
    const busy = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    const message = busy
      ? `port ${options.port} on ${options.host} is in use`
      : `listen on ${options.host}:${options.port}`;
    throw new AppError('CONFLICT', message, { retry: false, cause });
  }
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

/** Headers of every answer, and the checks that come before anything is read of a request. */
function guard(server: FastifyInstance, options: ApiServerOptions): void {
  const rules: AccessRules = {
    host: options.host,
    ...(options.token === undefined ? {} : { token: options.token }),
    allowedHosts: options.allowedHosts ?? [],
  };
  server.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': STRICT_POLICY,
      'cache-control': 'no-store',
    });
    const path = request.url.split('?', 1)[0] ?? '/';
    const refusal =
      refuse(accessFacts(request, path), rules) ?? (path === '/graphql' ? wrongMethod(request) : undefined);
    if (refusal !== undefined) return answerRefusal(request, reply, refusal);
    return undefined;
  });
}

function accessFacts(request: FastifyRequest, path: string): Parameters<typeof refuse>[0] {
  const hosts = request.raw.rawHeaders.filter(
    (_value, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === 'host',
  );
  return {
    path,
    hosts,
    origin: request.headers.origin,
    authorization: request.headers.authorization,
    upgrade: isWebSocket(request),
    localAddress: request.socket.localAddress,
  };
}

/** A WebSocket handshake; another site's page can send it, but not without its Origin, which is checked. */
function isWebSocket(request: FastifyRequest): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
}

/** Only what another site's page cannot send without asking first: POST with JSON. */
function wrongMethod(request: FastifyRequest): Refusal | undefined {
  if (isWebSocket(request)) return undefined;
  if (request.method !== 'POST') {
    return {
      status: 405,
      code: 'BAD_REQUEST',
      message: 'GraphQL is asked with POST; the IDE is at /graphiql',
    };
  }
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/json') return undefined;
  return { status: 400, code: 'BAD_REQUEST', message: 'the content type must be application/json' };
}

function answerRefusal(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  if (refusal.status === 405) void reply.header('allow', 'POST');
  if (refusal.status === 401) void reply.header('www-authenticate', 'Bearer');
  const extensions = { code: refusal.code, retryable: false, requestId: request.id };
  return reply.code(refusal.status).send({ errors: [{ message: refusal.message, extensions }] });
}
