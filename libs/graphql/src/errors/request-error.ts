import { GraphQLError } from 'graphql';

/** The closed list of `errors[].extensions.code`; the same list as the SDL's `enum ErrorCode` (tested). */
export const API_ERROR_CODES = [
  'BAD_REQUEST',
  'BAD_WINDOW',
  'WINDOW_TOO_WIDE',
  'BAD_FILTER',
  'BAD_CURSOR',
  'UNSUPPORTED_GROUPING',
  'TOO_COSTLY',
  'TOO_DEEP',
  'RATE_LIMITED',
  'TIMEOUT',
  'STORE_UNAVAILABLE',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'INTERNAL',
] as const;

export type ApiErrorCode = (typeof API_ERROR_CODES)[number];

/** What a caller may be told beside the code. */
export interface ErrorFacts {
  /** Path of the argument that is wrong, `filters.allow[0].sourcePod`. */
  readonly field?: string;
  /** What to change. */
  readonly hint?: string;
  /** Whether the same request can succeed later. */
  readonly retryable?: boolean;
  /** When to try again, ms. */
  readonly retryAfterMs?: number;
}

/** A refusal that the caller can act on. `message` is shown as it is: never SQL, a host or a stack. */
export function requestError(code: ApiErrorCode, message: string, facts: ErrorFacts = {}): GraphQLError {
  return new GraphQLError(message, { extensions: { code, ...facts } });
}

/** Narrows the `code` of an error's extensions to the closed list. */
export function isApiErrorCode(code: unknown): code is ApiErrorCode {
  return (API_ERROR_CODES as readonly unknown[]).includes(code);
}
