import { randomUUID } from 'node:crypto';
import {
  getOperationAST,
  getVariableValues,
  type GraphQLError,
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
} from 'graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, describeError, isAppError } from '@flowledger/platform';
import { httpStatus } from '../errors/http-status.js';
import {
  clientStatus,
  isOurFault,
  publicErrors,
  rootCause,
  type PublicError,
} from '../errors/public-error.js';
import { requestError } from '../errors/request-error.js';
import { requestedCost } from '../limits/cost.js';
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
      const list = execution.errors ?? [];
      const errors = list.flatMap((error) => publicErrors(error, scope.id, suggestions));
      report(errors, list, scope);
      return {
        statusCode: statusOf(execution.data, errors, list),
        response: { data: execution.data ?? null, errors: errors as never },
      };
    },
    hooks: {
      preExecution: async (
        schema: GraphQLSchema,
        document: DocumentNode,
        context: unknown,
        variables: unknown,
      ) => {
        const { scope } = context as ApiContext;
        const { reply } = context as { reply: FastifyReply };
        checkCost(schema, document, operationName(reply), variables, scope);
      },
      onResolution: async (execution: { extensions?: unknown }, context: unknown) => {
        const { cost } = (context as ApiContext).scope;
        execution.extensions = { cost: { ...cost, elapsedMs: Math.round(cost.elapsedMs * 10) / 10 } };
      },
    },
  };
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

function statusOf(data: unknown, errors: readonly PublicError[], causes: readonly GraphQLError[]): number {
  if (data !== null && data !== undefined) return 200;
  const http = causes.map((error) => clientStatus(rootCause(error))).find((status) => status !== undefined);
  return http ?? httpStatus(errors.map((error) => error.extensions.code));
}

/** Counts every error; logs what an operator can do something about: our faults, and limits that the store enforced. */
function report(errors: readonly PublicError[], causes: readonly GraphQLError[], scope: RequestScope): void {
  const { logger } = scope.deps;
  for (const { extensions } of errors) scope.deps.errors.inc({ code: extensions.code });
  const roots = causes.map(rootCause);
  const facts = { requestId: scope.id, error: roots.map(describeError).join('; ') };
  if (errors.some((error) => isOurFault(error.extensions.code))) logger.error(facts, 'request failed');
  else if (roots.some((root) => isAppError(root))) logger.warn(facts, 'request refused by the store');
}

function operationName(reply: FastifyReply): string | undefined {
  const { operationName: name } = reply.request.body as { operationName?: string | null };
  return name ?? undefined;
}

function checkCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  name: string | undefined,
  given: unknown,
  scope: RequestScope,
): void {
  const operation = getOperationAST(document, name);
  // Execution itself reports an unknown operation and wrong variables.
  if (!operation) return;
  const { coerced } = getVariableValues(
    schema,
    operation.variableDefinitions ?? [],
    (given ?? {}) as Record<string, unknown>,
  );
  if (coerced === undefined) return;
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
  }
  const { limits } = scope.deps;
  const cost = requestedCost(
    { schema, operation, fragments, variables: coerced, nowNs: scope.nowNs },
    limits,
  );
  scope.cost.requested = cost;
  if (cost <= limits.cost) return;
  throw requestError('TOO_COSTLY', `the query costs ${cost}, ${limits.cost} are allowed`, {
    hint: 'ask for a shorter window, a smaller page, a longer step or fewer fields',
  });
}
