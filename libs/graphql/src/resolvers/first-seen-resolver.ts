import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import {
  planFirstSeen,
  readFirstSeen,
  readHistoryBegin,
  timeText,
  type FirstSeenKind,
  type FirstSeenPlan,
  type FirstSeenRow,
  type HistoryBeginRow,
  type Missing,
  type Window,
} from '@flowledger/query';
import { coverageOf, type CoverageView } from '../coverage/coverage.js';
import type { ApiContext } from '../request/request-scope.js';
import { answeredView } from './answered.js';
import { windowRequest, type WindowArgument } from './arguments.js';
import { CoveredResolver } from './coverage-resolver.js';
import { dropReasonView } from './flow-view.js';
import { planned } from './planned.js';

const HOUR_NS = 3_600_000_000_000n;

interface FirstSeenArguments {
  readonly window?: WindowArgument | null;
  readonly history?: bigint | null;
  readonly kinds?: readonly FirstSeenKind[] | null;
  readonly cluster?: string | null;
  readonly namespace?: string | null;
  readonly limit?: number | null;
}

/** New means little where the history is short: what was there all the time looks new, too. */
function doubts(plan: FirstSeenPlan, beginNs: bigint | null): readonly Missing[] {
  const missing: Missing[] = [];
  const say = (hint: string): void => {
    missing.push({ path: 'items', reason: 'NOT_MEASURED_BY_SOURCE', hint });
  };
  if (beginNs === null) say('nothing was recorded in the history: everything looks new');
  else if (beginNs > plan.history.fromNs + HOUR_NS)
    say(`the history begins at ${timeText(beginNs)} only: what is rare looks new`);
  const raw = plan.plans.some(({ kind }) => kind === 'EXTERNAL_DESTINATION');
  if (raw && beginNs !== null && beginNs < plan.rawHistory.fromNs)
    say(
      `destinations are compared with single flows, which are kept from ${timeText(plan.rawHistory.fromNs)} on`,
    );
  return missing;
}

/** `firstSeen`. */
@Resolver('Query')
export class FirstSeenResolver {
  @Query('firstSeen')
  async firstSeen(@Args() args: FirstSeenArguments, @Context() { scope }: ApiContext) {
    const request = { ...args, window: windowRequest(args.window), historyNs: args.history ?? null };
    const plan = planned(planFirstSeen(request, scope.planning));
    const [begins, ...results] = await Promise.all([
      scope.query<HistoryBeginRow>(plan.begins),
      ...plan.plans.map((one) => scope.query<FirstSeenRow>(one.plan)),
    ]);
    const found = results.map((result, i) => readFirstSeen(plan.plans[i]?.kind ?? 'EDGE', result.rows));
    const items = found
      .flatMap((one) => one.items)
      .toSorted((a, b) => (a.firstNs === b.firstNs ? 0 : a.firstNs > b.firstNs ? -1 : 1));
    const beginNs = readHistoryBegin(begins.rows);
    const rowsRead = results.reduce((sum, one) => sum + one.rowsRead, begins.rowsRead);
    const elapsedMs = results.reduce((sum, one) => sum + one.elapsedMs, begins.elapsedMs);
    return {
      items: items.map(({ firstNs, dropReason, ...item }) => ({
        ...item,
        firstSeen: firstNs,
        dropReason: dropReason === null ? null : dropReasonView(dropReason),
      })),
      truncated: found.reduce((sum, one) => sum + one.total - one.items.length, 0),
      historyFrom: plan.history.fromNs,
      historyBegins: beginNs,
      missing: doubts(plan, beginNs),
      window: plan.window,
      history: plan.history,
      answered: answeredView(
        { table: 'edges_1m+drops_1m+flows', resolutionNs: null, exact: true },
        { rowsRead, elapsedMs },
      ),
    };
  }
}

@Resolver('FirstSeenResult')
export class FirstSeenCoverageResolver extends CoveredResolver {
  @ResolveField('historyCoverage')
  async historyCoverage(
    @Parent() { history }: { readonly history: Window },
    @Context() { scope }: ApiContext,
  ): Promise<CoverageView | null> {
    return history.fromNs < history.toNs ? coverageOf(scope, { window: history }) : null;
  }
}
