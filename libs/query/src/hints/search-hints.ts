import type { QueryContext } from '../query-plan.js';
import { done } from '../result.js';
import type { Result } from '../result.js';
import { MINUTE_NS, type Window } from '../window.js';
import { HINT_ROWS, HINT_SECONDS, newestPart, planHints } from './plan-hints.js';
import type { HintsPlan, HintsRequest } from './plan-hints.js';
import { ranOut, type HintRow } from './read-hints.js';

/** What is read first of a window that is longer than {@link PROBED_NS}. */
const PROBE_NS = 10n * MINUTE_NS;
const PROBED_NS = 120n * MINUTE_NS;
/** A statement costs this much when it reads nothing, ms. */
const STATEMENT_MS = 25;
/** Share of the statement's time that is planned for: the probe may have been lucky. */
const PLANNED = 0.7;
/** Times that a shorter window is tried when the statement ran out of time all the same. */
const MOST_TRIES = 3;

/** What a statement of hints answers, as far as the search looks at it. */
export interface HintsResult {
  readonly rows: readonly HintRow[];
  /** Engine time, ms. */
  readonly elapsedMs: number;
}

/** Values of the whole window, or of the newest part of it that can be read while somebody types. */
export interface SearchedHints<Read extends HintsResult> {
  /** What was answered. */
  readonly plan: HintsPlan;
  /** Of the window that was asked for. */
  readonly whole: HintsPlan;
  readonly result: Read;
}

/**
 * The newest part of a window that can be read in the time of a statement, by what its newest ten minutes took: time goes
 * with the rows read, and a statement that has counted all it may ends before.
 */
export function readablePart(window: Window, { rows, elapsedMs }: HintsResult): Window {
  const width = Number(window.toNs - window.fromNs);
  const seen = Math.max(1, Number(rows[0]?.seen ?? 0));
  const probeMs = Math.max(1, elapsedMs - STATEMENT_MS);
  const untilFull = HINT_ROWS / seen;
  const inTime = (HINT_SECONDS * 1000 * PLANNED - STATEMENT_MS) / probeMs;
  if (untilFull <= inTime) return window;
  const part = Math.max(1, inTime) * Number(PROBE_NS);
  return part >= width ? window : { fromNs: window.toNs - BigInt(Math.round(part)), toNs: window.toNs };
}

/** Searches values of a filter field; `read` runs one statement. Refuses as `planHints` does. */
export async function searchHints<Read extends HintsResult>(
  request: HintsRequest,
  context: QueryContext,
  read: (plan: HintsPlan) => Promise<Read>,
): Promise<Result<SearchedHints<Read>>> {
  const whole = planHints(request, context);
  if (!whole.ok) return whole;
  const { window } = whole.value;
  const planOf = (part: Window): Result<HintsPlan> => planHints({ ...request, window: part }, context);
  let plan: Result<HintsPlan> = whole;
  if (window.toNs - window.fromNs > PROBED_NS) {
    const probe = planOf({ fromNs: window.toNs - PROBE_NS, toNs: window.toNs });
    if (!probe.ok) return probe;
    const part = readablePart(window, await read(probe.value));
    if (part !== window) plan = planOf(part);
  }
  for (let tries = 1; ; tries++) {
    if (!plan.ok) return plan;
    const result = await read(plan.value);
    if (tries === MOST_TRIES || !ranOut(result.rows, result.elapsedMs))
      return done({ plan: plan.value, whole: whole.value, result });
    plan = planOf(newestPart(plan.value.window));
  }
}
