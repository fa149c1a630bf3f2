import { Args, Context, Query, Resolver } from '@nestjs/graphql';
import { planDrops, readDrops, type DropRow, type DropsRequest, type Missing } from '@flowledger/query';
import type { ApiContext } from '../request/request-scope.js';
import { answeredView } from './answered.js';
import { windowRequest, type GroupedArguments } from './arguments.js';
import { exactCount } from './counts.js';
import { planned } from './planned.js';

/** `drops`. */
@Resolver('Query')
export class DropsResolver {
  @Query('drops')
  async drops(@Args() args: GroupedArguments, @Context() { scope }: ApiContext) {
    const request: DropsRequest = { ...args, window: windowRequest(args.window), stepNs: args.step ?? null };
    const plan = planned(planDrops(request, scope.planning));
    const result = await scope.query<DropRow>(plan.plan);
    const answer = readDrops(result.rows, plan);
    const missing: Missing[] = [...answer.missing];
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
      })),
      other: answer.other,
      groupCount: answer.groupCount,
      missing,
      answered: answeredView(plan.answered, result),
      window: plan.window,
    };
  }
}
