import { randomUUID } from 'node:crypto';
import { Location, specifiedRules, validate, type DocumentNode, type GraphQLSchema } from 'graphql';
import type { FastifyRequest } from 'fastify';
import { requestError } from '../errors/request-error.js';
import { documentLimits } from '../limits/document-limits.js';
import { RequestScope, type RequestDeps } from '../request/request-scope.js';
import { isBearer } from '../server/access.js';
import type { PersistedQueries } from '../server/persisted-queries.js';
import type { StreamContext } from './live-resolver.js';

/** How often an idle connection is asked whether it still lives. */
const KEEP_ALIVE_MS = 30_000;
/** How long a connection may stay without having shown its token. */
const TOKEN_WAIT_MS = 10_000;
/** Close code "unauthorized" of graphql-transport-ws. */
const UNAUTHORIZED = 4401;

/** The parts of a WebSocket that are used here. */
interface Socket {
  close(code?: number): void;
  once(event: 'close', listener: () => void): void;
}

interface SocketContext extends StreamContext {
  readonly request: FastifyRequest;
  readonly shown: { token: boolean };
  /** Payload of `connection_init`. */
  readonly _connectionInit?: unknown;
}

/** Settings of subscriptions over WebSocket. `token`: what a client must show in a header or in `connection_init`. */
export function socketOptions(deps: RequestDeps, token: string | undefined) {
  return {
    wsDefaultSubprotocol: 'graphql-transport-ws',
    keepAlive: KEEP_ALIVE_MS,
    context: async (socket: unknown, request: FastifyRequest): Promise<object> => {
      const gone = new AbortController();
      const shown = { token: token === undefined || isBearer(request.headers.authorization, token) };
      const connected = socket as Socket;
      const wait = setTimeout(() => shown.token || connected.close(UNAUTHORIZED), TOKEN_WAIT_MS);
      wait.unref();
      connected.once('close', () => {
        clearTimeout(wait);
        gone.abort();
      });
      const scope = new RequestScope(randomUUID(), deps, gone.signal, true);
      return { scope, shown, connection: { subscriptions: 0 } };
    },
  };
}

/**
 * Checks before a subscription is run; Mercurius itself neither validates its document nor bounds it. Throws
 * UNAUTHENTICATED, FORBIDDEN (not a prepared document), TOO_COSTLY, TOO_DEEP and BAD_REQUEST.
 */
export function socketHooks({ limits }: RequestDeps, token: string | undefined, persisted: PersistedQueries) {
  const rules = [...specifiedRules, documentLimits(limits)];
  return {
    preSubscriptionParsing: async (_schema: GraphQLSchema, source: string): Promise<void> => {
      if (Buffer.byteLength(source) > limits.documentBytes)
        throw requestError('TOO_COSTLY', `the document is larger than ${limits.documentBytes} bytes`);
      persisted.resolve({ query: source }, limits.documentBytes);
    },
    preSubscriptionExecution: async (
      schema: GraphQLSchema,
      document: DocumentNode,
      context: unknown,
    ): Promise<void> => {
      const { shown, _connectionInit } = context as SocketContext;
      shown.token ||= token === undefined || isBearer(tokenOf(_connectionInit), token);
      if (!shown.token) throw requestError('UNAUTHENTICATED', 'a bearer token is needed');
      // A document sent as its syntax tree would pass by the limits of its text.
      if (!(document.loc instanceof Location)) throw requestError('BAD_REQUEST', '`query` must be text');
      const [error] = validate(schema, document, rules);
      if (error === undefined) return;
      if (typeof error.extensions['code'] === 'string') throw error;
      throw requestError('BAD_REQUEST', error.message.replace(/ Did you mean .*/s, ''));
    },
  };
}

/** `authorization` of `connection_init`, which browsers can send where they cannot send the header. */
function tokenOf(init: unknown): string | undefined {
  if (typeof init !== 'object' || init === null) return undefined;
  const { authorization, Authorization } = init as Readonly<Record<string, unknown>>;
  const given = authorization ?? Authorization;
  return typeof given === 'string' ? given : undefined;
}
