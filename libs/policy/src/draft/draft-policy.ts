import { evaluate, matchEntry, rulesOf, selection, type Evaluation } from '../evaluate/evaluate.js';
import type { FlowView } from '../evaluate/flow-view.js';
import type { JsonObject } from '../json.js';
import { parsePolicies } from '../parse/parse-policies.js';
import { policyTitle, type Entry, type Policy, type PolicyName, type Rule } from '../policy.js';
import { allowPolicy, type Drafted, type EndNames } from './allow-rule.js';
import { narrowDeny } from './narrow-deny.js';
import type { Precision } from './peer-source.js';

/** Policy objects that would allow one connection, and the set of policies that there would be with them. */
export interface PolicyDraft {
  /** To apply, in order: changed policies first. */
  readonly documents: readonly JsonObject[];
  /** Stored policies that a document replaces: their deny rules are narrowed, since nothing else beats a deny. */
  readonly replaces: readonly PolicyName[];
  readonly policies: readonly Policy[];
  /** What whoever applies it should know. */
  readonly notes: readonly string[];
}

interface Denying {
  readonly policy: Policy;
  readonly entries: readonly Entry[];
}

function denyingOf(policies: readonly Policy[], flow: FlowView): readonly Denying[] {
  return policies.flatMap((policy) => {
    const entries = policy.rules
      .filter((rule) => selection(policy, rule, flow).is === 'YES')
      .flatMap((rule) => rulesOf(rule, flow.direction).deny)
      .filter((entry) => matchEntry(entry, flow).is === 'YES');
    return entries.length === 0 ? [] : [{ policy, entries }];
  });
}

/** Why no deny rule can be narrowed although one matched. */
function notStored(policies: readonly Policy[], flow: FlowView): string {
  const maybe = policies
    .filter((policy) => policy.rules.some((rule) => mayDeny(policy, rule, flow)))
    .map(policyTitle);
  return maybe.length === 0
    ? 'a deny rule matched, but none of the stored policies has it; no added rule would beat it'
    : `a deny rule matched, perhaps of ${maybe.join(', ')}, which cannot be judged for certain; no added rule would beat it`;
}

function mayDeny(policy: Policy, rule: Rule, flow: FlowView): boolean {
  if (selection(policy, rule, flow).is === 'NO') return false;
  return rulesOf(rule, flow.direction).deny.some((entry) => matchEntry(entry, flow).is !== 'NO');
}

function sameName(a: PolicyName, b: PolicyName): boolean {
  return a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
}

/** Policies after documents were applied. */
export function applied(policies: readonly Policy[], documents: readonly JsonObject[]): readonly Policy[] {
  const written = parsePolicies(documents).policies;
  return [...policies.filter((one) => !written.some((other) => sameName(one, other))), ...written];
}

function notesOf(
  flow: FlowView,
  documents: readonly JsonObject[],
  denying: readonly Denying[],
): readonly string[] {
  const notes = denying.map(
    ({ policy, entries }) =>
      `${policyTitle(policy)} is changed: ${entries.map(({ path }) => path).join(', ')} no longer denies this`,
  );
  if (denying.some(({ entries }) => entries.some(({ ports }) => ports === null)))
    notes.push('the narrowed rule was about every port; of this peer it now denies ports, not ICMP messages');
  if (documents.some((one) => JSON.stringify(one).includes('"toFQDNs"')))
    notes.push(
      'rules by name need a rule that sends look-ups through the DNS proxy (toPorts with rules.dns)',
    );
  if (denying.length > 0 && documents.some((one) => JSON.stringify(one).includes('"endPort"')))
    notes.push('ranges of ports (endPort) need Cilium 1.16 or later');
  if (flow.l7) notes.push('L7 rules on this port still judge each call');
  return notes;
}

/**
 * Drafts what would allow one connection at one of its ends, and nothing else: deny rules that match are narrowed in
 * their own policies, and an allow policy is added where none allows then. `deniedExplicitly`: the datapath said that a
 * deny rule matched, so without one among the policies no draft would help.
 */
export function draftPolicy(
  policies: readonly Policy[],
  flow: FlowView,
  names: EndNames,
  options: { readonly precision: Precision; readonly deniedExplicitly: boolean },
): Drafted<PolicyDraft> {
  const denying = denyingOf(policies, flow);
  if (options.deniedExplicitly && denying.length === 0)
    return { ok: false, reason: notStored(policies, flow) };
  const documents: JsonObject[] = [];
  for (const { policy, entries } of denying) {
    const changed = narrowDeny(policy, entries, flow, options.precision);
    if (!changed.ok) return { ok: false, reason: `${policyTitle(policy)}: ${changed.reason}` };
    documents.push(changed.value);
  }
  if (documents.length === 0 || evaluate(applied(policies, documents), flow).verdict !== 'ALLOWED') {
    const allow = allowPolicy(flow, names, options.precision);
    if (!allow.ok) return allow;
    documents.push(allow.value);
  }
  return {
    ok: true,
    value: {
      documents,
      replaces: denying.map(({ policy: { kind, namespace, name } }) => ({ kind, namespace, name })),
      policies: applied(policies, documents),
      notes: notesOf(flow, documents, denying),
    },
  };
}

/** What the evaluator says about a draft. */
export interface DraftCheck {
  readonly before: Evaluation['verdict'];
  readonly after: Evaluation['verdict'];
  /** Other flows that were denied: how many were looked at, of how many kinds, and what became of them. */
  readonly others: {
    readonly kinds: number;
    readonly checked: number;
    readonly stayDenied: number;
    readonly becomeAllowed: number;
    readonly undetermined: number;
  };
  /** Why something is UNDETERMINED; a few. */
  readonly reasons: readonly string[];
}

/** Denied flows that are alike. */
export interface DeniedFlows {
  readonly view: FlowView;
  /** How many there were. */
  readonly flows: number;
}

const MAX_REASONS = 5;

/**
 * Checks a draft: what the stored policies say about the flow, what they would say with the draft, and whether other
 * denied flows stay denied. A flow is counted as undetermined when it cannot be judged before or after.
 */
export function checkDraft(
  policies: readonly Policy[],
  draft: PolicyDraft,
  flow: FlowView,
  others: readonly DeniedFlows[],
): DraftCheck {
  const counts = { stayDenied: 0, becomeAllowed: 0, undetermined: 0 };
  const reasons = new Set<string>();
  const verdict = (set: readonly Policy[], view: FlowView): Evaluation['verdict'] => {
    const answer = evaluate(set, view);
    if (answer.verdict === 'UNDETERMINED') for (const reason of answer.reasons) reasons.add(reason);
    return answer.verdict;
  };
  const before = verdict(policies, flow);
  const after = verdict(draft.policies, flow);
  for (const { view, flows } of others) {
    const was = verdict(policies, view);
    const is = verdict(draft.policies, view);
    if (was === 'DENIED' && is === 'DENIED') counts.stayDenied += flows;
    else if (was === 'DENIED' && is === 'ALLOWED') counts.becomeAllowed += flows;
    else counts.undetermined += flows;
  }
  const checked = others.reduce((sum, { flows }) => sum + flows, 0);
  return {
    before,
    after,
    others: { kinds: others.length, checked, ...counts },
    reasons: [...reasons].slice(0, MAX_REASONS),
  };
}

/** A draft, what it changes, and what the evaluator says about it. */
export interface CheckedDraft {
  readonly draft: PolicyDraft;
  readonly check: DraftCheck;
}

/** Drafts and checks, with the shortest selectors under which no other denied flow is let through. */
export function draftChecked(
  policies: readonly Policy[],
  flow: FlowView,
  names: EndNames,
  deniedExplicitly: boolean,
  others: readonly DeniedFlows[],
): Drafted<CheckedDraft> {
  let best: CheckedDraft | undefined;
  for (const precision of ['app', 'all'] as const) {
    const draft = draftPolicy(policies, flow, names, { precision, deniedExplicitly });
    if (!draft.ok) return draft;
    const check = checkDraft(policies, draft.value, flow, others);
    const better = best === undefined || check.others.becomeAllowed < best.check.others.becomeAllowed;
    if (better) best = { draft: draft.value, check };
    if (check.others.becomeAllowed === 0) break;
  }
  return best === undefined ? { ok: false, reason: 'nothing to draft' } : { ok: true, value: best };
}
