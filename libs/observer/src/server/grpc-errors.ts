import { status } from '@grpc/grpc-js';
import { describeError, isAppError, type ErrorCode } from '@flowledger/platform';
import type { QueryErrorCode, Result } from '@flowledger/query';

/** A refusal or fault in gRPC's words. */
export class GrpcError extends Error {
  constructor(
    readonly code: status,
    readonly details: string,
  ) {
    super(details);
    this.name = 'GrpcError';
  }
}

/** The clients print `Unknown` plainly and retry only `Unavailable` (hubble note, trap 48). */
const CODES: Readonly<Record<ErrorCode, status>> = {
  CONFIG_INVALID: status.FAILED_PRECONDITION,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  NOT_FOUND: status.NOT_FOUND,
  CONFLICT: status.ABORTED,
  TOO_LARGE: status.RESOURCE_EXHAUSTED,
  OVERLOADED: status.RESOURCE_EXHAUSTED,
  TIMEOUT: status.DEADLINE_EXCEEDED,
  CANCELLED: status.CANCELLED,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  FORBIDDEN: status.PERMISSION_DENIED,
  LOG_FULL: status.RESOURCE_EXHAUSTED,
  LOG_CORRUPT: status.DATA_LOSS,
  LOG_UNAVAILABLE: status.UNAVAILABLE,
  STORE_UNAVAILABLE: status.UNAVAILABLE,
  STORE_REJECTED: status.INTERNAL,
  STORE_UNCERTAIN: status.UNAVAILABLE,
  LEASE_LOST: status.UNAVAILABLE,
  INTERNAL: status.INTERNAL,
};

const REFUSALS: Readonly<Record<QueryErrorCode, status>> = {
  BAD_WINDOW: status.INVALID_ARGUMENT,
  WINDOW_TOO_WIDE: status.INVALID_ARGUMENT,
  BAD_FILTER: status.INVALID_ARGUMENT,
  BAD_CURSOR: status.INVALID_ARGUMENT,
  UNSUPPORTED_GROUPING: status.INVALID_ARGUMENT,
  UNSUPPORTED: status.UNIMPLEMENTED,
  TOO_COSTLY: status.RESOURCE_EXHAUSTED,
};

/** What a client is told about a thrown value. Faults of the store are named, their SQL is not. */
export function grpcError(error: unknown): GrpcError {
  if (error instanceof GrpcError) return error;
  if (isAppError(error)) return new GrpcError(CODES[error.code], error.message);
  return new GrpcError(status.INTERNAL, `internal error: ${describeError(error).slice(0, 200)}`);
}

/** The value, or the planner's refusal with the field named as the client sent it. */
export function granted<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  const { code, field, hint } = result.error;
  throw new GrpcError(REFUSALS[code], `${wireName(field)}: ${hint}`);
}

/** `filters.allow[0].sourcePod[1]` is `whitelist[0].source_pod[1]` on the wire. */
export function wireName(field: string): string {
  return field
    .replace(/^filters\.allow/, 'whitelist')
    .replace(/^filters\.deny/, 'blacklist')
    .replace(/celExpression/, 'experimental.cel_expression')
    .replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
