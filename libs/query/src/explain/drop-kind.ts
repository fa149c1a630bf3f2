import { dropReasonText } from '../drops/drop-reasons.js';
import type { FlowRecord } from '../flows/flow-record.js';
import type { DropKind } from './drop-explanation.js';
import { isRefusedCall } from './plan-drop-explanation.js';

/** `flow.DropReason` numbers that policies cause. */
const POLICY_DENIED = 133;
const POLICY_DENY = 181;
const UNKNOWN = 0;

/**
 * What caused a drop, by its record alone: the reason of the datapath decides, and a record of the proxy without one was
 * refused by an L7 rule (hubble note 7.1, 7.3). A reason newer than our table decides nothing.
 */
export function dropKind(flow: FlowRecord): DropKind {
  if (isRefusedCall(flow)) return 'L7_DENY';
  if (flow.dropReason === POLICY_DENY) return 'EXPLICIT_DENY';
  if (flow.dropReason === POLICY_DENIED) return 'DEFAULT_DENY';
  const known = dropReasonText(flow.dropReason).name !== null && flow.dropReason !== UNKNOWN;
  return known ? 'NOT_POLICY' : 'UNDETERMINED';
}

/** True for the kinds that a policy decides. */
export function isPolicyKind(kind: DropKind): boolean {
  return kind === 'EXPLICIT_DENY' || kind === 'DEFAULT_DENY' || kind === 'L7_DENY';
}
