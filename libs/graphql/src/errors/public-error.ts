import { GraphQLError } from 'graphql';
import { AppError, type ErrorCode } from '@flowledger/platform';
import { isApiErrorCode, type ApiErrorCode, type ErrorFacts } from './request-error.js';

/** One entry of `errors[]` as it is sent. */
export interface PublicError {
  readonly message: string;
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  readonly path?: readonly (string | number)[];
  readonly extensions: {
    readonly code: ApiErrorCode;
    readonly retryable: boolean;
    readonly requestId: string;
  } & ErrorFacts;
}

interface Fault {
  readonly code: ApiErrorCode;
  readonly message: string;
  readonly facts: ErrorFacts;
}

const fault = (code: ApiErrorCode, message: string, facts: ErrorFacts = {}): Fault => ({
  code,
  message,
  facts,
});

// Texts are ours: the text of a fault may name hosts, tables or statements, which are for the log only.
const INTERNAL = fault('INTERNAL', 'the request failed for a reason on our side');
const UNAVAILABLE = fault('STORE_UNAVAILABLE', 'the store did not answer', {
  retryable: true,
  retryAfterMs: 1000,
});
const FAULTS: Readonly<Partial<Record<ErrorCode, Fault>>> = {
  STORE_UNAVAILABLE: UNAVAILABLE,
  STORE_UNCERTAIN: UNAVAILABLE,
  LOG_UNAVAILABLE: UNAVAILABLE,
  // A table or column is missing: the store is there, but not migrated yet.
  NOT_FOUND: UNAVAILABLE,
  TIMEOUT: fault('TIMEOUT', 'the answer took longer than a request may take', {
    hint: 'ask for a shorter window, add a filter, or search flows with a timeBudget and go on by the cursor',
    retryable: true,
  }),
  CANCELLED: fault('TIMEOUT', 'the request was given up', { retryable: true }),
  TOO_LARGE: fault('WINDOW_TOO_WIDE', 'the answer would read or hold more than a request may', {
    hint: 'ask for a shorter window or add a filter',
  }),
  INVALID_ARGUMENT: fault('BAD_FILTER', 'the store refused a value of the filter', {
    hint: 'regular expressions are RE2: no look-around, no back-references',
  }),
  OVERLOADED: fault('RATE_LIMITED', 'too many queries at once', { retryable: true, retryAfterMs: 1000 }),
};

/** Faults that an operator should see in the log. */
export function isOurFault(code: ApiErrorCode): boolean {
  return code === 'INTERNAL' || code === 'STORE_UNAVAILABLE';
}

/**
 * What a caller is told about any error of a request. `validated` is true for errors of parsing and validation, where
 * a plain error is the caller's. `suggestions` keeps graphql-js's "Did you mean", which reveals names of the schema.
 */
export function publicErrors(
  error: GraphQLError,
  requestId: string,
  suggestions: boolean,
): readonly PublicError[] {
  const nested = validationErrors(error);
  if (nested !== undefined) return nested.map((one) => publicError(one, true, requestId, suggestions));
  return [publicError(error, false, requestId, suggestions)];
}

/** The error behind GraphQL's wrapping: what a resolver, a scalar or the HTTP layer threw. */
export function rootCause(error: unknown): unknown {
  let current = error;
  while (current instanceof GraphQLError && current.originalError) current = current.originalError;
  return current;
}

function publicError(
  error: GraphQLError,
  validated: boolean,
  requestId: string,
  suggestions: boolean,
): PublicError {
  const { code, message, facts } = judge(error, validated);
  return {
    message: suggestions ? message : withoutSuggestion(message),
    ...(error.locations === undefined ? {} : { locations: error.locations }),
    ...(error.path === undefined ? {} : { path: error.path }),
    extensions: { retryable: false, ...facts, code, requestId },
  };
}

function judge(error: GraphQLError, validated: boolean): Fault {
  const cause = rootCause(error);
  if (cause instanceof AppError) return FAULTS[cause.code] ?? INTERNAL;
  if (cause instanceof GraphQLError) {
    const { code, field, hint, retryable, retryAfterMs } = cause.extensions as ErrorFacts & {
      code?: unknown;
    };
    const facts = {
      ...(field === undefined ? {} : { field }),
      ...(hint === undefined ? {} : { hint }),
      ...(retryable === undefined ? {} : { retryable }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    if (isApiErrorCode(code)) return { code, message: error.message, facts };
    // While executing, graphql-js blames an argument at its value and a broken answer at its field.
    const blamesArgument = error.nodes?.[0] !== undefined && error.nodes[0].kind !== 'Field';
    return validated || blamesArgument ? fault('BAD_REQUEST', error.message, facts) : INTERNAL;
  }
  return clientStatus(cause) === undefined ? INTERNAL : fault('BAD_REQUEST', httpMessage(cause));
}

/** 4xx of an error of the HTTP layer (bad JSON, body too large, wrong method); undefined for anything else. */
export function clientStatus(cause: unknown): number | undefined {
  const status = property(cause, 'statusCode');
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

function httpMessage(cause: unknown): string {
  const message = property(cause, 'message');
  return typeof message === 'string' ? message : 'bad request';
}

function validationErrors(error: GraphQLError): readonly GraphQLError[] | undefined {
  const list = property(rootCause(error), 'errors');
  if (!Array.isArray(list)) return undefined;
  return list.map((one: unknown) => {
    if (one instanceof GraphQLError) return one;
    const message = property(one, 'message');
    return new GraphQLError(typeof message === 'string' ? message : 'bad request');
  });
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function withoutSuggestion(message: string): string {
  const at = message.lastIndexOf(' Did you mean ');
  return at < 0 ? message : message.slice(0, at);
}
