import {
  evaluate,
  policyTitle,
  type Evaluation,
  type FlowView,
  type PoliciesAsOf,
  type PolicyName,
  type SelectingPolicy,
  type StoredChange,
} from '@flowledger/policy';
import { partiesOf, timeText, type Evidence, type FlowRecord } from '@flowledger/query';

/** Rules of a policy that evidence tells about. */
const MAX_RULES = 3;

function sourceText({ origins, validFromNs }: PoliciesAsOf): string {
  const since = validFromNs === null ? '' : `, valid from ${timeText(validFromNs)}`;
  return `stored policies (${origins.join(', ')}${since})`;
}

/** What the stored policies say about the flow, and how far that fits what the datapath did. */
export function verdictEvidence(evaluation: Evaluation, stored: PoliciesAsOf, flow: FlowView): Evidence {
  const said = sourceText(stored);
  if (evaluation.verdict === 'UNDETERMINED')
    return {
      statement: `${said} cannot be judged for this flow: ${evaluation.reasons.slice(0, MAX_RULES).join('; ')}`,
      level: 'WEAK',
      flow: null,
    };
  if (evaluation.verdict === 'ALLOWED')
    return {
      statement: `${said} would have allowed it: they are not what was in force`,
      level: 'WEAK',
      flow: null,
    };
  const rules = evaluation.by.map(({ policy, path }) => `${policyTitle(policy)} ${path}`).join(', ');
  const statement =
    evaluation.how === 'EXPLICIT'
      ? `${said}: a deny rule matches: ${rules}`
      : `${said}: ${flow.direction.toLowerCase()} of the endpoint is closed by ${rules}, and no rule allows it`;
  return { statement, level: 'STRONG', flow: null };
}

/** Why a policy that selects the endpoint does not let the flow pass. */
export function selectionEvidence({ policy, certain, enforces, entries }: SelectingPolicy): Evidence {
  const selects = certain ? 'selects the endpoint' : 'may select the endpoint';
  const closes = enforces ? '' : ' without closing it';
  const rules =
    entries.length === 0
      ? 'it allows nothing in this direction'
      : entries
          .slice(0, MAX_RULES)
          .map(({ path, text }) => `${path} ${text}`)
          .join('; ');
  const more = entries.length > MAX_RULES ? `; and ${entries.length - MAX_RULES} more rules` : '';
  return {
    statement: `${policyTitle(policy)} ${selects}${closes}: ${rules}${more}`,
    level: certain ? 'STRONG' : 'WEAK',
    flow: null,
  };
}

/** The other end has policies of its own, which would still decide. */
export function otherEnd(stored: PoliciesAsOf, flow: FlowView): readonly Evidence[] {
  const turned: FlowView = {
    ...flow,
    direction: flow.direction === 'INGRESS' ? 'EGRESS' : 'INGRESS',
    subject: flow.peer,
    peer: flow.subject,
  };
  const answer = evaluate(stored.policies, turned);
  if (answer.verdict !== 'DENIED') return [];
  const rules = answer.by.map(({ policy }) => policyTitle(policy)).join(', ');
  const side = turned.direction === 'INGRESS' ? 'the server’s ingress' : 'the client’s egress';
  return [{ statement: `${side} would deny it as well: ${rules}`, level: 'STRONG', flow: null }];
}

type Named = Pick<PolicyName, 'namespace' | 'name'>;

/** A policy that came or changed with the last stored state, and that has a say here. */
export function changeEvidence(
  changes: readonly StoredChange[],
  {
    policies,
    selecting,
  }: { readonly policies: readonly Named[]; readonly selecting: readonly SelectingPolicy[] },
  drop: FlowRecord,
): readonly Evidence[] {
  const concerned = new Set(
    [...policies, ...selecting.map(({ policy }) => policy)].map((one) => `${one.namespace}/${one.name}`),
  );
  return changes
    .filter(({ policy, what }) =>
      what === 'REMOVED'
        ? policy.namespace === enforcedNamespace(drop)
        : concerned.has(`${policy.namespace}/${policy.name}`),
    )
    .map(({ policy, what, afterNs, byNs }) => ({
      statement: `${policyTitle(policy)} was ${what.toLowerCase()} between ${timeText(afterNs)} and ${timeText(byNs)}, by the stored states`,
      level: 'MEDIUM',
      flow: null,
    }));
}

function enforcedNamespace(drop: FlowRecord): string {
  const { client, server } = partiesOf(drop);
  return (drop.trafficDirection === 1 ? server : client).namespace;
}
