import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { Window } from '@flowledger/query';
import { coverageOf, coverageOfNamespace, type CoverageView } from '../coverage/coverage.js';
import type { ApiContext } from '../request/request-scope.js';
import { windowRequest, type WindowArgument } from './arguments.js';

/** An answer about a window; its coverage is worked out only when asked for. */
interface Covered {
  readonly window: Window;
  readonly unknownLatencyShare?: number | null;
}

/** `coverage`. */
@Resolver('Query')
export class CoverageResolver {
  @Query('coverage')
  coverage(
    @Args()
    args: {
      readonly window?: WindowArgument | null;
      readonly cluster?: string | null;
      readonly namespace?: string | null;
      readonly node?: string | null;
    },
    @Context() { scope }: ApiContext,
  ): Promise<CoverageView> {
    const { cluster, namespace, node } = args;
    const request = { cluster, node, window: windowRequest(args.window) };
    if (namespace === undefined || namespace === null) return coverageOf(scope, request);
    return coverageOfNamespace(scope, namespace, request);
  }
}

/** The field `coverage` of an answer about a window. */
export class CoveredResolver {
  @ResolveField('coverage')
  coverage(@Parent() answer: Covered, @Context() { scope }: ApiContext): Promise<CoverageView> {
    const { fromNs, toNs } = answer.window;
    const unknownLatencyShare = answer.unknownLatencyShare ?? null;
    return coverageOf(scope, { window: { fromNs, toNs } }, { unknownLatencyShare });
  }
}

@Resolver('FlowConnection')
export class FlowConnectionCoverageResolver extends CoveredResolver {}

@Resolver('RedResult')
export class RedCoverageResolver extends CoveredResolver {}

@Resolver('DropResult')
export class DropCoverageResolver extends CoveredResolver {}

@Resolver('ServiceMap')
export class MapCoverageResolver extends CoveredResolver {}
