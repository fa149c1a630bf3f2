/** The closed list of fault codes. A fault is something that went wrong around the data; bad data is an outcome, not a fault. */
export type ErrorCode =
  | 'CONFIG_INVALID'
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'TOO_LARGE'
  | 'OVERLOADED'
  | 'TIMEOUT'
  | 'CANCELLED'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'LOG_FULL'
  | 'LOG_CORRUPT'
  | 'LOG_UNAVAILABLE'
  | 'STORE_UNAVAILABLE'
  | 'STORE_REJECTED'
  | 'STORE_UNCERTAIN'
  | 'LEASE_LOST'
  | 'INTERNAL';

export interface AppErrorOptions {
  /** Whether doing the same thing again later can succeed. Decided where the error is thrown. */
  readonly retry: boolean;
  readonly cause?: unknown;
  /** Facts for the log line: numbers and closed-set strings, never payloads or secrets. */
  readonly details?: Readonly<Record<string, string | number | boolean | undefined>>;
}

/**
 * The one fault type. `code` is from a closed list and is what callers branch on; the message says what was being
 * attempted; `retry` says whether a retry can help. Never match on the message.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retry: boolean;
  readonly details: Readonly<Record<string, string | number | boolean | undefined>>;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retry = options.retry;
    this.details = options.details ?? {};
  }
}

/** Narrows an unknown thrown value to an {@link AppError} with the given code. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** Text of any thrown value, with its cause chain on one line, for logs and command output. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${describeError(error.cause)}`;
  return `${error.message}${cause}`;
}
