import type { ColumnBatch, ProjectedBatches } from '@flowledger/model';
import { readFlowCells } from '../flows/read-flow.js';
import { BatchCells } from './batch-cells.js';
import type { LabelledFlow } from './live-flows.js';

const NO_LABELS: readonly string[] = [];

/** Flows of one log record, in the order of its events. */
export interface RecordFlows {
  readonly offset: bigint;
  readonly flows: readonly LabelledFlow[];
}

/**
 * The flows that decoded records hold for one tenant, as the store would answer them once they are loaded; without the
 * detour over the store. Records without a flow are absent. Pure.
 */
export function flowsOfBatch(batches: ProjectedBatches, tenant: string): readonly RecordFlows[] {
  const { flows, labelSets } = batches;
  if (flows.rows === 0) return [];
  const labels = labelsById(labelSets);
  const cells = new BatchCells(flows);
  const found: { offset: bigint; flows: LabelledFlow[] }[] = [];
  let open: { offset: bigint; flows: LabelledFlow[] } | undefined;
  for (let row = 0; row < flows.rows; row++) {
    cells.row = row;
    if (cells.text('tenant') !== tenant) continue;
    const flow = readFlowCells(cells);
    const { offset } = flow.position;
    if (open?.offset !== offset) found.push((open = { offset, flows: [] }));
    open.flows.push({
      flow,
      sourceLabels: labels.get(flow.source.labelSet) ?? NO_LABELS,
      destinationLabels: labels.get(flow.destination.labelSet) ?? NO_LABELS,
      nodeLabels: labels.get(cells.text('node_label_set')) ?? NO_LABELS,
    });
  }
  return found;
}

function labelsById(labelSets: ColumnBatch): ReadonlyMap<string, readonly string[]> {
  const cells = new BatchCells(labelSets);
  const found = new Map<string, readonly string[]>();
  for (let row = 0; row < labelSets.rows; row++) {
    cells.row = row;
    found.set(cells.text('id'), cells.list('labels'));
  }
  return found;
}

/** What the sources of one log record say they lost. */
export interface RecordLoss {
  readonly offset: bigint;
  /** LostEventSource number. */
  readonly source: number;
  readonly node: string;
  readonly count: bigint;
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** The lost events that decoded records report for one tenant. Pure. */
export function lossesOfBatch({ events }: ProjectedBatches, tenant: string): readonly RecordLoss[] {
  const cells = new BatchCells(events);
  const found: RecordLoss[] = [];
  for (let row = 0; row < events.rows; row++) {
    cells.row = row;
    if (cells.text('kind') !== 'lost_events' || cells.text('tenant') !== tenant) continue;
    const timeNs = BigInt(cells.text('bucket_ns'));
    const [first, last] = [BigInt(cells.text('first_time')), BigInt(cells.text('last_time'))];
    found.push({
      offset: BigInt(cells.text('_lo')),
      source: cells.number('type'),
      node: cells.text('node'),
      count: BigInt(cells.text('count')),
      fromNs: first === 0n ? timeNs : first,
      toNs: last === 0n ? timeNs : last,
    });
  }
  return found;
}
