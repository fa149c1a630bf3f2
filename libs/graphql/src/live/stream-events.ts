import type { FlowRecord, LabelledFlow, LiveStep, LogCursor } from '@flowledger/query';
import { flowView, type FlowView } from '../resolvers/flow-view.js';

/** `FlowBatch` of the schema; `explanations` are made when they are asked for. */
export interface FlowBatchEvent {
  readonly __typename: 'FlowBatch';
  readonly flows: readonly FlowView[];
  readonly explain: boolean;
  readonly cursor: string;
}

/** `FlowStreamEvent` of the schema. */
export type StreamEvent =
  | FlowBatchEvent
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

/** A batch of flows. */
export function batchOf(flows: readonly FlowRecord[], cursor: string, explain: boolean): FlowBatchEvent {
  return { __typename: 'FlowBatch', flows: flows.map((flow) => flowView(flow)), explain, cursor };
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
