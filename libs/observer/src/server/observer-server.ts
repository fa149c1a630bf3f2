import { Server, status, type Metadata, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { ColumnStore } from '@flowledger/column-store';
import {
  AppError,
  assertSafeBinding,
  linkSignals,
  systemClock,
  type Clock,
  type Log,
} from '@flowledger/platform';
import {
  DEFAULT_LIMITS,
  DEFAULT_RETENTION,
  type OpenLiveFlows,
  type QueryLimits,
  type Retention,
} from '@flowledger/query';
import { agentEvents } from '../flows/agent-events.js';
import { ClusterList } from '../flows/cluster-list.js';
import { eventRange, flowQuestion } from '../flows/flow-question.js';
import { FlowStream, type FlowStreamDeps } from '../flows/flow-stream.js';
import { LabelCache } from '../flows/label-cache.js';
import { StoreReader } from '../flows/store-reader.js';
import { ServerInventory } from '../inventory/server-inventory.js';
import { decodeGetEvents, decodeGetFlows } from '../wire/requests.js';
import { MATCHED_EXACT, MATCHED_INFERRED } from '../wire/trailer.js';
import { namespacesResponse, nodesResponse, statusResponse } from '../wire/responses.js';
import { accessCheck, type AccessCheck, type Credentials } from './access.js';
import { bind } from './bind.js';
import { grpcError, GrpcError } from './grpc-errors.js';
import { notify } from './peer-service.js';
import { reflection } from './reflection.js';
import { OBSERVER_SERVICE, PEER_SERVICE } from './service-definition.js';
import { streamOut, type EncodedStream } from './stream-out.js';
import { writeAhead } from './write-ahead.js';
import type { Outcome } from '@flowledger/model';

/** Transport security; PEM bytes. */
export interface ObserverTls {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** With it clients must show a certificate of this authority. */
  readonly clientCa?: Buffer;
}

/** How the server listens and what it answers from. */
export interface ObserverServerOptions {
  /** Reads with a read-only user; closed by the caller. */
  readonly store: ColumnStore;
  /** Absent: `follow` is refused. */
  readonly live?: OpenLiveFlows;
  readonly host: string;
  /** Taken: the server steps aside to a free port. 0 = any free one. */
  readonly port: number;
  readonly tls?: ObserverTls;
  readonly credentials: Credentials;
  /** Allows listening beyond loopback without credentials. */
  readonly insecure: boolean;
  /** Filters on workloads and services also match inferred ones. */
  readonly matchInferred: boolean;
  readonly tenant: string;
  readonly version: string;
  readonly log: Log;
  readonly retention?: Retention;
  readonly limits?: QueryLimits;
  readonly concurrentQueries?: number;
  readonly followBufferBytes?: number;
  readonly clock?: Clock;
}

/** A running server. */
export interface ObserverServer {
  /** `host:port` as clients dial it. */
  readonly address: string;
  readonly port: number;
  /** The port asked for was taken. */
  readonly steppedAside: boolean;
  /** Ends all streams and frees the port. */
  close(): Promise<void>;
}

/** Clients that only look for a sign of life may ping so often. */
const CHANNEL = {
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.keepalive_permit_without_calls': 1,
} as const;
/** This server as a node. */
const NAME = 'flowledger';
const HEALTH_NAME = 'hubble.server.Observer';
const CONCURRENT_QUERIES = 4;
const FOLLOW_BUFFER_BYTES = 16 * 1024 * 1024;

/**
 * Starts Hubble's Observer API over the store (hubble note 4.2), with health and reflection. Throws CONFIG_INVALID for a
 * binding that is not safe, or credentials without TLS; the fault of the socket when nothing can be bound.
 */
export async function createObserverServer(options: ObserverServerOptions): Promise<ObserverServer> {
  const { credentials, tls } = options;
  const secret = credentials.token !== '' || credentials.password !== '';
  if (secret && tls === undefined)
    throw new AppError(
      'CONFIG_INVALID',
      'observer: credentials need TLS; set observer.tlsCert and observer.tlsKey',
      {
        retry: false,
      },
    );
  const guarded = secret || tls?.clientCa !== undefined;
  assertSafeBinding(options.host, guarded ? 'guarded' : undefined, options.insecure);
  const server = new Server({ ...CHANNEL, interceptors: [writeAhead] });
  const gone = new AbortController();
  const check = accessCheck(credentials, tls !== undefined);
  server.addService(OBSERVER_SERVICE, { ...implementation(options, check, gone.signal) });
  server.addService(PEER_SERVICE, {
    Notify: notify(check, () => ({ name: NAME, port, tls: tls !== undefined })),
  });
  new HealthImplementation({ '': 'SERVING', [HEALTH_NAME]: 'SERVING' }).addToServer(server);
  reflection().addToServer(server);
  const { port, steppedAside } = await bind(server, options);
  if (steppedAside)
    options.log.warn({ wanted: options.port, port }, 'observer port is taken, another is used');
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    address: `${host}:${port}`,
    port,
    steppedAside,
    close: async () => {
      gone.abort();
      server.forceShutdown();
    },
  };
}

function implementation(options: ObserverServerOptions, check: AccessCheck, closing: AbortSignal) {
  const reader = new StoreReader({
    store: options.store,
    tenant: options.tenant,
    retention: options.retention ?? DEFAULT_RETENTION,
    limits: options.limits ?? DEFAULT_LIMITS,
    clock: options.clock ?? systemClock,
    concurrentQueries: options.concurrentQueries ?? CONCURRENT_QUERIES,
  });
  const clusters = new ClusterList(reader);
  const inventory = new ServerInventory(reader, clusters, options.version);
  const deps: FlowStreamDeps = {
    reader,
    clusters,
    labels: new LabelCache(reader),
    live: options.live,
    followBufferBytes: options.followBufferBytes ?? FOLLOW_BUFFER_BYTES,
    nodeName: NAME,
  };
  const eventsNs = reader.options.retention.minuteNs;
  return {
    GetFlows: stream(check, closing, (bytes, signal, trailer) => {
      const request = decoded(decodeGetFlows(bytes));
      const { matchInferred, live } = options;
      const question = flowQuestion(request, reader.context(), matchInferred, live?.endpoints);
      return counted(new FlowStream(deps, question, signal), options.matchInferred, trailer);
    }),
    GetAgentEvents: stream(check, closing, (bytes, signal) => {
      const request = decoded(decodeGetEvents(bytes));
      if (request.follow) throw new GrpcError(status.UNIMPLEMENTED, 'follow: not for agent events');
      return agentEvents(reader, eventRange(request, reader.context(), eventsNs), signal);
    }),
    GetDebugEvents: stream(check, closing, () => {
      throw new GrpcError(status.UNIMPLEMENTED, 'GetDebugEvents: debug events are not stored');
    }),
    GetNodes: unary(check, async () => nodesResponse(await inventory.nodes())),
    GetNamespaces: unary(check, async () => namespacesResponse(await inventory.namespaces())),
    ServerStatus: unary(check, async () => statusResponse(await inventory.status())),
  };
}

/** Where inferred services match too, the trailer says how many flows match as sent and how many only by inference. */
async function* counted(
  stream: FlowStream,
  matchInferred: boolean,
  trailer: Metadata,
): AsyncGenerator<readonly Uint8Array[]> {
  yield* stream.batches();
  if (!matchInferred) return;
  trailer.set(MATCHED_EXACT, String(stream.matched.exact));
  trailer.set(MATCHED_INFERRED, String(stream.matched.inferred));
}

function decoded<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new GrpcError(status.INVALID_ARGUMENT, `request: ${outcome.reason}`);
}

function stream(
  check: AccessCheck,
  closing: AbortSignal,
  make: (request: Uint8Array, signal: AbortSignal, trailer: Metadata) => AsyncIterable<readonly Uint8Array[]>,
) {
  return (call: EncodedStream): void => {
    void streamOut(call, (signal, trailer) => {
      check(call.metadata);
      return untilEither([signal, closing], (either) => make(call.request, either, trailer));
    });
  };
}

async function* untilEither<T>(
  signals: readonly AbortSignal[],
  make: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const either = linkSignals(signals);
  try {
    yield* make(either.signal);
  } finally {
    either.release();
  }
}

function unary(check: AccessCheck, make: () => Promise<Uint8Array>) {
  return (call: ServerUnaryCall<Buffer, Uint8Array>, answer: sendUnaryData<Uint8Array>): void => {
    const run = async (): Promise<Uint8Array> => {
      check(call.metadata);
      return make();
    };
    run().then(
      (bytes) => answer(null, bytes),
      (error: unknown) => answer(grpcError(error)),
    );
  };
}
