import { Args, Context, Query, Resolver } from '@nestjs/graphql';
import {
  planTcpHealth,
  readTcpHealth,
  type RankedRow,
  type TcpHealthRequest,
  type TcpOrder,
  type TcpStats,
} from '@flowledger/query';
import type { ApiContext } from '../request/request-scope.js';
import { windowRequest, type GroupedArguments } from './arguments.js';
import { CoveredResolver } from './coverage-resolver.js';
import { planned } from './planned.js';
import { rankedView } from './ranked-view.js';

interface TcpArguments extends Omit<GroupedArguments, 'step'> {
  readonly orderBy?: TcpOrder | null;
}

/** `tcpHealth`. */
@Resolver('Query')
export class TcpHealthResolver {
  @Query('tcpHealth')
  async tcpHealth(@Args() args: TcpArguments, @Context() { scope }: ApiContext) {
    const request: TcpHealthRequest = { ...args, window: windowRequest(args.window) };
    const plan = planned(planTcpHealth(request, scope.planning));
    const result = await scope.query<RankedRow>(plan.plan);
    return rankedView(readTcpHealth(result.rows, plan), plan, result, statsView);
  }
}

@Resolver('TcpHealthResult')
export class TcpHealthCoverageResolver extends CoveredResolver {}

/** `TcpStats` of the schema; what no flow tells is null, `missing` says why. */
function statsView(stats: TcpStats) {
  return { ...stats, retransmissions: null, rttMs: null, zeroWindows: null };
}
