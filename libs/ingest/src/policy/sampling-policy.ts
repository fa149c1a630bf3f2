import type { FlowLook } from '@flowledger/model';

/** What made a flow, as a policy names it. `event_type` numbers of Hubble's monitor. */
export const FLOW_KINDS = { drop: 1, capture: 3, trace: 4, verdict: 5, socket: 7, l7: 129 } as const;

/** Name of a kind. */
export type FlowKind = keyof typeof FLOW_KINDS;

/** What is never sampled, unless a policy says so: each is rare, or an answer depends on every single one. */
export type Protected = 'drops' | 'verdicts' | 'syn' | 'l7';

/** One rule: flows that fit all its lists are kept one in `rate`. */
export interface SamplingRule {
  readonly rate: number;
  /** `Verdict` numbers; empty: any. */
  readonly verdicts: ReadonlySet<number>;
  /** Namespaces, of either side; empty: any. */
  readonly namespaces: ReadonlySet<string>;
  /** `event_type` numbers; empty: any. */
  readonly kinds: ReadonlySet<number>;
}

/** Which flows are taken in, and how many of them. */
export interface SamplingPolicy {
  /** Only flows with one of these namespaces on either side are taken in; empty: all. */
  readonly namespaces: ReadonlySet<string>;
  readonly protect: ReadonlySet<Protected>;
  /** The first that fits decides. */
  readonly rules: readonly SamplingRule[];
}

/** Why a flow is left out. */
export type LeftOut = 'namespace' | 'sampled';

const DROPPED = 2;
const ERROR = 3;
const AUDIT = 4;

/**
 * How many flows this one stands for, or why it is left out. Pure: it depends on the policy and the flow alone, so every
 * source, replica and repetition decides alike.
 */
export function decide(policy: SamplingPolicy, flow: FlowLook): number | LeftOut {
  const { namespaces, rules } = policy;
  if (namespaces.size > 0 && !touches(namespaces, flow)) return 'namespace';
  if (rules.length === 0 || isProtected(policy.protect, flow)) return 1;
  for (const rule of rules) {
    if (!fits(rule, flow)) continue;
    return flow.hash % rule.rate === 0 ? rule.rate : 'sampled';
  }
  return 1;
}

function touches(namespaces: ReadonlySet<string>, flow: FlowLook): boolean {
  return namespaces.has(flow.sourceNamespace) || namespaces.has(flow.destinationNamespace);
}

function isProtected(protect: ReadonlySet<Protected>, flow: FlowLook): boolean {
  const { verdict, eventType } = flow;
  const dropped = verdict === DROPPED || verdict === ERROR || verdict === AUDIT;
  return (
    (protect.has('drops') && (dropped || eventType === FLOW_KINDS.drop)) ||
    (protect.has('verdicts') && eventType === FLOW_KINDS.verdict) ||
    (protect.has('syn') && flow.syn) ||
    (protect.has('l7') && (flow.l7 || eventType === FLOW_KINDS.l7))
  );
}

function fits({ verdicts, namespaces, kinds }: SamplingRule, flow: FlowLook): boolean {
  return (
    (verdicts.size === 0 || verdicts.has(flow.verdict)) &&
    (kinds.size === 0 || kinds.has(flow.eventType)) &&
    (namespaces.size === 0 || touches(namespaces, flow))
  );
}
