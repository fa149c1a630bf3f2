import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { DNS_RCODE, enumName } from '@flowledger/model';
import {
  planDns,
  readDns,
  type DnsOrder,
  type DnsRequest,
  type DnsStats,
  type RankedRow,
} from '@flowledger/query';
import type { ApiContext } from '../request/request-scope.js';
import { windowRequest, type GroupedArguments } from './arguments.js';
import { CoveredResolver } from './coverage-resolver.js';
import { planned } from './planned.js';
import { rankedView } from './ranked-view.js';
import { quantiles } from './red-view.js';

interface DnsArguments extends Omit<GroupedArguments, 'step'> {
  readonly orderBy?: DnsOrder | null;
}

type DnsStatsView = ReturnType<typeof statsView>;

/** `dns`. */
@Resolver('Query')
export class DnsResolver {
  @Query('dns')
  async dns(@Args() args: DnsArguments, @Context() { scope }: ApiContext) {
    const request: DnsRequest = { ...args, window: windowRequest(args.window) };
    const plan = planned(planDns(request, scope.planning));
    const result = await scope.query<RankedRow>(plan.plan);
    return rankedView(readDns(result.rows, plan), plan, result, statsView);
  }
}

@Resolver('DnsStats')
export class DnsStatsResolver {
  @ResolveField('latencyMs')
  latencyMs(@Parent() { histogram }: DnsStatsView, @Args() { q }: { readonly q: number }): number | null {
    return quantiles(histogram, [q])[0] ?? null;
  }
}

@Resolver('DnsResult')
export class DnsCoverageResolver extends CoveredResolver {}

/** `DnsStats` of the schema. */
function statsView(stats: DnsStats) {
  const rcodes = [...stats.rcodes]
    .toSorted(([a], [b]) => a - b)
    .map(([number, count]) => {
      const name = DNS_RCODE.names[number] ?? null;
      return { rcode: { number, name, text: enumName(DNS_RCODE, number) }, count };
    });
  return { ...stats, rcodes };
}
