import { compileFilters } from '../filter/compile-filters.js';
import { dropOfPolicies } from '../drops/plan-drops.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import { ALL_PARTS, flowColumns, selectList } from '../flows/flow-columns.js';
import { historyJoin } from '../history/history-join.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { SqlTemplate } from '../sql-template.js';
import { rawRange } from '../window.js';
import type { Window } from '../window.js';
import { parseGroupId } from './dimensions.js';
import type { GroupKey, Question } from './dimensions.js';
import { historyLookups } from './refined-keys.js';

const PAGE = new SqlTemplate('flow-page');
const WAS = new SqlTemplate('samples-was');
const MAX_SAMPLES = 20;
/** Variants of a group's policies that samples are looked for in; they travel as one parameter. */
const MAX_POLICIES = 200;

/** Flows of one group of an answer. */
export interface SamplesRequest {
  readonly question: Question;
  /** Window and keys of the planned question, and the filters it was asked with. */
  readonly window: Window;
  readonly keys: readonly GroupKey[];
  readonly filters?: FlowFilters | null;
  /** Id of the group. */
  readonly groupId: string;
  readonly first: number;
  /** `policies` of the group, where it was grouped by policy: the drop itself does not name it. */
  readonly policies?: readonly string[];
}

/** Which flows an answer counts: the answers of calls, or the drops. */
const COUNTED: Readonly<Record<Question, string>> = { red: 'l7_type = 2', drops: 'is_drop' };

/** The same rows found beside the endpoint history, which a page of whole rows need not be joined with. */
function inferredRows(
  counted: string,
  filter: string,
  { keys, window }: SamplesRequest,
  binder: ParamBinder,
): string {
  const rows = WAS.fill({
    history: historyJoin(historyLookups(keys), window, binder),
    range: rawRange(window, binder),
    counted,
    filter,
  });
  return `(bucket_time, _le, _lp, _lo, _li) IN (${rows})`;
}

/**
 * Plans the newest flows of a group, read by `readFlow`. Refuses BAD_CURSOR (no such group), TOO_COSTLY (more than 20) and
 * BAD_FILTER.
 */
export function planSamples(request: SamplesRequest, context: QueryContext): Result<QueryPlan> {
  const { keys, question, window, first } = request;
  const texts = parseGroupId(request.groupId);
  if (texts === undefined || texts.length !== keys.length)
    return refuse('BAD_CURSOR', 'id', 'the id of a group of this answer');
  if (!Number.isInteger(first) || first < 0 || first > MAX_SAMPLES)
    return refuse('TOO_COSTLY', 'first', `from 0 to ${MAX_SAMPLES} flows`);
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('limit', first);
  const place = { target: 'call', binder, tenant: '{tenant:String}', ...window } as const;
  const filter = compileFilters(request.filters, place);
  if (!filter.ok) return filter;
  const policies = (request.policies ?? []).slice(0, MAX_POLICIES);
  const equal = keys.map((key, index) =>
    key.dimension === 'POLICY'
      ? dropOfPolicies(policies, window, filter.value ?? 'true', binder)
      : `${key.raw} = ${binder.bind('String', texts[index] ?? '')}`,
  );
  const lookups = historyLookups(keys);
  const counted = [COUNTED[question], ...equal].join(' AND ');
  const sql = PAGE.fill({
    columns: selectList(flowColumns(ALL_PARTS)),
    cluster: 'true',
    range: rawRange(window, binder),
    position: lookups.length === 0 ? counted : inferredRows(counted, filter.value ?? 'true', request, binder),
    filter: filter.value ?? 'true',
    order: 'DESC',
  });
  const settings = settingsFor(context, MAX_SAMPLES);
  return done({ name: 'samples', sql, params: binder.usedBy(sql), settings });
}
