import { compileFilters } from '../filter/compile-filters.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { SqlTemplate } from '../sql-template.js';
import { rawRange, resolveWindow } from '../window.js';
import type { Window, WindowRequest } from '../window.js';
import { HINT_FIELDS } from './hint-fields.js';
import type { HintField } from './hint-fields.js';

const VALUES = new SqlTemplate('filter-hints');
const LABELS = new SqlTemplate('label-hints');

/** Matching rows that are counted: more would make an answer that nobody waits for while typing. */
export const HINT_ROWS = 2_000_000;
/** Distinct values that are counted; later ones are left out, those counted stay right. */
export const HINT_VALUES = 100_000;
/** Time of the statement, s; one that takes longer answers with what it has, which may be nothing. */
export const HINT_SECONDS = 1;
const MAX_HINTS = 1000;
/** Fields with names of numbers have few values: all are read, and the prefix is compared with the names. */
const NAMED_VALUES = 1000;
const MAX_PREFIX = 1024;

/** Which values of a field occur in flows that pass the filters. */
export interface HintsRequest {
  /** A key of `HINT_FIELDS`. */
  readonly field: string;
  readonly window?: WindowRequest | null;
  readonly filters?: FlowFilters | null;
  /** Start of the value, letter for letter. */
  readonly prefix?: string | null;
  /** At most 1,000; 20 when absent. */
  readonly limit?: number | null;
}

/** A planned list of values. */
export interface HintsPlan {
  readonly plan: QueryPlan;
  readonly window: Window;
  readonly limit: number;
  readonly prefix: string;
  /** Text of a value; the identity where the statement makes it. */
  readonly name: ((value: string) => string) | undefined;
}

/** The newest eighth of a window: where to look when the whole took too long. */
export function newestPart({ fromNs, toNs }: Window): Window {
  return { fromNs: toNs - (toNs - fromNs) / 8n, toNs };
}

type Parts = Readonly<Record<'range' | 'filter', string>>;
type Values = HintField & { readonly kind: 'values' };

function valuesSql(field: Values, prefix: string, parts: Parts, binder: ParamBinder): string {
  const { keys, value, name, list, text } = field;
  const bound = prefix === '' || name !== undefined ? undefined : binder.bind('String', prefix);
  const some = bound === undefined ? list : `arrayFilter(n -> startsWith(n, ${bound}), ${list})`;
  const starts = bound === undefined || text === undefined ? 'true' : `startsWith(${text}, ${bound})`;
  const columns = list === undefined ? field.columns : `arrayJoin(${some}) AS item`;
  return VALUES.fill({ columns, keys, value, present: `(${field.present}) AND ${starts}`, ...parts });
}

function fieldOf(name: string): HintField | undefined {
  const fields: Readonly<Record<string, HintField>> = HINT_FIELDS;
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function refusal({ limit, prefix }: HintsRequest): Result<never> | undefined {
  const asked = limit ?? 1;
  if (!Number.isInteger(asked) || asked < 1 || asked > MAX_HINTS)
    return refuse('TOO_COSTLY', 'limit', `from 1 to ${MAX_HINTS}`);
  if ((prefix ?? '').length > MAX_PREFIX)
    return refuse('BAD_FILTER', 'prefix', `at most ${MAX_PREFIX} characters`);
  return undefined;
}

/**
 * Plans the values of one filter field among the flows of a window that pass the filters (those on the same field
 * included: leave them out to see what else there is), most frequent first. Bounded in rows, values and time; `readHints`
 * says whether a bound was met. Refuses BAD_FILTER, BAD_WINDOW, WINDOW_TOO_WIDE and TOO_COSTLY.
 */
export function planHints(request: HintsRequest, context: QueryContext): Result<HintsPlan> {
  const field = fieldOf(request.field);
  if (field === undefined)
    return refuse('BAD_FILTER', 'field', `one of ${Object.keys(HINT_FIELDS).join(', ')}`);
  const bad = refusal(request);
  if (bad !== undefined) return bad;
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  const { limit: asked, filters } = request;
  const [limit, prefix] = [asked ?? 20, request.prefix ?? ''];
  const name = field.kind === 'values' ? field.name : undefined;
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('cap', HINT_ROWS + 1);
  binder.name('limit', name === undefined ? limit + 1 : NAMED_VALUES);
  binder.name('prefix', prefix);
  const place = { target: 'record', binder, tenant: '{tenant:String}', ...window.value } as const;
  const filter = compileFilters(filters, place);
  if (!filter.ok) return filter;
  const parts = { range: rawRange(window.value, binder), filter: filter.value ?? 'true' };
  const sql =
    field.kind === 'labels'
      ? LABELS.fill({ set: field.set, ...parts })
      : valuesSql(field, prefix, parts, binder);
  const settings = {
    ...settingsFor(context, NAMED_VALUES + 1),
    max_execution_time: HINT_SECONDS,
    timeout_overflow_mode: 'break',
    max_rows_to_group_by: HINT_VALUES,
    group_by_overflow_mode: 'any',
  };
  const plan = { name: VALUES.name, sql, params: binder.usedBy(sql), settings };
  return done({ plan, window: window.value, limit, prefix, name });
}
