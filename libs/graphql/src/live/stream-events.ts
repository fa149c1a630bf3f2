import type { LabelledFlow, LiveStep, LogCursor } from '@flowledger/query';
import type { RequestScope } from '../request/request-scope.js';
import { flowView, type FlowView } from '../resolvers/flow-view.js';

/** `FlowStreamEvent` of the schema. */
export type StreamEvent =
  | { readonly __typename: 'FlowBatch'; readonly flows: readonly FlowView[]; readonly cursor: string }
  | { readonly __typename: 'CaughtUp'; readonly at: bigint; readonly cursor: string }
  | {
      readonly __typename: 'Missed';
      readonly count: bigint;
      readonly reason: string;
      readonly from: bigint;
      readonly to: bigint;
      readonly resumeCursor: string;
    };

/** Flows of one batch at most. */
export const BATCH_FLOWS = 500;

/** A batch of live flows; the scope whose resolvers show them is told that they are live. */
export function liveBatch(
  flows: readonly LabelledFlow[],
  cursor: string,
  shownBy: RequestScope,
): StreamEvent {
  shownBy.takeLive(flows);
  return { __typename: 'FlowBatch', flows: flows.map(({ flow }) => flowView(flow)), cursor };
}

/** What a step says besides flows. */
export function eventOf(
  step: Exclude<LiveStep, { kind: 'flows' }>,
  encode: (cursor: LogCursor) => string,
): StreamEvent {
  if (step.kind === 'caught_up')
    return { __typename: 'CaughtUp', at: step.atNs, cursor: encode(step.cursor) };
  const { count, reason, fromNs, toNs, resume } = step;
  return { __typename: 'Missed', count, reason, from: fromNs, to: toNs, resumeCursor: encode(resume) };
}

/** The cursor behind some flows that follow a cursor in log order. */
export function behind(cursor: LogCursor, flows: readonly LabelledFlow[]): LogCursor {
  const partitions = [...cursor.partitions];
  for (const { flow } of flows) {
    const { partition, offset, index } = flow.position;
    partitions[partition] = { offset, event: index + 1 };
  }
  return { epoch: cursor.epoch, partitions };
}
