import type { QueryContext } from '../query-plan.js';
import { done, type Result } from '../result.js';
import type { Window } from '../window.js';
import { nextStretch, restBehind, type SearchedStretch } from './flow-search.js';
import { planFlows, type FlowsPlan, type FlowsRequest } from './plan-flows.js';

/** How long to search, by whose clock. */
export interface SearchTime {
  readonly budgetMs: number;
  /** Monotonic, ms. */
  readonly now: () => number;
}

/** Rows of a page that was searched for, in the order of its statements. */
export interface SearchedPage<Row> {
  /** The plan of the whole page; what reads the rows needs it. */
  readonly plan: FlowsPlan;
  readonly rows: readonly Row[];
  /** What the time was too short for; undefined when the page is full or everything was searched. */
  readonly unsearched: Window | undefined;
}

/**
 * Searches the window of a page in stretches from where the page begins, until it is full or the time is up. `read` runs
 * one statement; what it rejects with ends the search. Refuses as `planFlows` does. The first stretch is read however
 * short the time, so that going on by the cursors comes to the end.
 */
export async function searchPage<Row>(
  request: FlowsRequest,
  context: QueryContext,
  { budgetMs, now }: SearchTime,
  read: (plan: FlowsPlan) => Promise<readonly Row[]>,
): Promise<Result<SearchedPage<Row>>> {
  const whole = planFlows(request, context);
  if (!whole.ok) return whole;
  const plan = whole.value;
  const { direction, limit } = plan;
  const until = now() + budgetMs;
  const rows: Row[] = [];
  let rest = plan.range;
  let before: SearchedStretch | undefined;
  while (rows.length <= limit) {
    const window = nextStretch(rest, direction, before);
    if (window === undefined) break;
    const missing = limit - rows.length;
    const size = direction === 'forward' ? { first: missing } : { last: missing };
    const stretch = planFlows({ ...request, ...size, within: window }, context);
    if (!stretch.ok) return stretch;
    const began = now();
    rows.push(...(await read(stretch.value)));
    before = { window, millis: now() - began, leftMs: until - now() };
    rest = restBehind(rest, window, direction);
  }
  const searched = rows.length > limit || rest.fromNs >= rest.toNs;
  return done({ plan, rows, unsearched: searched ? undefined : rest });
}
