import { randomUUID } from 'node:crypto';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '@flowledger/platform';
import { formatAnswer } from '../errors/format-answer.js';
import { requestError } from '../errors/request-error.js';
import { checkCost } from '../limits/check-cost.js';
import { documentLimits } from '../limits/document-limits.js';
import { noIntrospection } from '../limits/no-introspection.js';
import { socketHooks, socketOptions } from '../live/socket-options.js';
import { RequestScope, type ApiContext, type RequestDeps } from '../request/request-scope.js';
import { SCALARS } from '../scalars/scalars.js';
import { schemaText } from '../schema-text.js';
import { documentHash, type PersistedQueries } from './persisted-queries.js';
import { checkBody } from './request-body.js';

/** Documents whose parse and validation are remembered; each is at most `limits.documentBytes`. */
const CACHED_DOCUMENTS = 128;

/** What the GraphQL endpoint of one server is made of. */
export interface GraphqlOptions {
  readonly deps: RequestDeps;
  /** Keep graphql-js's "Did you mean" (development only: it tells names of the schema). */
  readonly suggestions: boolean;
  /** Questions about the schema are allowed. */
  readonly introspection: boolean;
  readonly persisted: PersistedQueries;
  /** What every request must carry; undefined asks for none. */
  readonly token: string | undefined;
}

/** Settings of the GraphQL endpoint: schema, limits, one {@link RequestScope} a request, errors as the schema says. */
export function graphqlOptions(options: GraphqlOptions): MercuriusDriverConfig {
  const { deps, suggestions, introspection, persisted, token } = options;
  const { limits } = deps;
  return {
    driver: MercuriusDriver,
    path: '/graphql',
    typeDefs: schemaText(),
    resolvers: { ...SCALARS },
    graphiql: false,
    allowBatchedQueries: false,
    cache: CACHED_DOCUMENTS,
    validationRules: [documentLimits(limits), ...(introspection ? [] : [noIntrospection])],
    graphql: { parseOptions: { maxTokens: limits.tokens } },
    // Our own check of the body gives errors with codes; the default schemas would turn list indexes in paths to text.
    additionalRouteOptions: {
      schema: {},
      preValidation: async (request) => {
        if (request.method !== 'POST') return;
        request.body = persisted.resolve(request.body, limits.documentBytes);
        checkBody(request.body, limits.documentBytes);
      },
    },
    context: (_request: FastifyRequest, reply: FastifyReply): ApiContext => ({
      scope: new RequestScope(randomUUID(), deps, whenGone(reply)),
    }),
    errorFormatter: (execution, context) => {
      const { scope } = context as unknown as ApiContext;
      const answer = formatAnswer(execution.data, execution.errors ?? [], scope, suggestions);
      // Mercurius types entries as classes of graphql-js; it only sends them.
      const response = { data: answer.data, errors: answer.errors } as never;
      return { statusCode: answer.statusCode, response };
    },
    subscription: socketOptions(deps, token),
    hooks: { preExecution, onResolution, ...socketHooks(deps, token, persisted) },
  };
}

async function preExecution(
  schema: GraphQLSchema,
  document: DocumentNode,
  context: unknown,
  variables: Record<string, unknown> | undefined,
): Promise<void> {
  const { scope, reply } = context as ApiContext & { readonly reply: FastifyReply };
  const { operationName } = reply.request.body as { readonly operationName?: string | null };
  const given = { schema, document, operationName: operationName ?? undefined, variables: variables ?? {} };
  checkCost(given, scope);
  checkRate(reply.request, scope);
}

/** Takes the cost of a request from what its caller may ask for; throws RATE_LIMITED with the time until there is enough. */
function checkRate(request: FastifyRequest, { cost, deps }: RequestScope): void {
  const { authorization } = request.headers;
  const caller = authorization === undefined ? request.ip : documentHash(authorization);
  const retryAfterMs = deps.rate.take(caller, cost.requested, deps.clock.monotonic());
  if (retryAfterMs === 0) return;
  throw requestError('RATE_LIMITED', 'more was asked for than one caller may ask for', {
    hint: 'ask less often, or for less: extensions.cost tells what a request costs',
    retryable: true,
    retryAfterMs,
  });
}

async function onResolution(execution: { extensions?: unknown }, context: unknown): Promise<void> {
  const { cost } = (context as ApiContext).scope;
  execution.extensions = { cost: { ...cost, elapsedMs: Math.round(cost.elapsedMs * 10) / 10 } };
}

/** Aborts when the connection closes before the answer is out. */
function whenGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) {
      controller.abort(new AppError('CANCELLED', 'client is gone', { retry: false }));
    }
  });
  return controller.signal;
}
