import type { EndpointHistory } from '../filter/endpoint-history.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import { requiring, united } from '../filter/flow-requirement.js';
import { parseFilters } from '../filter/parse-filters.js';
import type { FlowPredicate, LabelledFlow } from '../live/live-flows.js';
import { done } from '../result.js';
import type { Result } from '../result.js';

/** What a predicate may ask besides the flow. */
export interface PredicateOptions {
  /** Answers `matchInferred`; without it a filter on services or workloads that sets it is refused. */
  readonly history?: EndpointHistory;
}

/**
 * Compiles filters to a predicate over decoded flows: parsed by the same code as the SQL of the history, with the same
 * refusals (BAD_FILTER and the path of the field). Source and destination are sender and receiver, as in Hubble. The
 * flows must have been read with the part `wire` (live ones are), else `ipTraceId` and `encrypted` see less. The
 * predicate keeps no state and never throws; its time is linear in the flow, whatever the expressions.
 */
export function compilePredicate(
  filters: FlowFilters | null | undefined,
  options: PredicateOptions = {},
): Result<FlowPredicate> {
  const parsed = parseFilters(filters, { calls: false, history: options.history });
  if (!parsed.ok) return parsed;
  const { allow, deny } = parsed.value;
  const passes = (flow: LabelledFlow): boolean =>
    (allow.length === 0 || allow.some((test) => test.matches(flow))) &&
    !deny.some((test) => test.matches(flow));
  return done(Object.assign(passes, requiring(united(allow))));
}
