import { dropReasonText } from '../drops/drop-reasons.js';
import type { FlowRecord } from '../flows/flow-record.js';
import { policyText } from '../policies.js';
import type { PolicyRef } from '../policies.js';
import { MINUTE_NS } from '../window.js';
import type { ChangeEvent, Evidence } from './drop-explanation.js';
import { callText, requestText, spanText, timeText } from './flow-text.js';
import { isRefusedCall } from './plan-drop-explanation.js';
import type { PrecedingChanges, SimilarDrops } from './read-drop-facts.js';

/** What evidence is drawn from. */
export interface EvidenceFacts {
  readonly flow: FlowRecord;
  readonly twin: FlowRecord | null;
  readonly policies: readonly PolicyRef[];
  readonly similar: SimilarDrops;
  readonly changes: PrecedingChanges;
}

/** Below this distance a change of a policy is more than a coincidence. */
const CLOSE_NS = MINUTE_NS;

function observed(flow: FlowRecord): Evidence {
  const at = `at ${timeText(flow.timeNs)} on node ${flow.node || 'unknown'}`;
  const reason = dropReasonText(flow.dropReason);
  const named = reason.name === null ? `reason ${reason.number}` : `${reason.name} (${reason.number})`;
  const statement = isRefusedCall(flow)
    ? `the proxy refused ${requestText(flow) || 'a request'} from ${callText(flow)} ${at}`
    : `a packet from ${callText(flow)} was dropped ${at}: ${named}`;
  return { statement, level: 'EXACT', flow };
}

function judged({ flow, twin, policies }: EvidenceFacts): readonly Evidence[] {
  if (twin === null) return [];
  const names = policies.map(policyText).join(', ');
  const apart = twin.position.bucketNs - flow.position.bucketNs;
  const span = spanText(apart < 0n ? -apart : apart);
  const statement = `the policy verdict of the same connection, ${span} apart, names ${names || 'no policy'}`;
  return [{ statement, level: 'STRONG', flow: twin }];
}

function repeated({ flow, similar }: EvidenceFacts): Evidence {
  const statement =
    similar.count === 0n
      ? 'nothing of this kind was dropped between these workloads in the 24 h before'
      : `${similar.count} of this kind were dropped between these workloads in the 24 h before, the first at ${timeText(similar.firstSeenNs)}, ${spanText(flow.position.bucketNs - similar.firstSeenNs)} earlier`;
  return { statement, level: 'EXACT', flow: null };
}

function changed(change: ChangeEvent, { policies, similar }: EvidenceFacts): Evidence {
  const before = similar.firstSeenNs - change.timeNs;
  const named = policies.some((policy) => policyText(policy).endsWith(change.object));
  const close = change.kind.startsWith('POLICY_') && before <= CLOSE_NS;
  return {
    statement: `${change.object}: ${change.text}, ${spanText(before)} before the first of these drops`,
    level: named ? 'STRONG' : close ? 'MEDIUM' : 'WEAK',
    flow: null,
  };
}

/** The statements behind an explanation: the record, its policy verdict, earlier drops, and changes, oldest first. */
export function dropEvidence(facts: EvidenceFacts): readonly Evidence[] {
  return [
    observed(facts.flow),
    ...judged(facts),
    repeated(facts),
    ...facts.changes.events.map((change) => changed(change, facts)),
  ];
}
