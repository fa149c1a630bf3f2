import { HINT_ROWS, HINT_SECONDS, HINT_VALUES } from './plan-hints.js';
import type { HintsPlan } from './plan-hints.js';

/** A row of the hints statement. */
export interface HintRow {
  readonly value: string;
  readonly flow_total: string;
  readonly seen: string;
  readonly distinct_values: string;
}

/** A value that occurs, as the filter field takes it: `namespace/pod`, `cluster/node`, `Kind/workload`, `key: value`. */
export interface FilterHint {
  readonly value: string;
  /** Flows that hold it. */
  readonly flows: bigint;
}

/** Values of a field, most frequent first. */
export interface FilterHints {
  readonly hints: readonly FilterHint[];
  /** There are more values than the list shows. */
  readonly truncated: boolean;
  /** False when a bound ended the counting: then counts are lower bounds, and a rare value may be missing. */
  readonly exact: boolean;
}

/** The time of the statement ran out before it had anything to answer: ask again about `newestPart`. */
export function ranOut(rows: readonly HintRow[], elapsedMs: number): boolean {
  return rows.length === 0 && elapsedMs >= HINT_SECONDS * 1000;
}

/** Reads the values of a plan; `elapsedMs` is the time that the store took. */
export function readHints(rows: readonly HintRow[], planned: HintsPlan, elapsedMs: number): FilterHints {
  const { limit, prefix, name } = planned;
  const [first] = rows;
  const whole =
    first === undefined || (Number(first.seen) <= HINT_ROWS && Number(first.distinct_values) < HINT_VALUES);
  const hints = rows
    .map(({ value, flow_total: flows }) => ({ value: name?.(value) ?? value, flows: BigInt(flows) }))
    .filter(({ value }) => value.startsWith(prefix));
  return {
    hints: hints.slice(0, limit),
    truncated: hints.length > limit,
    exact: whole && elapsedMs < HINT_SECONDS * 1000,
  };
}
