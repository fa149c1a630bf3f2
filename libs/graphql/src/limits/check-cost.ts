import {
  getOperationAST,
  getVariableValues,
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
} from 'graphql';
import { requestError } from '../errors/request-error.js';
import type { RequestScope } from '../request/request-scope.js';
import { requestedCost } from './cost.js';

const NS_PER_HOUR = 3_600_000_000_000n;
const MS_PER_HOUR = 3_600_000;

/** A validated operation as a request gave it. */
export interface GivenOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  /** As sent, not coerced. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Notes the requested cost in the scope; throws TOO_COSTLY above the limit, before the store is asked anything. */
export function checkCost(given: GivenOperation, scope: RequestScope): void {
  const operation = getOperationAST(given.document, given.operationName);
  // Execution itself reports an unknown operation and wrong variables.
  if (!operation) return;
  const { schema } = given;
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], given.variables);
  if (coerced === undefined) return;
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const definition of given.document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
  }
  const { limits, retention } = scope.deps;
  const cost = requestedCost(
    { schema, operation, fragments, variables: coerced, nowNs: scope.nowNs },
    {
      rowsPerHour: limits.rowsPerHour,
      rawHours: Number(retention.rawNs / NS_PER_HOUR),
      windowHours: limits.windowMs / MS_PER_HOUR,
    },
  );
  scope.cost.requested = cost;
  if (cost <= limits.cost) return;
  throw requestError('TOO_COSTLY', `the query costs ${cost}, ${limits.cost} are allowed`, {
    hint: 'ask for a shorter window, a smaller page, a longer step or fewer fields',
  });
}
