import { Args, Context, Query, Resolver } from '@nestjs/graphql';
import {
  explainDrop,
  isExplainable,
  planChanges,
  planExplanation,
  planFlow,
  readFlow,
  readTwins,
  type ChangeRow,
  type DropExplanation,
  type DropHistoryRow,
  type FlowRecord,
  type FlowRow,
} from '@flowledger/query';
import { analyseDrop, type DropAnalysis } from '../policies/analyse-drop.js';
import { requestError } from '../errors/request-error.js';
import type { ApiContext, RequestScope } from '../request/request-scope.js';
import { flowView, policyView } from './flow-view.js';
import { planned } from './planned.js';
import { policyNameView } from './policy-resolver.js';

/** `dropExplanation`. */
@Resolver('Query')
export class ExplanationResolver {
  @Query('dropExplanation')
  async dropExplanation(@Args() { flowId }: { readonly flowId: string }, @Context() { scope }: ApiContext) {
    const [row] = (await scope.query<FlowRow>(planned(planFlow({ id: flowId }, scope.planning)))).rows;
    if (row === undefined) return null;
    const drop = readFlow(row);
    if (!isExplainable(drop)) {
      throw requestError('BAD_REQUEST', 'flowId: this flow was not dropped', { field: 'flowId' });
    }
    return explainFlow(scope, drop);
  }
}

/** Why a stored flow was dropped, in the schema's form. */
export async function explainFlow(scope: RequestScope, drop: FlowRecord) {
  const plan = planExplanation(drop, scope.planning);
  const [twins, history, analysis] = await Promise.all([
    plan.twins === null ? undefined : scope.query<FlowRow>(plan.twins),
    scope.query<DropHistoryRow>(plan.history),
    analyseDrop(scope, drop),
  ]);
  const past = history.rows[0] ?? null;
  const firstSeenNs =
    past === null || past.drop_count === '0' ? drop.position.bucketNs : BigInt(past.first_ns);
  const changes = await scope.query<ChangeRow>(planChanges(drop, firstSeenNs, scope.planning));
  const twin = twins === undefined ? null : (readTwins(twins.rows, [drop]).get(drop.id) ?? null);
  const facts = { drop, twin, history: past, changes: changes.rows };
  const judged = analysis === null ? {} : { blamed: analysis.policies, judgement: analysis.evidence };
  return explanationView(explainDrop({ ...facts, ...judged }), analysis);
}

/** `DropExplanation` of the schema. */
function explanationView(explanation: DropExplanation, analysis: DropAnalysis | null) {
  const draft = analysis?.draft ?? null;
  return {
    ...explanation,
    flow: flowView(explanation.flow),
    policies: explanation.policies.map(policyView),
    evidence: explanation.evidence.map((one) => ({
      ...one,
      flow: one.flow === null ? null : flowView(one.flow),
    })),
    precedingChanges: explanation.precedingChanges.map((change) => ({ ...change, time: change.timeNs })),
    missing: [...explanation.missing, ...(analysis?.missing ?? [])],
    selectingPolicies: (analysis?.selecting ?? []).map(({ policy, certain, enforces, entries }) => ({
      policy: policyNameView(policy),
      certain,
      enforces,
      rules: entries.map(({ path, text }) => `${path} ${text}`),
    })),
    policiesAsOf: analysis?.policiesAsOfNs ?? null,
    draftPolicy: draft?.yaml ?? null,
    draft: draft === null ? null : { ...draft, replaces: draft.replaces.map(policyNameView) },
  };
}
