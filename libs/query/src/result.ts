/** Codes that a planner refuses a request with: the part of the API's `ErrorCode` that is decided without the store. */
export type QueryErrorCode =
  | 'BAD_WINDOW'
  | 'WINDOW_TOO_WIDE'
  | 'BAD_FILTER'
  | 'BAD_CURSOR'
  | 'UNSUPPORTED_GROUPING'
  | 'UNSUPPORTED'
  | 'TOO_COSTLY';

/** Why a request was refused. A value, not an exception: the client sent something that cannot be answered. */
export interface QueryError {
  readonly code: QueryErrorCode;
  /** Path of the offending argument, for example `filters.allow[0].sourceIp`. */
  readonly field: string;
  /** One sentence that says what would be accepted; never holds SQL or the engine's text. */
  readonly hint: string;
}

/** The result of planning: never an exception for a bad request (style guide 5). */
export type Result<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: QueryError };

/** A good result. */
export function done<T>(value: T): Result<T> {
  return { ok: true, value };
}

/** A refusal. */
export function refuse<T>(code: QueryErrorCode, field: string, hint: string): Result<T> {
  return { ok: false, error: { code, field, hint } };
}
