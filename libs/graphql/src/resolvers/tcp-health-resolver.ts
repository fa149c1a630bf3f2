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
import { answeredView } from './answered.js';
import { windowRequest, type GroupedArguments } from './arguments.js';
import { CoveredResolver } from './coverage-resolver.js';
import { planned } from './planned.js';

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
    const answer = readTcpHealth(result.rows, plan);
    return {
      total: statsView(answer.total),
      groups: answer.groups.map(({ key, id, stats }) => ({ key, id, stats: statsView(stats) })),
      other: answer.other === null ? null : statsView(answer.other),
      groupCount: answer.groupCount,
      missing: answer.missing,
      answered: answeredView({ table: 'flows', resolutionNs: null, exact: true }, result),
      window: plan.window,
    };
  }
}

@Resolver('TcpHealthResult')
export class TcpHealthCoverageResolver extends CoveredResolver {}

/** `TcpStats` of the schema; what no flow tells is null, `missing` says why. */
function statsView(stats: TcpStats) {
  return { ...stats, retransmissions: null, rttMs: null, zeroWindows: null };
}
