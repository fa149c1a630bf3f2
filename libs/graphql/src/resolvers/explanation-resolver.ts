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
  type FlowRow,
} from '@flowledger/query';
import { requestError } from '../errors/request-error.js';
import type { ApiContext } from '../request/request-scope.js';
import { flowView, policyView } from './flow-view.js';
import { planned } from './planned.js';

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
    const plan = planExplanation(drop, scope.planning);
    const [twins, history] = await Promise.all([
      plan.twins === null ? undefined : scope.query<FlowRow>(plan.twins),
      scope.query<DropHistoryRow>(plan.history),
    ]);
    const past = history.rows[0] ?? null;
    const firstSeenNs =
      past === null || past.drop_count === '0' ? drop.position.bucketNs : BigInt(past.first_ns);
    const changes = await scope.query<ChangeRow>(planChanges(drop, firstSeenNs, scope.planning));
    const twin = twins === undefined ? null : (readTwins(twins.rows, [drop]).get(drop.id) ?? null);
    return explanationView(explainDrop({ drop, twin, history: past, changes: changes.rows }));
  }
}

/** `DropExplanation` of the schema. A draft of a policy needs the cluster's policies, which nobody collects yet. */
function explanationView(explanation: DropExplanation) {
  return {
    ...explanation,
    flow: flowView(explanation.flow),
    policies: explanation.policies.map(policyView),
    evidence: explanation.evidence.map((one) => ({
      ...one,
      flow: one.flow === null ? null : flowView(one.flow),
    })),
    precedingChanges: explanation.precedingChanges.map((change) => ({ ...change, time: change.timeNs })),
    draftPolicy: null,
  };
}
