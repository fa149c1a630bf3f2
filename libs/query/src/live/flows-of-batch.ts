import type { ColumnReader } from '../flows/column-reader.js';
import type { ColumnBatch, ProjectedBatches } from '@flowledger/model';
import { flowReader } from '../flows/read-flow.js';
import { BatchColumns } from './batch-columns.js';
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
  const columns = new BatchColumns(flows);
  const read = flowReader(columns);
  const [tenants, nodeSets] = [columns.column('tenant'), columns.column('node_label_set')];
  const found: { offset: bigint; flows: LabelledFlow[] }[] = [];
  let open: { offset: bigint; flows: LabelledFlow[] } | undefined;
  for (let row = 0; row < flows.rows; row++) {
    if (tenants.text(row) !== tenant) continue;
    const flow = read(row);
    const { offset } = flow.position;
    if (open?.offset !== offset) found.push((open = { offset, flows: [] }));
    open.flows.push({
      flow,
      sourceLabels: labels.get(flow.source.labelSet) ?? NO_LABELS,
      destinationLabels: labels.get(flow.destination.labelSet) ?? NO_LABELS,
      nodeLabels: labels.get(nodeSets.text(row)) ?? NO_LABELS,
    });
  }
  return found;
}

function labelsById(labelSets: ColumnBatch): ReadonlyMap<string, readonly string[]> {
  const columns = new BatchColumns(labelSets);
  const [ids, lists] = [columns.column('id'), columns.column('labels')];
  const found = new Map<string, readonly string[]>();
  for (let row = 0; row < labelSets.rows; row++) found.set(ids.text(row), lists.list(row));
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
  const columns = new BatchColumns(events);
  const of = (name: string): ColumnReader => columns.column(name);
  const found: RecordLoss[] = [];
  for (let row = 0; row < events.rows; row++) {
    if (of('kind').text(row) !== 'lost_events' || of('tenant').text(row) !== tenant) continue;
    const timeNs = of('bucket_ns').bigint(row);
    const [first, last] = [of('first_time').bigint(row), of('last_time').bigint(row)];
    found.push({
      offset: of('_lo').bigint(row),
      source: of('type').number(row),
      node: of('node').text(row),
      count: of('count').bigint(row),
      fromNs: first === 0n ? timeNs : first,
      toNs: last === 0n ? timeNs : last,
    });
  }
  return found;
}
