import type { ParamBinder } from '../param-binder.js';
import { done } from '../result.js';
import type { Result } from '../result.js';
import { allOf, ALWAYS, anyOf, not } from './condition.js';
import { filterColumns } from './filter-columns.js';
import type { FilterTarget } from './filter-columns.js';
import type { FilterScope } from './filter-scope.js';
import type { FlowFilters } from './flow-filter.js';
import { parseFilters } from './parse-filters.js';

/** Where a filter is compiled to: which rows, for whom, in which window. */
export interface FilterPlace {
  readonly target: FilterTarget;
  readonly binder: ParamBinder;
  /** Placeholder of the tenant. */
  readonly tenant: string;
  /** Window, ns since 1970; bounds the endpoint history. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

const HOUR_NS = 3_600_000_000_000n;

function scopeOf(place: FilterPlace): FilterScope {
  return {
    columns: filterColumns(place.target),
    binder: place.binder,
    tenant: place.tenant,
    hours: { first: (place.fromNs / HOUR_NS) * 3600n, last: (place.toNs / HOUR_NS) * 3600n },
  };
}

/**
 * Compiles allow and deny lists to one SQL condition (`true` when nothing is filtered); null when the target's table
 * lacks a column and raw rows must answer. Semantics are Hubble's (hubble note, section 3): fields AND, values OR,
 * filters OR; an empty filter matches everything, so in `deny` it hides everything. Refuses as {@link parseFilters}.
 */
export function compileFilters(
  filters: FlowFilters | null | undefined,
  place: FilterPlace,
): Result<string | null> {
  const scope = scopeOf(place);
  const parsed = parseFilters(filters, { calls: scope.columns.calls, history: 'table' });
  if (!parsed.ok) return parsed;
  const allow = parsed.value.allow.map((test) => test.condition(scope));
  const deny = parsed.value.deny.map((test) => test.condition(scope));
  const shown = allow.length === 0 ? ALWAYS : anyOf(allow);
  const hidden = deny.length === 0 ? [] : [not(anyOf(deny))];
  const whole = allOf([shown, ...hidden]);
  return done(whole.kind === 'sql' ? whole.sql : null);
}
