import { Args, Context, Query, Resolver } from '@nestjs/graphql';
import { evaluate, type FlowView, type PoliciesAsOf, type PolicyName } from '@flowledger/policy';
import { resolveWindow, type PolicyEdge } from '@flowledger/query';
import { edgeViews, endName } from '../policies/flow-views.js';
import { judgedEdges, storedPolicies } from '../policies/stored-policies.js';
import type { ApiContext, RequestScope } from '../request/request-scope.js';
import { answeredView } from './answered.js';
import { CoveredResolver } from './coverage-resolver.js';
import { windowRequest, type WindowArgument } from './arguments.js';
import { planned } from './planned.js';
import { policyNameView } from './policy-resolver.js';
import { requestError } from '../errors/request-error.js';

const MAX_LIMIT = 1000;

interface AuditArguments {
  readonly window?: WindowArgument | null;
  readonly cluster?: string | null;
  readonly namespace?: string | null;
  readonly limit: number;
}

interface Blame {
  readonly policies: readonly PolicyName[];
  readonly basis: 'RECORDED' | 'EVALUATED' | 'UNKNOWN';
  readonly verdict: 'DENIED' | 'ALLOWED' | 'UNDETERMINED' | null;
  readonly reasons: readonly string[];
}

/** Who would deny: the verdicts' own names (Cilium 1.20 and later), else what the stored policies say. */
function blame(edge: PolicyEdge, view: FlowView | undefined, stored: PoliciesAsOf): Blame {
  const named = edge.policies.filter(({ effect }) => effect !== 'ALLOWED');
  if (named.length > 0) {
    const unique = new Map(named.map((one) => [`${one.kind} ${one.namespace} ${one.name}`, one]));
    const policies = [...unique.values()].map(
      ({ kind, namespace, name }) => ({ kind, namespace, name }) as PolicyName,
    );
    return { policies, basis: 'RECORDED', verdict: null, reasons: [] };
  }
  if (!stored.known || view === undefined)
    return {
      policies: [],
      basis: 'UNKNOWN',
      verdict: null,
      reasons: ['verdicts of audit mode name no policy up to Cilium 1.19, and no policies are stored'],
    };
  const answer = evaluate(stored.policies, view);
  if (answer.verdict === 'UNDETERMINED')
    return { policies: [], basis: 'UNKNOWN', verdict: answer.verdict, reasons: answer.reasons };
  if (answer.verdict === 'ALLOWED')
    return {
      policies: [],
      basis: 'UNKNOWN',
      verdict: answer.verdict,
      reasons: ['the stored policies would allow it: they are not what was in force'],
    };
  const unique = new Map(
    answer.by.map(({ policy }) => [`${policy.kind} ${policy.namespace} ${policy.name}`, policy]),
  );
  return { policies: [...unique.values()], basis: 'EVALUATED', verdict: 'DENIED', reasons: [] };
}

async function groupView(scope: RequestScope, edge: PolicyEdge, labelsOf: (id: string) => readonly string[]) {
  // One look at the policies a cluster and minute: connections of an audit are seen up to now.
  const minute = (edge.lastNs / 60_000_000_000n) * 60_000_000_000n;
  const stored = await scope.once(`policies ${edge.cluster} ${minute}`, () =>
    storedPolicies(scope, edge.cluster, minute),
  );
  const [view] = edgeViews(edge, labelsOf);
  const { policies, ...blamed } = blame(edge, view, stored);
  return {
    cluster: edge.cluster,
    direction: edge.direction,
    client: endName(edge.client),
    server: endName(edge.server),
    protocol: view?.protocol ?? '',
    port: edge.port === 0 ? null : edge.port,
    flows: edge.flows,
    firstSeen: edge.firstNs,
    lastSeen: edge.lastNs,
    policies: policies.map(policyNameView),
    ...blamed,
    samples: edge.samples,
  };
}

/** `policyAudit`. */
@Resolver('Query')
export class AuditResolver {
  @Query('policyAudit')
  async policyAudit(@Args() args: AuditArguments, @Context() { scope }: ApiContext) {
    if (args.limit < 0 || args.limit > MAX_LIMIT)
      throw requestError('TOO_COSTLY', `limit: from 0 to ${MAX_LIMIT}`, { field: 'limit' });
    const window = planned(resolveWindow(windowRequest(args.window), scope.planning));
    const { cluster, namespace } = args;
    const found = await judgedEdges(scope, {
      window,
      outcome: 'AUDITED',
      cluster: cluster ?? null,
      namespace: namespace ?? null,
    });
    const shown = found.edges.slice(0, args.limit);
    const total = found.edges.reduce((sum, edge) => sum + edge.flows, 0n);
    const listed = shown.reduce((sum, edge) => sum + edge.flows, 0n);
    return {
      total,
      groups: await Promise.all(shown.map((edge) => groupView(scope, edge, found.labelsOf))),
      groupCount: BigInt(found.total),
      other: total - listed,
      window,
      answered: answeredView(
        { table: 'flows', resolutionNs: null, exact: found.total === found.edges.length },
        found,
      ),
    };
  }
}

@Resolver('PolicyAudit')
export class AuditCoverageResolver extends CoveredResolver {}
