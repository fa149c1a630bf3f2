import {
  planSamples,
  readFlow,
  type FlowFilters,
  type FlowRow,
  type GroupKey,
  type Question,
  type Window,
} from '@flowledger/query';
import type { RequestScope } from '../request/request-scope.js';
import { flowView, type FlowView } from './flow-view.js';
import { planned } from './planned.js';

/** The question that a group belongs to: what its flows are found by. */
export interface GroupOrigin {
  readonly question: Question;
  readonly window: Window;
  readonly keys: readonly GroupKey[];
  readonly filters: FlowFilters | null;
  /** Bytes of the policies of this group, where it was grouped by policy. */
  readonly policies?: readonly string[];
}

/** The newest flows of a group. */
export async function samplesOf(
  scope: RequestScope,
  origin: GroupOrigin,
  groupId: string,
  first: number | null | undefined,
): Promise<readonly FlowView[]> {
  const wanted = first ?? 3;
  const plan = planned(planSamples({ ...origin, groupId, first: wanted }, scope.planning));
  if (wanted === 0) return [];
  const result = await scope.query<FlowRow>(plan);
  return result.rows.map((row) => flowView(readFlow(row)));
}
