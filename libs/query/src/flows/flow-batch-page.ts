import type { ColumnBatch } from '@flowledger/model';
import { BatchColumns } from '../live/batch-columns.js';
import type { ColumnReader } from './column-reader.js';
import type { FlowRecord } from './flow-record.js';
import type { FlowsPlan } from './plan-flows.js';
import { flowReader } from './read-flow.js';

/** Columns that hold ids of label sets. */
const LABEL_SETS = ['src_label_set', 'dst_label_set', 'node_label_set'];

interface Block {
  readonly rows: number;
  readonly read: (row: number) => FlowRecord;
  readonly labelSets: readonly ColumnReader[];
}

/**
 * A page planned as `binary`: flows in ascending time, made one by one when they are asked for. The columns take a fifth of
 * the memory of the flows, and flows that are dropped soon cost the collector least.
 */
export class FlowBatchPage {
  /** Flows of the page; the surplus row only tells whether there is more. */
  readonly length: number;
  /** There are more flows behind the page; known of pages that go forward. */
  readonly hasNextPage: boolean;
  readonly #blocks: readonly Block[];
  readonly #forward: boolean;

  constructor(batches: readonly ColumnBatch[], planned: FlowsPlan) {
    const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
    this.#forward = planned.direction === 'forward';
    this.length = Math.min(rows, planned.limit);
    this.hasNextPage = this.#forward ? rows > planned.limit : planned.resumed;
    this.#blocks = batches.map((batch) => {
      const columns = new BatchColumns(batch);
      return {
        rows: batch.rows,
        read: flowReader(columns),
        labelSets: LABEL_SETS.map((name) => columns.column(name)),
      };
    });
  }

  /** The flow at `index`, counted from the earliest; undefined beyond the page. */
  at(index: number): FlowRecord | undefined {
    if (index < 0 || index >= this.length) return undefined;
    let row = this.#forward ? index : this.length - 1 - index;
    for (const block of this.#blocks) {
      if (row < block.rows) return block.read(row);
      row -= block.rows;
    }
    return undefined;
  }

  /** The flows from `start` to before `end`. */
  slice(start: number, end: number): readonly FlowRecord[] {
    const flows: FlowRecord[] = [];
    for (let index = start; index < end; index++) {
      const flow = this.at(index);
      if (flow !== undefined) flows.push(flow);
    }
    return flows;
  }

  /** Ids of the label sets of all flows, and of the surplus row. */
  labelSets(): ReadonlySet<bigint> {
    const found = new Set<bigint>();
    for (const { rows, labelSets } of this.#blocks)
      for (const column of labelSets) for (let row = 0; row < rows; row++) found.add(column.bigint(row));
    return found;
  }
}
