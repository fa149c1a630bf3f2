import type { ParamBinder } from './param-binder.js';
import type { QueryContext } from './query-plan.js';
import { done, refuse } from './result.js';
import type { Result } from './result.js';

export const SECOND_NS = 1_000_000_000n;
export const MINUTE_NS = 60n * SECOND_NS;
export const HOUR_NS = 60n * MINUTE_NS;
export const DAY_NS = 24n * HOUR_NS;

/** 2100-01-01: later times are neither stored nor representable in the sort key's type. */
const LATEST_NS = 4_102_444_800n * SECOND_NS;

/** The window as asked for, ns. `fromNs`/`toNs` or `lastNs`, not both; nothing = the last hour. */
export interface WindowRequest {
  readonly fromNs?: bigint | null;
  readonly toNs?: bigint | null;
  readonly lastNs?: bigint | null;
}

/** A resolved window `[fromNs, toNs)`, ns since 1970; the answer echoes it. */
export interface Window {
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

function bounds(request: WindowRequest, nowNs: bigint): Window {
  const toNs = request.toNs ?? nowNs;
  return { fromNs: request.fromNs ?? toNs - (request.lastNs ?? HOUR_NS), toNs };
}

/**
 * Resolves a window. Only `toNs`: the hour before it; only `fromNs`: from there until now. Refuses BAD_WINDOW (both
 * forms, empty, reversed, before 1970 or after 2099) and WINDOW_TOO_WIDE.
 */
export function resolveWindow(
  request: WindowRequest | null | undefined,
  context: QueryContext,
  field = 'window',
): Result<Window> {
  const asked = request ?? {};
  const both = asked.lastNs !== undefined && asked.lastNs !== null;
  if (both && (asked.fromNs ?? asked.toNs ?? null) !== null)
    return refuse('BAD_WINDOW', field, 'give from and to, or last, not both');
  const window = bounds(asked, context.nowNs);
  if (window.fromNs >= window.toNs) return refuse('BAD_WINDOW', field, 'from must be before to');
  if (window.fromNs < 0n || window.toNs > LATEST_NS)
    return refuse('BAD_WINDOW', field, 'times from 1970 to 2099');
  const days = context.limits.maxWindowNs / DAY_NS;
  return window.toNs - window.fromNs > context.limits.maxWindowNs
    ? refuse('WINDOW_TOO_WIDE', field, `at most ${days} days`)
    : done(window);
}

/** Start of the step that holds a time; steps count from 1970. */
export function floorTo(timeNs: bigint, stepNs: bigint): bigint {
  return (timeNs / stepNs) * stepNs;
}

/** Start of the first step at or after a time. */
export function ceilTo(timeNs: bigint, stepNs: bigint): bigint {
  return floorTo(timeNs + stepNs - 1n, stepNs);
}

/**
 * Condition that keeps the rows of `flows` or `events` inside a window: on `bucket_time`, so a record with an
 * impossible time is found in the window of its reception, and on the sort key's five minutes (design section 5: 53
 * against 164 ms).
 */
export function rawRange(window: Window, binder: ParamBinder): string {
  const from = `fromUnixTimestamp64Nano(${binder.bind('Int64', window.fromNs)}, 'UTC')`;
  const to = `fromUnixTimestamp64Nano(${binder.bind('Int64', window.toNs)}, 'UTC')`;
  return [
    `bucket_time >= ${from} AND bucket_time < ${to}`,
    `toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(${from}) AND toStartOfFiveMinutes(${to})`,
  ].join(' AND ');
}

/** Condition for windows that lie side by side, each by `range`; as one term of an AND. */
export function anyRange(windows: readonly Window[], range: (window: Window) => string): string {
  const ranges = windows.map(range);
  return ranges.length === 1 ? ranges.join('') : `(${ranges.map((one) => `(${one})`).join(' OR ')})`;
}

/** From the first of some windows to the end of the last. */
export function spanOf(windows: readonly Window[]): Window {
  const fromNs = windows.map((window) => window.fromNs).reduce((a, b) => (a < b ? a : b));
  const toNs = windows.map((window) => window.toNs).reduce((a, b) => (a > b ? a : b));
  return { fromNs, toNs };
}

/** Condition on the `bucket` of a rollup for a window whose ends are whole buckets. */
export function rollupRange(window: Window, binder: ParamBinder): string {
  const from = binder.bind('Int64', window.fromNs / SECOND_NS);
  const to = binder.bind('Int64', window.toNs / SECOND_NS);
  return `bucket >= toDateTime(${from}, 'UTC') AND bucket < toDateTime(${to}, 'UTC')`;
}
