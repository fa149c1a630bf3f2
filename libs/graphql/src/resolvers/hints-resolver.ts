import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import {
  infers,
  planMatchCounts,
  readHints,
  readMatchCounts,
  searchHints,
  type FlowFilters,
  type HintRow,
  type MatchCounts,
  type Window,
} from '@flowledger/query';
import { requestError } from '../errors/request-error.js';
import type { ApiContext } from '../request/request-scope.js';
import { answeredView } from './answered.js';
import { windowRequest, type QuestionArguments } from './arguments.js';
import { CoveredResolver } from './coverage-resolver.js';
import { planned } from './planned.js';

const MAX_COUNT = 1_000_000;

interface HintsArguments extends QuestionArguments {
  readonly field: string;
  readonly prefix?: string | null;
  readonly limit?: number | null;
}

/** `filterHints`. */
@Resolver('Query')
export class HintsResolver {
  @Query('filterHints')
  async filterHints(@Args() args: HintsArguments, @Context() { scope }: ApiContext) {
    const window = windowRequest(args.window);
    const { plan, whole, result } = planned(
      await searchHints({ ...args, window }, scope.planning, (asked) => scope.query<HintRow>(asked.plan)),
    );
    const { hints, truncated, exact } = readHints(result.rows, plan, result.elapsedMs);
    const answered = answeredView(
      { table: 'flows', resolutionNs: null, exact: exact && plan === whole },
      result,
    );
    return { hints, truncated, answered, window: whole.window };
  }
}

@Resolver('FilterHints')
export class HintsCoverageResolver extends CoveredResolver {}

/** `FlowConnection.matches`. */
@Resolver('FlowConnection')
export class MatchCountsResolver {
  @ResolveField('matches')
  async matches(
    @Parent()
    {
      request,
      window,
    }: { readonly request: { readonly filters?: FlowFilters | null }; readonly window: Window },
    @Args() { upTo }: { readonly upTo?: number | null },
    @Context() { scope }: ApiContext,
  ): Promise<MatchCounts | null> {
    if (!infers(request.filters)) return null;
    const cap = upTo ?? 100_000;
    if (cap < 1 || cap > MAX_COUNT)
      throw requestError('BAD_REQUEST', `upTo: from 1 to ${MAX_COUNT}`, { field: 'upTo' });
    const { fromNs, toNs } = window;
    const plan = planned(
      planMatchCounts({ filters: request.filters ?? null, window: { fromNs, toNs } }, cap, scope.planning),
    );
    const result = await scope.query<{ readonly sent: string; readonly whole: string }>(plan);
    return readMatchCounts(result.rows, cap);
  }
}
