import type { ApiErrorCode } from './request-error.js';

const STATUS: Readonly<Record<ApiErrorCode, number>> = {
  BAD_REQUEST: 400,
  BAD_WINDOW: 400,
  WINDOW_TOO_WIDE: 400,
  BAD_FILTER: 400,
  BAD_CURSOR: 400,
  UNSUPPORTED_GROUPING: 400,
  TOO_COSTLY: 400,
  TOO_DEEP: 400,
  RATE_LIMITED: 429,
  TIMEOUT: 504,
  STORE_UNAVAILABLE: 503,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  INTERNAL: 500,
};

/** HTTP status of an answer without data: the gravest of its errors decides. */
export function httpStatus(codes: readonly ApiErrorCode[]): number {
  return Math.max(...codes.map((code) => STATUS[code]), 400);
}
