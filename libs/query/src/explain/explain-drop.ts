import { DROP_REASON, enumName, L4_PROTOCOL } from '@flowledger/model';
import { dropReasonText } from '../drops/drop-reasons.js';
import type { EndpointRecord, FlowRecord } from '../flows/flow-record.js';
import type { Side } from '../group/dimensions.js';
import type { Missing } from '../missing.js';
import { policyText } from '../policies.js';
import type { PolicyRef } from '../policies.js';
import { timeText } from '../time-text.js';
import { isDeniedCall, partiesOf } from './plan-explanation.js';
import { precedingChanges } from './preceding-changes.js';
import type { ChangeEvent, ChangeRow } from './preceding-changes.js';

/** A row of the drop history. */
export interface DropHistoryRow {
  readonly drop_count: string;
  readonly first_ns: string;
}

/** What kind of drop it was. */
export type DropKind = 'EXPLICIT_DENY' | 'DEFAULT_DENY' | 'L7_DENY' | 'NOT_POLICY' | 'UNDETERMINED';

/** How much a statement is worth: EXACT is in the data, the others are conclusions. */
export type EvidenceLevel = 'EXACT' | 'STRONG' | 'MEDIUM' | 'WEAK';

/** One statement behind the conclusion, with the flow that shows it. */
export interface Evidence {
  readonly statement: string;
  readonly level: EvidenceLevel;
  readonly flow: FlowRecord | null;
}

/** Why a packet or call was dropped. */
export interface DropExplanation {
  readonly flow: FlowRecord;
  readonly conclusion: string;
  readonly kind: DropKind;
  readonly enforcedAt: Side;
  readonly policies: readonly PolicyRef[];
  readonly evidence: readonly Evidence[];
  readonly precedingChanges: readonly ChangeEvent[];
  readonly remedy: string | null;
  readonly similarBefore: bigint;
  readonly firstSeenNs: bigint;
  readonly missing: readonly Missing[];
}

/** Everything known about a drop. */
export interface DropFacts {
  readonly drop: FlowRecord;
  /** The policy verdict of the same packet. */
  readonly twin: FlowRecord | null;
  readonly history: DropHistoryRow | null;
  /** Rows of `planChanges`; none means that agent events of the node are not recorded. */
  readonly changes: readonly ChangeRow[];
  /** Policies that stored objects blame, for a verdict that names none. */
  readonly blamed?: readonly PolicyRef[];
  /** What stored policies say about it. */
  readonly judgement?: readonly Evidence[];
}

const POLICY_DENIED = 133;
const POLICY_DENY = 181;
const AUTH_REQUIRED = 189;

/** A number that is newer than our table may well be a policy's: it decides nothing. */
function kindOf(drop: FlowRecord): DropKind {
  if (isDeniedCall(drop)) return 'L7_DENY';
  if (drop.dropReason === POLICY_DENY) return 'EXPLICIT_DENY';
  if (drop.dropReason === POLICY_DENIED) return 'DEFAULT_DENY';
  const undecided = drop.dropReason === 0 || drop.dropReason === AUTH_REQUIRED;
  return undecided || dropReasonText(drop.dropReason).name === null ? 'UNDETERMINED' : 'NOT_POLICY';
}

function enforcedAt(drop: FlowRecord): Side {
  if (drop.trafficDirection === 1) return 'SERVER';
  return drop.trafficDirection === 2 ? 'CLIENT' : 'NONE';
}

/** Namespace of the endpoint whose policies decided; '' when the record does not tell which side that is. */
function enforcedNamespace(drop: FlowRecord): string {
  const side = enforcedAt(drop);
  const { client, server } = partiesOf(drop);
  return side === 'NONE' ? '' : (side === 'CLIENT' ? client : server).namespace;
}

function nameOf(endpoint: EndpointRecord): string {
  const named = endpoint.workload || endpoint.pod || endpoint.names[0] || endpoint.ip || 'unknown';
  return endpoint.namespace === '' ? named : `${endpoint.namespace}/${named}`;
}

const WHERE: Readonly<Record<Side, string>> = {
  SERVER: ' at the server’s ingress',
  CLIENT: ' at the client’s egress',
  NONE: '',
};

function causeOf(drop: FlowRecord, kind: DropKind, policies: readonly PolicyRef[]): string {
  const names = [...new Set(policies.map(policyText))].join(', ');
  if (kind === 'EXPLICIT_DENY')
    return names === '' ? 'an explicit deny rule matched' : `denied explicitly by ${names}`;
  if (kind === 'DEFAULT_DENY')
    return names === ''
      ? 'no policy rule allows it, and the endpoint is in default deny'
      : `no policy rule allows it; the endpoint is selected by ${names}`;
  if (kind === 'L7_DENY') return 'the proxy refused the call by an L7 rule';
  return dropReasonText(drop.dropReason).text;
}

function conclusionOf(drop: FlowRecord, kind: DropKind, policies: readonly PolicyRef[]): string {
  const { client, server } = partiesOf(drop);
  const protocol = drop.l4Protocol === 0 ? '' : ` ${enumName(L4_PROTOCOL, drop.l4Protocol)}`;
  const port = drop.serverPort === 0 ? '' : ` port ${drop.serverPort}`;
  const called = drop.endpoint === '' ? '' : ` (${drop.endpoint})`;
  const where = WHERE[enforcedAt(drop)];
  const cause = causeOf(drop, kind, policies);
  return `${nameOf(client)} to ${nameOf(server)}${protocol}${port}${called} was dropped on node ${drop.node}${where}: ${cause}.`;
}

function dropEvidence(drop: FlowRecord): Evidence {
  const reason = `${enumName(DROP_REASON, drop.dropReason)} (${drop.dropReason})`;
  const what = isDeniedCall(drop) ? 'the proxy denied the call' : `drop reason ${reason}`;
  const source = drop.file === null ? '' : `, ${drop.file.name}:${drop.file.line}`;
  return {
    statement: `${timeText(drop.timeNs)} on node ${drop.node}: ${what}${source}`,
    level: 'EXACT',
    flow: drop,
  };
}

function twinEvidence(drop: FlowRecord, twin: FlowRecord): Evidence {
  const apart = Math.abs(Number(twin.timeNs - drop.timeNs)) / 1000;
  const names = twin.policies.map(policyText).join(', ');
  const named = names === '' ? 'names no policy' : `names ${names}`;
  const statement = `the policy verdict of the same node and connection, ${apart} µs apart, ${named}`;
  return { statement, level: 'STRONG', flow: twin };
}

function changeEvidence(change: ChangeEvent, firstSeenNs: bigint): Evidence {
  const seconds = Number(firstSeenNs - change.timeNs) / 1e9;
  const statement = `${change.kind} of ${change.object}, ${seconds.toFixed(1)} s before the first drop of this kind`;
  return { statement, level: change.kind.startsWith('POLICY_') ? 'MEDIUM' : 'WEAK', flow: null };
}

function missingOf(kind: DropKind, facts: DropFacts, policies: readonly PolicyRef[]): readonly Missing[] {
  const byPolicy = kind === 'DEFAULT_DENY' || kind === 'EXPLICIT_DENY';
  const missing: Missing[] = [];
  if (facts.changes.length === 0)
    missing.push({
      path: 'precedingChanges',
      reason: 'NOT_MEASURED_BY_SOURCE',
      hint: 'no agent event of this node was recorded in the day before: Relay does not pass them on, export them from the agent',
    });
  if (kind === 'L7_DENY')
    missing.push({
      path: 'policies',
      reason: 'NOT_MEASURED_BY_SOURCE',
      hint: 'Hubble names no policy for calls that the proxy denied',
    });
  else if (byPolicy && policies.length === 0)
    missing.push({
      path: 'policies',
      reason: 'NOT_MEASURED_BY_SOURCE',
      hint:
        facts.twin === null
          ? 'no policy verdict of this packet was recorded'
          : 'the verdict names no policy: Cilium up to 1.19 does so for a default deny',
    });
  return missing;
}

/** Explains a drop from the facts at hand; says what is missing instead of guessing. */
export function explainDrop(facts: DropFacts): DropExplanation {
  const { drop, twin, history } = facts;
  const kind = kindOf(drop);
  const named = (twin ?? drop).policies.filter((policy) => policy.effect !== 'ALLOWED');
  const policies = named.length > 0 || kind === 'L7_DENY' ? named : (facts.blamed ?? []);
  const similarBefore = BigInt(history?.drop_count ?? '0');
  const firstSeenNs = similarBefore > 0n ? BigInt(history?.first_ns ?? '0') : drop.position.bucketNs;
  const changes = precedingChanges(facts.changes, firstSeenNs, enforcedNamespace(drop));
  const before =
    similarBefore === 0n
      ? 'nothing like it was dropped in the 24 h before'
      : `${similarBefore} like it were dropped in the 24 h before, the first at ${timeText(firstSeenNs)}`;
  return {
    flow: drop,
    conclusion: conclusionOf(drop, kind, policies),
    kind,
    enforcedAt: enforcedAt(drop),
    policies,
    evidence: [
      dropEvidence(drop),
      ...(twin === null ? [] : [twinEvidence(drop, twin)]),
      ...(facts.judgement ?? []),
      { statement: before, level: 'EXACT', flow: null },
      ...changes.map((change) => changeEvidence(change, firstSeenNs)),
    ],
    precedingChanges: changes,
    remedy: dropReasonText(drop.dropReason).remedy,
    similarBefore,
    firstSeenNs,
    missing: missingOf(kind, facts, named),
  };
}
