import { randomUUID } from 'node:crypto';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '@flowledger/platform';
import { formatAnswer } from '../errors/format-answer.js';
import { checkCost } from '../limits/check-cost.js';
import { documentLimits } from '../limits/document-limits.js';
import { RequestScope, type ApiContext, type RequestDeps } from '../request/request-scope.js';
import { SCALARS } from '../scalars/scalars.js';
import { schemaText } from '../schema-text.js';
import { checkBody } from './request-body.js';

/** Documents whose parse and validation are remembered; each is at most `limits.documentBytes`. */
const CACHED_DOCUMENTS = 128;

interface GraphqlOptions {
  readonly deps: RequestDeps;
  /** Keep graphql-js's "Did you mean" (development only: it tells names of the schema). */
  readonly suggestions: boolean;
}

/** Settings of the GraphQL endpoint: schema, limits, one {@link RequestScope} a request, errors as the schema says. */
export function graphqlOptions({ deps, suggestions }: GraphqlOptions): MercuriusDriverConfig {
  const { limits } = deps;
  return {
    driver: MercuriusDriver,
    path: '/graphql',
    typeDefs: schemaText(),
    resolvers: { ...SCALARS },
    graphiql: false,
    allowBatchedQueries: false,
    cache: CACHED_DOCUMENTS,
    validationRules: [documentLimits(limits)],
    graphql: { parseOptions: { maxTokens: limits.tokens } },
    // Our own check of the body gives errors with codes; the default schemas would turn list indexes in paths to text.
    additionalRouteOptions: {
      schema: {},
      preValidation: async (request) => checkBody(request.body, limits.documentBytes),
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
    hooks: { preExecution, onResolution },
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
