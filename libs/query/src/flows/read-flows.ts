import type { Window } from '../window.js';
import { encodeCursor, type FlowPosition } from './flow-cursor.js';
import { stoppedAt } from './flow-search.js';
import { RowColumns, type ColumnReaders } from './column-reader.js';
import { flowReader } from './read-flow.js';
import type { FlowRecord, FlowRow } from './flow-record.js';
import type { FlowsPlan } from './plan-flows.js';

/** A page of flows in ascending time. */
export interface FlowPage {
  readonly flows: readonly FlowRecord[];
  /** One cursor a flow. */
  readonly cursors: readonly string[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** Cursors of the page's ends: of its first and last flow, or of where a search stopped before it was full. */
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

/**
 * Turns the rows of a planned page into the page; the surplus row only tells whether there is more. `unsearched` is what a
 * search left of the window: then there may be more however few were found.
 */
export function readFlows(rows: readonly FlowRow[], planned: FlowsPlan, unsearched?: Window): FlowPage {
  return pageOf(readAll(new RowColumns(rows), rows.length), planned, unsearched);
}

function readAll(columns: ColumnReaders, rows: number): readonly FlowRecord[] {
  const read = flowReader(columns);
  return Array.from({ length: rows }, (_, row) => read(row));
}

function pageOf(read: readonly FlowRecord[], planned: FlowsPlan, unsearched: Window | undefined): FlowPage {
  const { direction, filterHash, limit, resumed } = planned;
  const full = read.length > limit;
  const more = full || unsearched !== undefined;
  const kept = read.slice(0, limit);
  const forward = direction === 'forward';
  const flows = forward ? kept : kept.toReversed();
  const stopped = full || unsearched === undefined ? undefined : stoppedAt(unsearched, direction);
  const cursorAt = (position: FlowPosition | undefined): string | null =>
    position === undefined ? null : encodeCursor(position, filterHash);
  const [start, end] = [flows[0]?.position, flows.at(-1)?.position];
  return {
    flows,
    // Made when asked for: not every answer shows them.
    get cursors() {
      return flows.map((flow) => encodeCursor(flow.position, filterHash));
    },
    hasNextPage: forward ? more : resumed,
    hasPreviousPage: forward ? resumed : more,
    startCursor: cursorAt(forward ? start : (stopped ?? start)),
    endCursor: cursorAt(forward ? (stopped ?? end) : end),
  };
}

/** A count that stopped at a cap. */
export interface CappedCount {
  readonly value: number;
  readonly capped: boolean;
}

/** Reads the row of `planFlowCount`. */
export function readFlowCount(rows: readonly { readonly value: string }[], upTo: number): CappedCount {
  const value = Number(rows[0]?.value ?? 0);
  return { value: Math.min(value, upTo), capped: value > upTo };
}

/** Reads the rows of `planLabels` to labels by label set id (decimal). */
export function readLabels(
  rows: readonly { readonly id: string; readonly labels: readonly string[] }[],
): ReadonlyMap<string, readonly string[]> {
  return new Map(rows.map((row) => [row.id, row.labels]));
}
