import type { FlowRecord } from '../flows/flow-record.js';
import type { Side } from '../group/dimensions.js';
import type { Missing } from '../missing.js';
import type { PolicyRef } from '../policies.js';

/** What caused a drop. */
export type DropKind = 'EXPLICIT_DENY' | 'DEFAULT_DENY' | 'L7_DENY' | 'NOT_POLICY' | 'UNDETERMINED';

/**
 * How sure a statement is. EXACT: recorded by the datapath. STRONG: two records joined by addresses and time. MEDIUM and
 * WEAK: happened shortly before, which need not be a cause.
 */
export type EvidenceLevel = 'EXACT' | 'STRONG' | 'MEDIUM' | 'WEAK';

/** One statement of an explanation and the flow that shows it. */
export interface Evidence {
  readonly statement: string;
  readonly level: EvidenceLevel;
  readonly flow: FlowRecord | null;
}

/** An agent event: a policy or an endpoint changed. */
export interface ChangeEvent {
  readonly timeNs: bigint;
  /** Name of the agent event, for example `POLICY_UPDATED`. */
  readonly kind: string;
  /** The policy or endpoint, as well as the event names it. */
  readonly object: string;
  readonly text: string;
}

/** Why a flow was dropped: `DropExplanation` of the schema. */
export interface DropExplanation {
  readonly flow: FlowRecord;
  /** One sentence. */
  readonly conclusion: string;
  readonly kind: DropKind;
  /** Side whose node dropped it: CLIENT for egress, SERVER for ingress, NONE when not known. */
  readonly enforcedAt: Side;
  readonly policies: readonly PolicyRef[];
  readonly evidence: readonly Evidence[];
  /** Oldest first. */
  readonly precedingChanges: readonly ChangeEvent[];
  readonly remedy: string | null;
  /** A CiliumNetworkPolicy that would allow it; null = see `missing`. */
  readonly draftPolicy: string | null;
  /** Drops with the same reason between the same workloads in the 24 hours before. */
  readonly similarBefore: bigint;
  readonly missing: readonly Missing[];
}
