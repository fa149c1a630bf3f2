import { dropReasonText } from '../drops/drop-reasons.js';
import type { FlowRecord } from '../flows/flow-record.js';
import type { Side } from '../group/dimensions.js';
import type { Missing } from '../missing.js';
import { policyText } from '../policies.js';
import type { PolicyRef } from '../policies.js';
import { dropEvidence } from './drop-evidence.js';
import type { DropExplanation, DropKind } from './drop-explanation.js';
import { dropKind, isPolicyKind } from './drop-kind.js';
import { callText, requestText } from './flow-text.js';
import { enforcedSide } from './read-drop-facts.js';
import type { PrecedingChanges, SimilarDrops } from './read-drop-facts.js';

/** Everything an explanation is made of; `flow` was dropped (`planDropExplanation` checks it). */
export interface DropFacts {
  readonly flow: FlowRecord;
  /** Policy verdict of the same packet, if one was found. */
  readonly twin: FlowRecord | null;
  readonly similar: SimilarDrops;
  readonly changes: PrecedingChanges;
}

const DIRECTION: Readonly<Record<Side, string>> = {
  CLIENT: 'at the client’s egress',
  SERVER: 'at the server’s ingress',
  NONE: 'in an unknown direction',
};

/** Policies that the records name, each once; a denied packet is nobody's permission, so only what denied it counts. */
function namedPolicies({ flow, twin }: DropFacts): readonly PolicyRef[] {
  const denied = [...flow.policies, ...(twin?.policies ?? [])].filter((policy) => policy.effect === 'DENIED');
  return [...new Map(denied.map((policy) => [policyText(policy), policy])).values()];
}

function conclusionOf(flow: FlowRecord, kind: DropKind, policies: readonly PolicyRef[]): string {
  const call = callText(flow);
  const where = DIRECTION[enforcedSide(flow)];
  const names = policies.map(policyText).join(', ');
  const reason = dropReasonText(flow.dropReason);
  switch (kind) {
    case 'EXPLICIT_DENY':
      return names === ''
        ? `A deny rule refused ${call} ${where}; the records do not name its policy.`
        : `${names} refused ${call} ${where} by a deny rule, which beats every allow rule.`;
    case 'DEFAULT_DENY':
      return `No policy allows ${call}: it was refused by default ${where}${names === '' ? '' : ` (${names})`}.`;
    case 'L7_DENY':
      return `The proxy refused ${requestText(flow) || 'the request'} from ${call} ${where}: no L7 rule allows it.`;
    case 'NOT_POLICY':
      return reason.failure
        ? `No policy refused ${call}, the packet was dropped for another reason: ${reason.text}.`
        : `Nothing failed between ${call}: ${reason.text}.`;
    case 'UNDETERMINED':
      return `The records do not tell why ${call} was dropped: ${reason.text}.`;
  }
}

function missingOf(facts: DropFacts, kind: DropKind, policies: readonly PolicyRef[]): readonly Missing[] {
  const missing: Missing[] = [];
  const lacks = (path: string, hint: string): void => {
    missing.push({ path, reason: 'NOT_MEASURED_BY_SOURCE', hint });
  };
  if (kind === 'EXPLICIT_DENY' && policies.length === 0)
    lacks(
      'policies',
      facts.twin === null && facts.flow.policies.length === 0
        ? 'no policy verdict was recorded within 1 s of the drop: enable policy verdict events in Hubble'
        : 'the policy verdict names no policy: Cilium 1.17 and later fill the names',
    );
  if (kind === 'DEFAULT_DENY' && policies.length === 0)
    lacks(
      'policies',
      'a default deny names no policy: list the policies that select the endpoint; none of them allows this',
    );
  if (kind === 'L7_DENY')
    lacks('policies', 'the proxy does not name the policy: look for L7 rules on this port');
  if (isPolicyKind(kind))
    lacks('draftPolicy', 'not available yet: write the rule by hand as the remedy says');
  if (!facts.changes.recorded)
    lacks(
      'precedingChanges',
      'no agent event of this node was recorded in the day before: Relay does not pass them on, export them from the agent',
    );
  return missing;
}

/**
 * Explains a drop from recorded facts only: what decided, where, by which policy, since when, and what changed before.
 * Pure; what the records cannot tell is in `missing`.
 */
export function explainDrop(facts: DropFacts): DropExplanation {
  const { flow, similar, changes } = facts;
  const kind = dropKind(flow);
  const policies = namedPolicies(facts);
  return {
    flow,
    conclusion: conclusionOf(flow, kind, policies),
    kind,
    enforcedAt: enforcedSide(flow),
    policies,
    evidence: dropEvidence({ ...facts, policies }),
    precedingChanges: changes.events,
    remedy: kind === 'UNDETERMINED' ? null : dropReasonText(flow.dropReason).remedy,
    draftPolicy: null,
    similarBefore: similar.count,
    missing: missingOf(facts, kind, policies),
  };
}
