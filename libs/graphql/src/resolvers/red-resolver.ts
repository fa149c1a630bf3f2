import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import {
  planRed,
  readRed,
  type ErrorRule,
  type Missing,
  type RedOrder,
  type RedRequest,
} from '@flowledger/query';
import { confidenceOf } from '../coverage/coverage.js';
import type { ApiContext } from '../request/request-scope.js';
import { answeredView } from './answered.js';
import { windowRequest, type GroupedArguments } from './arguments.js';
import { readRedRows } from './red-rows.js';
import type { FlowView } from './flow-view.js';
import { planned } from './planned.js';
import { quantiles, redGroupView, statsView, type seriesView } from './red-view.js';
import { samplesOf, type GroupOrigin } from './samples.js';

interface RedArguments extends GroupedArguments {
  readonly orderBy?: RedOrder | null;
  readonly source?: 'FLOWS' | 'SPANS' | 'AUTO' | null;
  readonly errorRule?: ErrorRule | null;
}

/** `redMetrics`. */
@Resolver('Query')
export class RedResolver {
  @Query('redMetrics')
  async redMetrics(@Args() args: RedArguments, @Context() { scope }: ApiContext) {
    const request: RedRequest = { ...args, window: windowRequest(args.window), stepNs: args.step ?? null };
    const result = await readRedRows(scope, planned(planRed(request, scope.planning)));
    const { plan } = result;
    const answer = readRed(result.rows, plan);
    const missing: Missing[] = [...answer.missing];
    const origin: GroupOrigin = {
      question: 'red',
      window: plan.window,
      keys: plan.keys,
      filters: args.filters ?? null,
    };
    return {
      step: answer.stepNs,
      buckets: answer.buckets,
      total: statsView(answer.total, 'total', missing, plan.window),
      groups: answer.groups.map((group, i) => ({
        ...redGroupView(group, `groups[${i}]`, missing, plan.window),
        origin,
      })),
      other: answer.other === null ? null : statsView(answer.other, 'other', missing, plan.window),
      groupCount: answer.groupCount,
      missing,
      answered: answeredView(plan.answered, result),
      window: plan.window,
      unknownLatencyShare: answer.total.unknownLatencyShare,
    };
  }
}

@Resolver('RedGroup')
export class RedGroupResolver {
  @ResolveField('exemplars')
  exemplars(
    @Parent() group: { readonly id: string; readonly origin: GroupOrigin },
    @Args() { first }: { readonly first?: number | null },
    @Context() { scope }: ApiContext,
  ): Promise<readonly FlowView[]> {
    return samplesOf(scope, group.origin, group.id, first);
  }
}

/** Quantiles are read from the histogram of the answer and cost no statement; confidence costs those of a coverage. */
@Resolver('RedStats')
export class RedStatsResolver {
  @ResolveField('confidence')
  confidence(
    @Parent() { stats, window }: ReturnType<typeof statsView>,
    @Context() { scope }: ApiContext,
  ): Promise<number | null> {
    return confidenceOf(scope, stats, window);
  }

  @ResolveField('quantilesMs')
  quantilesMs(
    @Parent() stats: ReturnType<typeof statsView>,
    @Args() { q }: { readonly q: readonly number[] },
  ): readonly (number | null)[] {
    return quantiles(stats.histogram, q);
  }
}

@Resolver('RedSeries')
export class RedSeriesResolver {
  @ResolveField('quantileMs')
  quantileMs(
    @Parent() series: ReturnType<typeof seriesView>,
    @Args() { q }: { readonly q: number },
  ): readonly (number | null)[] {
    return series.histograms.map((histogram) => quantiles(histogram, [q])[0] ?? null);
  }
}
