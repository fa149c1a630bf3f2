import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  AppError,
  assertSafeBinding,
  describeError,
  systemClock,
  type Clock,
  type Log,
} from '@flowledger/platform';
import type { LogCursor, OpenLiveFlows } from '@flowledger/query';
import { followConfigFile, readConfigFile } from './follow-config-file.js';
import { HubbleMetrics } from './hubble-metrics.js';
import { parseHandlers } from './metric-config.js';

export interface HubbleMetricsServerOptions {
  readonly live: OpenLiveFlows;
  /** Entries in Hubble's syntax; see `parseHandlers`. */
  readonly enabled: readonly string[];
  /** Hubble's dynamic configuration, in place of `enabled`; looked at again while serving. Empty: none. */
  readonly configFile: string;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Allow listening beyond loopback: the endpoint asks for no token, as Hubble's does not. */
  readonly insecure: boolean;
  readonly maxSeries: number;
  readonly idleMs: number;
  readonly correct: boolean;
  readonly bufferBytes: number;
  readonly logger: Log;
  readonly clock?: Clock;
}

/** A running endpoint. */
export interface HubbleMetricsServer {
  /** `http://host:port/metrics`. */
  readonly url: string;
  /** Ends the tail and frees the port. Idempotent. */
  close(): Promise<void>;
}

const RETRY_MS = 2_000;
const OPEN_METRICS = 'application/openmetrics-text';
const TYPES = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  open: `${OPEN_METRICS}; version=1.0.0; charset=utf-8`,
} as const;

/**
 * Counts all live flows from now on and serves the counters at `/metrics`. Rejects CONFIG_INVALID (entries, file,
 * binding) and CONFLICT (port taken).
 */
export async function serveHubbleMetrics(options: HubbleMetricsServerOptions): Promise<HubbleMetricsServer> {
  const clock = options.clock ?? systemClock;
  assertSafeBinding(options.host, undefined, options.insecure);
  if (options.configFile !== '' && options.enabled.length > 0)
    throw new AppError('CONFIG_INVALID', 'hubbleMetrics: either enabled or configFile', { retry: false });
  const file = options.configFile === '' ? undefined : await readConfigFile(options.configFile);
  const metrics = new HubbleMetrics({
    handlers: file?.handlers ?? parseHandlers(options.enabled),
    budget: { maxSeries: options.maxSeries, idleMs: options.idleMs },
    correct: options.correct,
  });
  const server = await listen(options, (request, response) => answer(request, response, metrics, clock));
  const stop = new AbortController();
  const { signal } = stop;
  const counting = countLive(options, metrics, clock, signal);
  const following =
    file === undefined
      ? undefined
      : followConfigFile(file, { metrics, clock, logger: options.logger, signal });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stop.abort();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await Promise.all([counting, following]);
  };
  return { url: `http://${options.host}:${port}/metrics`, close: () => (closing ??= close()) };
}

async function listen(
  { host, port }: HubbleMetricsServerOptions,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(handle);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new AppError('CONFLICT', `hubbleMetrics: listen on ${host}:${port}`, { retry: false, cause })),
    );
    server.listen(port, host, resolve);
  });
  return server;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  metrics: HubbleMetrics,
  clock: Clock,
): void {
  if (request.method !== 'GET' || request.url?.split('?', 1)[0] !== '/metrics') {
    response.writeHead(404).end();
    return;
  }
  const open = request.headers.accept?.includes(OPEN_METRICS) === true;
  response.writeHead(200, { 'content-type': open ? TYPES.open : TYPES.text, 'cache-control': 'no-store' });
  response.end(metrics.text(open, clock.now()));
}

/** Follows the tail until it is told to stop; after a fault it goes on where it was. */
async function countLive(
  { live, bufferBytes, logger }: HubbleMetricsServerOptions,
  metrics: HubbleMetrics,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let at: LogCursor | undefined;
  while (!signal.aborted) {
    try {
      at ??= await live.end();
      const request = { after: at, matches: () => true, maxBufferedBytes: bufferBytes, signal };
      for await (const step of live.tail(request)) {
        const nowMs = clock.now();
        if (step.kind === 'flows') for (const flow of step.flows) metrics.count(flow, nowMs);
        if (step.kind !== 'missed') at = step.cursor;
        else if (step.reason === 'SOURCE_LOSS') metrics.lost(step.lossSource, Number(step.count), nowMs);
        else metrics.missed(step.reason, Number(step.count), nowMs);
      }
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ error: describeError(error) }, 'hubble metrics: the live tail failed');
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
}
