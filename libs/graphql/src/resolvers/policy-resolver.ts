import { Args, Context, Query, Resolver } from '@nestjs/graphql';
import type { PolicyName } from '@flowledger/policy';
import { oneCluster } from '../policies/one-cluster.js';
import { NO_POLICIES } from '../policies/policy-source.js';
import { storedPolicies } from '../policies/stored-policies.js';
import type { ApiContext } from '../request/request-scope.js';

interface PoliciesArguments {
  readonly cluster?: string | null;
  readonly at?: bigint | null;
  readonly namespace?: string | null;
}

/** `PolicyName` of the schema. */
export function policyNameView({ kind, namespace, name }: PolicyName) {
  return { kind, namespace: namespace || null, name };
}

/** `policies`. */
@Resolver('Query')
export class PolicyResolver {
  @Query('policies')
  async policies(@Args() args: PoliciesArguments, @Context() { scope }: ApiContext) {
    const cluster = await oneCluster(scope, args.cluster);
    const source = await (scope.deps.policies ?? NO_POLICIES).state();
    const stored = await storedPolicies(scope, cluster, args.at ?? scope.nowNs);
    const within = stored.policies.filter(
      ({ namespace }) =>
        typeof args.namespace !== 'string' || namespace === '' || namespace === args.namespace,
    );
    return {
      known: stored.known,
      validFrom: stored.validFromNs,
      origins: stored.origins,
      policies: within.map((policy) => ({
        policy: policyNameView(policy),
        rules: policy.rules.length,
        doubt: policy.doubt,
      })),
      doubts: stored.doubts,
      problems: [
        ...source.problems.map(({ origin, reason }) => ({ policy: origin, path: '', reason })),
        ...source.snapshots.flatMap((snapshot) => snapshot.problems),
      ],
    };
  }
}
