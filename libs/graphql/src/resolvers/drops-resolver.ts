import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import {
  planDrops,
  readDrops,
  refineDrops,
  type DropRow,
  type DropsPlan,
  type DropsRequest,
  type Missing,
} from '@flowledger/query';
import type { ApiContext, RequestScope } from '../request/request-scope.js';
import { answeredView } from './answered.js';
import { windowRequest, type GroupedArguments } from './arguments.js';
import { exactCount } from './counts.js';
import type { FlowView } from './flow-view.js';
import { planned } from './planned.js';
import { afterReading, type PlannedRows } from './red-rows.js';
import { samplesOf, type GroupOrigin } from './samples.js';

/** `drops`. */
@Resolver('Query')
export class DropsResolver {
  @Query('drops')
  async drops(@Args() args: GroupedArguments, @Context() { scope }: ApiContext) {
    const request: DropsRequest = { ...args, window: windowRequest(args.window), stepNs: args.step ?? null };
    const result = await readDropRows(scope, planned(planDrops(request, scope.planning)));
    const { plan } = result;
    const answer = readDrops(result.rows, plan);
    const missing: Missing[] = [...answer.missing];
    const origin: GroupOrigin = {
      question: 'drops',
      window: plan.window,
      keys: plan.keys,
      filters: args.filters ?? null,
    };
    return {
      step: answer.stepNs,
      buckets: answer.buckets,
      total: answer.total,
      audited: answer.audited,
      groups: answer.groups.map((group, i) => ({
        key: group.key,
        id: group.id,
        count: group.count,
        series: (group.series ?? []).map((value) => exactCount(value, `groups[${i}].series`, missing)),
        firstSeen: group.firstSeenNs,
        lastSeen: group.lastSeenNs,
        text: group.text,
        remedy: group.remedy,
        origin: { ...origin, policies: group.policies },
      })),
      other: answer.other,
      groupCount: answer.groupCount,
      missing,
      answered: answeredView(plan.answered, result),
      window: plan.window,
    };
  }
}

@Resolver('DropGroup')
export class DropGroupResolver {
  @ResolveField('samples')
  samples(
    @Parent() group: { readonly id: string; readonly origin: GroupOrigin },
    @Args() { first }: { readonly first?: number | null },
    @Context() { scope }: ApiContext,
  ): Promise<readonly FlowView[]> {
    return samplesOf(scope, group.origin, group.id, first);
  }
}

/** Rows of a drops question; where they name no workload, asked again with the endpoint history. */
async function readDropRows(scope: RequestScope, plan: DropsPlan): Promise<PlannedRows<DropRow, DropsPlan>> {
  const read = { ...(await scope.query<DropRow>(plan.plan)), plan };
  const refined = refineDrops(plan, read.rows, scope.planning);
  if (refined === null) return read;
  const again = planned(refined);
  return afterReading(read, { ...(await scope.query<DropRow>(again.plan)), plan: again });
}
