import { ceilTo, floorTo, MINUTE_NS, type Window } from '../window.js';
import type { FlowPosition } from './flow-cursor.js';
import type { FlowsPlan } from './plan-flows.js';

/** The sort key's first step: stretches end where one ends, or the store reads it twice. */
const STEP_NS = 5n * MINUTE_NS;
/** First stretch of a search: 700,000 flows of a hundred million a day. */
const FIRST_NS = 10n * MINUTE_NS;
/** A stretch may be this much wider than the one before: its flows may lie closer together. */
const WIDEST = 16;
/** The same where there is no hurry, so that a month takes four statements. */
const WIDEST_AT_LEISURE = 64;
/** A statement costs at least this much when it reads nothing, ms: more would call its rows cheaper than they are. */
const STATEMENT_MS = 20;
/** Share of the time left that the next stretch may take by what the last one took. */
const SPENT = 0.7;

/** A stretch that was searched. */
export interface SearchedStretch {
  readonly window: Window;
  readonly millis: number;
  /** Time left for the search; Infinity where it goes to the end. */
  readonly leftMs: number;
}

/** How much wider than the last the next stretch may be; undefined when there is no time for one worth a statement. */
function widening({ millis, leftMs }: SearchedStretch): number | undefined {
  if (leftMs === Infinity) return WIDEST_AT_LEISURE;
  const rowsMs = Math.max(1, millis - STATEMENT_MS);
  const wider = (leftMs * SPENT - STATEMENT_MS) / rowsMs;
  return wider < 0.5 ? undefined : Math.min(WIDEST, wider);
}

/**
 * The stretch of `rest` to search next, from the end where the page begins; undefined when all was searched or the time is
 * up. Stretches are complete: every matching flow of one is found before the next is looked at, so that a page that ends
 * between two of them lacks none (design section 5: absent values widen the window step by step).
 */
export function nextStretch(
  rest: Window,
  direction: FlowsPlan['direction'],
  before?: SearchedStretch,
): Window | undefined {
  if (rest.fromNs >= rest.toNs) return undefined;
  if (before === undefined) return cut(rest, direction, FIRST_NS);
  const wider = widening(before);
  if (wider === undefined) return undefined;
  const width = before.window.toNs - before.window.fromNs;
  return cut(rest, direction, (width * BigInt(Math.round(wider * 100))) / 100n);
}

function cut({ fromNs, toNs }: Window, direction: FlowsPlan['direction'], width: bigint): Window {
  if (direction === 'forward') {
    const end = ceilTo(fromNs + width, STEP_NS);
    return { fromNs, toNs: end < toNs ? end : toNs };
  }
  const start = floorTo(toNs - width, STEP_NS);
  return { fromNs: start > fromNs ? start : fromNs, toNs };
}

/** What is left of `rest` behind a stretch of it. */
export function restBehind(rest: Window, stretch: Window, direction: FlowsPlan['direction']): Window {
  return direction === 'forward'
    ? { fromNs: stretch.toNs, toNs: rest.toNs }
    : { fromNs: rest.fromNs, toNs: stretch.fromNs };
}

const LAST = { logEpoch: (1n << 64n) - 1n, partition: 65_535, offset: (1n << 64n) - 1n, index: 0xffff_ffff };

/** Where a search that stopped before `rest` goes on: a place between flows, as good a cursor as that of a flow. */
export function stoppedAt(rest: Window, direction: FlowsPlan['direction']): FlowPosition {
  return direction === 'forward'
    ? { ...LAST, bucketNs: rest.fromNs - 1n }
    : { bucketNs: rest.toNs, logEpoch: 0n, partition: 0, offset: 0n, index: 0 };
}
