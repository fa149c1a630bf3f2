import { Args, Context, Query, Resolver } from '@nestjs/graphql';
import { applied, evaluate, type Evaluation, type Policy } from '@flowledger/policy';
import { resolveWindow, type PolicyEdge } from '@flowledger/query';
import { requestError } from '../errors/request-error.js';
import { edgeViews, endName, type LabelsOf } from '../policies/flow-views.js';
import { oneCluster } from '../policies/one-cluster.js';
import { readPolicyDocuments } from '../policies/policy-documents.js';
import { judgedEdges, storedPolicies, type JudgedEdges } from '../policies/stored-policies.js';
import type { ApiContext } from '../request/request-scope.js';
import { windowRequest, type WindowArgument } from './arguments.js';
import { planned } from './planned.js';
import { policyNameView } from './policy-resolver.js';

const MAX_BYTES = 512 * 1024;
const MAX_SHOWN = 200;

interface CheckArguments {
  readonly documents: string;
  readonly window?: WindowArgument | null;
  readonly cluster?: string | null;
  readonly namespace?: string | null;
}

interface Change {
  readonly edge: PolicyEdge;
  readonly verdict: Evaluation;
}

interface Compared {
  readonly unchanged: bigint;
  readonly changed: readonly Change[];
  readonly undetermined: bigint;
  /** Flows that the stored policies alone judge otherwise than the datapath did. */
  readonly unexplained: bigint;
}

/** The first verdict that is not the wanted one; what cannot be judged only where nothing else differs. */
function otherwise(verdicts: readonly Evaluation[], was: 'ALLOWED' | 'DENIED'): Evaluation | undefined {
  const others = verdicts.filter(({ verdict }) => verdict !== was);
  return others.find(({ verdict }) => verdict !== 'UNDETERMINED') ?? others[0];
}

/** What policies would say about connections that passed (or were denied): those that they judge otherwise are changes. */
function compare(
  found: JudgedEdges,
  stored: readonly Policy[],
  candidate: readonly Policy[],
  was: 'ALLOWED' | 'DENIED',
): Compared {
  const sums = { unchanged: 0n, undetermined: 0n, unexplained: 0n };
  const changed: Change[] = [];
  for (const edge of found.edges) {
    const views = edgeViews(edge, found.labelsOf);
    const verdict = otherwise(
      views.map((view) => evaluate(candidate, view)),
      was,
    );
    if (verdict === undefined) sums.unchanged += edge.flows;
    else if (verdict.verdict === 'UNDETERMINED') sums.undetermined += edge.flows;
    else if (views.some((view) => evaluate(stored, view).verdict === verdict.verdict))
      sums.unexplained += edge.flows;
    else changed.push({ edge, verdict });
  }
  return { ...sums, changed };
}

function changeView({ edge, verdict }: Change, labelsOf: LabelsOf) {
  const by = verdict.verdict === 'UNDETERMINED' ? [] : verdict.by;
  return {
    direction: edge.direction,
    client: endName(edge.client),
    server: endName(edge.server),
    protocol: edgeViews(edge, labelsOf)[0]?.protocol ?? '',
    port: edge.port === 0 ? null : edge.port,
    flows: edge.flows,
    policies: [
      ...new Map(
        by.map(({ policy }) => [`${policy.kind}/${policy.namespace}/${policy.name}`, policy]),
      ).values(),
    ].map(policyNameView),
    samples: edge.samples,
  };
}

/** `policyCheck`. */
@Resolver('Query')
export class PolicyCheckResolver {
  @Query('policyCheck')
  async policyCheck(@Args() args: CheckArguments, @Context() { scope }: ApiContext) {
    if (Buffer.byteLength(args.documents) > MAX_BYTES)
      throw requestError('TOO_COSTLY', `documents: at most ${MAX_BYTES} bytes`, { field: 'documents' });
    const window = planned(resolveWindow(windowRequest(args.window), scope.planning));
    const cluster = await oneCluster(scope, args.cluster);
    const { snapshot, problems } = readPolicyDocuments(args.documents, 'documents');
    const stored = await storedPolicies(scope, cluster, scope.nowNs);
    const policies = applied(
      stored.policies,
      snapshot.policies.map(({ object }) => object),
    );
    const question = { window, cluster, namespace: args.namespace ?? null };
    const [forwarded, denied] = await Promise.all([
      judgedEdges(scope, { ...question, outcome: 'FORWARDED' }),
      judgedEdges(scope, { ...question, outcome: 'DENIED' }),
    ]);
    const passed = compare(forwarded, stored.policies, policies, 'ALLOWED');
    const refused = compare(denied, stored.policies, policies, 'DENIED');
    return {
      policies: snapshot.policies.map(policyNameView),
      problems: [
        ...problems.map(({ origin, reason }) => ({ policy: origin, path: '', reason })),
        ...snapshot.problems,
      ],
      storedPolicies: stored.policies.length,
      staysAllowed: passed.unchanged,
      wouldBreak: passed.changed.slice(0, MAX_SHOWN).map((one) => changeView(one, forwarded.labelsOf)),
      staysDenied: refused.unchanged,
      wouldAllow: refused.changed.slice(0, MAX_SHOWN).map((one) => changeView(one, denied.labelsOf)),
      undetermined: passed.undetermined + refused.undetermined,
      unexplained: passed.unexplained + refused.unexplained,
    };
  }
}
