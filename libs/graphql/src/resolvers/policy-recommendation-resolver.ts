import { Args, Context, Query, Resolver } from '@nestjs/graphql';
import { stringify } from 'yaml';
import { recommendPolicies, type Direction, type ObservedEdge } from '@flowledger/policy';
import { MAX_POLICY_EDGES, resolveWindow, type Window } from '@flowledger/query';
import { coverageOf, type CoverageView } from '../coverage/coverage.js';
import { endName } from '../policies/flow-views.js';
import { oneCluster } from '../policies/one-cluster.js';
import { observedEdges } from '../policies/observed-edges.js';
import { judgedEdges } from '../policies/stored-policies.js';
import type { ApiContext } from '../request/request-scope.js';
import { answeredView } from './answered.js';
import { CoveredResolver } from './coverage-resolver.js';
import { windowRequest, type WindowArgument } from './arguments.js';
import { planned } from './planned.js';

const DAY_NS = 86_400_000_000_000n;
/** What happens once a week, or at the end of a month, is not in less. */
const ADVISED_DAYS = 7n;
const MAX_CONFLICTS = 50;

interface RecommendationArguments {
  readonly namespace: string;
  readonly window?: WindowArgument | null;
  readonly cluster?: string | null;
  readonly directions: readonly Direction[];
}

function windowWarnings({ fromNs, toNs }: Window, coverage: CoverageView): readonly string[] {
  const warnings: string[] = [];
  const hours = Number((toNs - fromNs) / 60_000_000_000n) / 60;
  const long = hours < 48 ? `${Math.round(hours * 10) / 10} hours` : `${Math.round(hours / 24)} days`;
  if (toNs - fromNs < ADVISED_DAYS * DAY_NS)
    warnings.push(
      `the window is ${long} long: what happens less often, such as weekly jobs or a failover, was not seen and would be denied`,
    );
  if (coverage.status !== 'COMPLETE')
    warnings.push(
      `the window is not covered completely (${coverage.status}): connections in its gaps were not seen and would be denied`,
    );
  if (coverage.eventsLostUpstream > 0n)
    warnings.push(`${coverage.eventsLostUpstream} events of the window were lost before they could be read`);
  return warnings;
}

function conflictView({
  direction,
  workload,
  peerNamespace,
  peerWorkload,
  views,
  flows,
  samples,
}: ObservedEdge) {
  const [view] = views;
  const peer = peerNamespace === '' ? peerWorkload : `${peerNamespace}/${peerWorkload}`;
  return {
    direction,
    workload,
    peer,
    protocol: view?.protocol ?? '',
    port: view?.port ?? null,
    denied: BigInt(flows),
    samples,
  };
}

/** `policyRecommendation`. */
@Resolver('Query')
export class PolicyRecommendationResolver {
  @Query('policyRecommendation')
  async policyRecommendation(@Args() args: RecommendationArguments, @Context() { scope }: ApiContext) {
    const window = planned(resolveWindow(windowRequest(args.window), scope.planning));
    const cluster = await oneCluster(scope, args.cluster);
    const question = { window, cluster, namespace: args.namespace };
    const [forwarded, denied, audited, coverage] = await Promise.all([
      judgedEdges(scope, { ...question, outcome: 'FORWARDED' }),
      judgedEdges(scope, { ...question, outcome: 'DENIED' }),
      judgedEdges(scope, { ...question, outcome: 'AUDITED' }),
      coverageOf(scope, { window, cluster }),
    ]);
    const answer = recommendPolicies({
      namespace: args.namespace,
      forwarded: observedEdges(forwarded.edges, forwarded.labelsOf),
      denied: observedEdges(denied.edges, denied.labelsOf),
      directions: args.directions,
    });
    const cut = [forwarded, denied].some((one) => one.total > one.edges.length);
    const { check } = answer;
    return {
      yaml: answer.documents.map((one) => stringify(one, { aliasDuplicateObjects: false })).join('---\n'),
      rules: answer.rules.map((rule) => ({
        ...rule,
        flows: BigInt(rule.flows),
        firstSeen: rule.firstNs,
        lastSeen: rule.lastNs,
      })),
      warnings: [
        ...(forwarded.edges.length === 0
          ? [`nothing was observed to pass in namespace ${args.namespace}`]
          : []),
        ...(cut ? [`only the ${MAX_POLICY_EDGES} most frequent kinds of connections were looked at`] : []),
        ...audited.edges.map(
          ({ client, server }) =>
            `${endName(client)} to ${endName(server)} passed only because of audit mode; a rule allows it`,
        ),
        ...windowWarnings(window, coverage),
        ...answer.warnings,
      ],
      conflicts: answer.conflicts.slice(0, MAX_CONFLICTS).map(conflictView),
      check: {
        forwardedAllowed: BigInt(check.forwarded.allowed),
        forwardedDenied: BigInt(check.forwarded.denied),
        forwardedUndetermined: BigInt(check.forwarded.undetermined),
        deniedStayDenied: BigInt(check.denied.stayDenied),
        deniedBecomeAllowed: BigInt(check.denied.becomeAllowed),
        deniedUndetermined: BigInt(check.denied.undetermined),
        deniedConflicting: BigInt(check.conflicting),
        reasons: check.reasons,
      },
      window,
      answered: answeredView(
        { table: 'flows', resolutionNs: null, exact: true },
        {
          rowsRead: forwarded.rowsRead + denied.rowsRead,
          elapsedMs: forwarded.elapsedMs + denied.elapsedMs,
        },
      ),
    };
  }
}

@Resolver('PolicyRecommendation')
export class RecommendationCoverageResolver extends CoveredResolver {}
