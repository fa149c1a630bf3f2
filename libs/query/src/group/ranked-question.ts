import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { resolveWindow } from '../window.js';
import type { Window, WindowRequest } from '../window.js';
import { groupKeys } from './dimensions.js';
import type { GroupBy, GroupKey } from './dimensions.js';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1000;

/** What questions that are answered by ranked groups of single flows have in common. */
export interface RankedRequest {
  readonly window?: WindowRequest | null;
  readonly groupBy?: readonly GroupBy[] | null;
  readonly limit?: number | null;
}

/** A planned question whose answer is ranked groups read from single flows. */
export interface RankedPlan {
  readonly plan: QueryPlan;
  readonly window: Window;
  readonly keys: readonly GroupKey[];
}

/** What only an answer tells, and services, which are looked up for each call. */
const UNSHARED: ReadonlySet<string> = new Set(['STATUS_CLASS', 'DIRECTION', 'SERVICE']);

/** Window, keys and limit of a question, checked. */
export function rankedQuestion(
  request: RankedRequest,
  fallback: readonly GroupBy[],
  context: QueryContext,
): Result<{ readonly window: Window; readonly keys: readonly GroupKey[]; readonly limit: number }> {
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  const groups = request.groupBy ?? fallback;
  const answerOnly = groups.findIndex(({ dimension }) => UNSHARED.has(dimension));
  if (answerOnly >= 0)
    return refuse(
      'UNSUPPORTED_GROUPING',
      `groupBy[${answerOnly}]`,
      'a dimension that question and answer share',
    );
  const keys = groupKeys(groups, 'red');
  if (!keys.ok) return keys;
  const limit = request.limit ?? DEFAULT_LIMIT;
  if (!Number.isInteger(limit) || limit < 0 || limit > MAX_LIMIT)
    return refuse('TOO_COSTLY', 'limit', `from 0 to ${MAX_LIMIT} groups`);
  return done({ window: window.value, keys: keys.value, limit });
}
