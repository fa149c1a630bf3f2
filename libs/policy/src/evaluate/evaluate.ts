import { all, any, doubted, maybe, NO, type Match } from '../match.js';
import type { DirectionRules, Entry, Policy, PolicyName, Rule } from '../policy.js';
import { selects } from '../selector.js';
import type { FlowView } from './flow-view.js';
import { matchPeers } from './match-peer.js';
import { isL7Only, matchPorts } from './match-port.js';

/** One rule of a policy: the policy and the place in it. */
export interface RuleRef {
  readonly policy: PolicyName;
  /** For example `spec.ingressDeny[0]`; `spec` where the policy only selects. */
  readonly path: string;
}

/**
 * What policies say about a connection. ALLOWED without rules: no policy of this direction selects the endpoint. DENIED
 * by DEFAULT: the rules named select the endpoint, and none allows. UNDETERMINED is never a guess: it has reasons.
 */
export type Evaluation =
  | { readonly verdict: 'ALLOWED'; readonly by: readonly RuleRef[] }
  | { readonly verdict: 'DENIED'; readonly how: 'EXPLICIT' | 'DEFAULT'; readonly by: readonly RuleRef[] }
  | { readonly verdict: 'UNDETERMINED'; readonly reasons: readonly string[] };

const NO_ENDPOINT = ['host', 'remote-node', 'kube-apiserver', 'world', 'world-ipv4', 'world-ipv6'];

/** A rule that may select the endpoint. */
interface Candidate {
  readonly policy: Policy;
  readonly rules: DirectionRules;
  readonly selection: Match;
}

/** Whether a rule's endpoint selector selects the subject of a flow. */
export function selection(policy: Policy, rule: Rule, flow: FlowView): Match {
  const doubts = [...rule.doubts, ...(policy.doubt === null ? [] : [policy.doubt])];
  if (!rule.aboutNodes) {
    // Nodes and the world have no endpoint that a policy of pods could select.
    if (NO_ENDPOINT.some((name) => flow.subject.reserved.has(name))) return NO;
    return rule.subject === null ? NO : doubted(selects(rule.subject, flow.subject), doubts);
  }
  const node = flow.subject.reserved.has('host') || flow.subject.reserved.has('remote-node');
  return node ? maybe('policies of nodes are not judged: flows do not show the labels of nodes') : NO;
}

/** The rules of one direction. */
export function rulesOf(rule: Rule, direction: FlowView['direction']): DirectionRules {
  return direction === 'INGRESS' ? rule.ingress : rule.egress;
}

/** Whether one entry matches a flow. */
export function matchEntry(entry: Entry, flow: FlowView): Match {
  const who = matchPeers(entry.peers, flow.peer, flow.subject);
  return doubted(all([who, matchPorts(entry, flow)]), entry.doubts);
}

function matched(entries: readonly Entry[], candidate: Candidate, flow: FlowView): readonly [Entry, Match][] {
  return entries.map((entry) => [entry, all([candidate.selection, matchEntry(entry, flow)])]);
}

/** A call that only rules with an L7 part let through is judged by the proxy. */
function allowed(entry: Entry, match: Match, flow: FlowView): Match {
  if (match.is === 'NO' || !flow.l7 || !isL7Only(entry, flow)) return match;
  return maybe(...match.reasons, `${entry.path}: L7 rules judge the call`);
}

function candidatesOf(policies: readonly Policy[], flow: FlowView): readonly Candidate[] {
  return policies.flatMap((policy) =>
    policy.rules
      .map((rule) => ({
        policy,
        rules: rulesOf(rule, flow.direction),
        selection: selection(policy, rule, flow),
      }))
      .filter((one) => one.selection.is !== 'NO'),
  );
}

interface Judged {
  readonly enforced: Match;
  readonly enforcing: readonly RuleRef[];
  readonly denied: Match;
  readonly denying: readonly RuleRef[];
  readonly allowed: Match;
  readonly allowing: readonly RuleRef[];
}

function judge(candidates: readonly Candidate[], flow: FlowView): Judged {
  const denies = candidates.flatMap((one) =>
    matched(one.rules.deny, one, flow).map(([entry, match]) => ({ policy: one.policy, entry, match })),
  );
  const allows = candidates.flatMap((one) =>
    matched(one.rules.allow, one, flow).map(([entry, match]) => ({
      policy: one.policy,
      entry,
      match: allowed(entry, match, flow),
    })),
  );
  const enforcing = candidates.filter((one) => one.rules.defaultDeny);
  const certainOnes = (list: typeof denies): readonly RuleRef[] =>
    list.filter(({ match }) => match.is === 'YES').map(({ policy, entry }) => ({ policy, path: entry.path }));
  return {
    enforced: any(enforcing.map((one) => one.selection)),
    enforcing: enforcing
      .filter((one) => one.selection.is === 'YES')
      .map(({ policy }) => ({ policy, path: 'spec' })),
    denied: any(denies.map(({ match }) => match)),
    denying: certainOnes(denies),
    allowed: any(allows.map(({ match }) => match)),
    allowing: certainOnes(allows),
  };
}

/** The agent lets a node reach its own pods unless told otherwise (`allow-localhost`); deny rules still win. */
function ownNode(flow: FlowView): boolean {
  return flow.direction === 'INGRESS' && flow.peer.reserved.has('host');
}

/**
 * What a set of policies says about a connection at one of its ends. Pure; the order of policies does not matter. A deny
 * beats every allow; an endpoint that no rule of the direction selects is open; one that is selected is closed unless a
 * rule allows. What cannot be judged from the flow is UNDETERMINED: names without look-ups, named ports, nodes, services,
 * members that are not understood, calls under L7 rules.
 */
export function evaluate(policies: readonly Policy[], flow: FlowView): Evaluation {
  const judged = judge(candidatesOf(policies, flow), flow);
  if (judged.denied.is === 'YES') return { verdict: 'DENIED', how: 'EXPLICIT', by: judged.denying };
  const open = judged.allowed.is === 'YES' || ownNode(flow);
  if (judged.denied.is === 'MAYBE') {
    const closed = !open && judged.allowed.is === 'NO' && judged.enforced.is === 'YES';
    if (closed) return { verdict: 'DENIED', how: 'DEFAULT', by: judged.enforcing };
    return { verdict: 'UNDETERMINED', reasons: judged.denied.reasons };
  }
  if (open) return { verdict: 'ALLOWED', by: judged.allowing };
  if (judged.enforced.is === 'NO') return { verdict: 'ALLOWED', by: [] };
  if (judged.allowed.is === 'NO' && judged.enforced.is === 'YES')
    return { verdict: 'DENIED', how: 'DEFAULT', by: judged.enforcing };
  const reasons = [...judged.allowed.reasons, ...judged.enforced.reasons];
  return { verdict: 'UNDETERMINED', reasons: [...new Set(reasons)] };
}
