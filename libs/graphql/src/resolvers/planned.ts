import type { QueryErrorCode, Result } from '@flowledger/query';
import { requestError, type ApiErrorCode } from '../errors/request-error.js';

const CODES: Readonly<Record<QueryErrorCode, ApiErrorCode>> = {
  BAD_WINDOW: 'BAD_WINDOW',
  WINDOW_TOO_WIDE: 'WINDOW_TOO_WIDE',
  BAD_FILTER: 'BAD_FILTER',
  BAD_CURSOR: 'BAD_CURSOR',
  UNSUPPORTED_GROUPING: 'UNSUPPORTED_GROUPING',
  UNSUPPORTED: 'BAD_REQUEST',
  TOO_COSTLY: 'TOO_COSTLY',
};

/** The plan, or the planner's refusal as the error of the answer: argument and what would be accepted. */
export function planned<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  const { code, field, hint } = result.error;
  throw requestError(CODES[code], `${field}: ${hint}`, { field, hint });
}
