import { encodeCursor } from './flow-cursor.js';
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
}

/** Turns the rows of a planned page into the page; the surplus row only tells whether there is more. */
export function readFlows(rows: readonly FlowRow[], planned: FlowsPlan): FlowPage {
  return pageOf(readAll(new RowColumns(rows), rows.length), planned);
}

function readAll(columns: ColumnReaders, rows: number): readonly FlowRecord[] {
  const read = flowReader(columns);
  return Array.from({ length: rows }, (_, row) => read(row));
}

function pageOf(read: readonly FlowRecord[], planned: FlowsPlan): FlowPage {
  const more = read.length > planned.limit;
  const kept = read.slice(0, planned.limit);
  const flows = planned.direction === 'forward' ? kept : kept.toReversed();
  return {
    flows,
    // Made when asked for: not every answer shows them.
    get cursors() {
      return flows.map((flow) => encodeCursor(flow.position, planned.filterHash));
    },
    hasNextPage: planned.direction === 'forward' ? more : planned.resumed,
    hasPreviousPage: planned.direction === 'forward' ? planned.resumed : more,
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
