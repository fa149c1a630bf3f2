import type { GraphQLError } from 'graphql';
import { describeError, isAppError } from '@flowledger/platform';
import type { RequestScope } from '../request/request-scope.js';
import { httpStatus } from './http-status.js';
import { clientStatus, isOurFault, publicErrors, rootCause, type PublicError } from './public-error.js';

/** An answer with errors, as it is sent. */
export interface FormattedAnswer {
  readonly statusCode: number;
  readonly data: unknown;
  readonly errors: readonly PublicError[];
}

/** Turns the errors of an answer into what the caller is told, counts them, and logs what an operator can act on. */
export function formatAnswer(
  data: unknown,
  causes: readonly GraphQLError[],
  scope: RequestScope,
  suggestions: boolean,
): FormattedAnswer {
  const errors = causes.flatMap((error) => publicErrors(error, scope.id, suggestions));
  report(errors, causes, scope);
  return { statusCode: statusOf(data, errors, causes), data: data ?? null, errors };
}

function statusOf(data: unknown, errors: readonly PublicError[], causes: readonly GraphQLError[]): number {
  if (data !== null && data !== undefined) return 200;
  const http = causes.map((error) => clientStatus(rootCause(error))).find((status) => status !== undefined);
  return http ?? httpStatus(errors.map((error) => error.extensions.code));
}

function report(errors: readonly PublicError[], causes: readonly GraphQLError[], scope: RequestScope): void {
  const { logger } = scope.deps;
  for (const { extensions } of errors) scope.deps.errors.inc({ code: extensions.code });
  const roots = causes.map(rootCause);
  const facts = { requestId: scope.id, error: roots.map(describeError).join('; ') };
  if (errors.some((error) => isOurFault(error.extensions.code))) logger.error(facts, 'request failed');
  else if (roots.some((root) => isAppError(root))) logger.warn(facts, 'request refused by the store');
}
