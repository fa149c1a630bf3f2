import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import {
  planFlow,
  planFlowCount,
  readFlow,
  readFlowCount,
  readFlows,
  type FlowPart,
  type FlowRow,
  type FlowsRequest,
  type Window,
} from '@flowledger/query';
import { requestError } from '../errors/request-error.js';
import type { ApiContext } from '../request/request-scope.js';
import { answeredView } from './answered.js';
import { windowRequest, type QuestionArguments } from './arguments.js';
import { readFlowPage } from './flow-pages.js';
import { flowView, policyView, type EndpointView, type FlowView } from './flow-view.js';
import { planned } from './planned.js';

/** Everything the schema's `Flow` shows. */
const PARTS: readonly FlowPart[] = ['l7', 'policies'];
const MAX_COUNT = 1_000_000;

interface FlowsArguments extends QuestionArguments {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
  /** ns. */
  readonly timeBudget?: bigint | null;
}

function budgetMs(timeBudget: bigint | null | undefined): number | undefined {
  return timeBudget === null || timeBudget === undefined ? undefined : Number(timeBudget / 1_000_000n);
}

/** A page on its way to the fields below `FlowConnection`. */
interface ConnectionView {
  readonly edges: readonly { readonly cursor: string; readonly node: FlowView }[];
  readonly nodes: readonly FlowView[];
  readonly request: FlowsRequest;
  readonly window: Window;
}

/** `flows` and `flow`. */
@Resolver('Query')
export class FlowsResolver {
  @Query('flows')
  async flows(@Args() args: FlowsArguments, @Context() { scope }: ApiContext): Promise<ConnectionView> {
    const request: FlowsRequest = { ...args, window: windowRequest(args.window), parts: PARTS };
    const { plan, result, unsearched } = await readFlowPage(scope, request, budgetMs(args.timeBudget));
    const page = readFlows(result.rows, plan, unsearched);
    const nodes = page.flows.map(flowView);
    const edges = nodes.map((node, i) => ({ cursor: page.cursors[i] ?? '', node }));
    const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page;
    const pageInfo = { hasNextPage, hasPreviousPage, startCursor, endCursor };
    const answered = answeredView({ table: 'flows', resolutionNs: null, exact: true }, result);
    return Object.assign({ edges, nodes, request, window: plan.window }, { pageInfo, answered });
  }

  @Query('flow')
  async flow(
    @Args()
    args: { readonly id?: string | null; readonly uuid?: string | null; readonly near?: bigint | null },
    @Context() { scope }: ApiContext,
  ): Promise<FlowView | null> {
    const { id, uuid, near } = args;
    const plan = planned(planFlow({ id, uuid, nearNs: near, parts: PARTS }, scope.planning));
    const [row] = (await scope.query<FlowRow>(plan)).rows;
    return row === undefined ? null : flowView(readFlow(row));
  }
}

/** A dropped packet names no policy; the verdict of the same packet does. */
@Resolver('Flow')
export class FlowResolver {
  @ResolveField('policies')
  async policies(@Parent() flow: FlowView, @Context() { scope }: ApiContext) {
    return (await scope.twins.policiesOf(flow.record)).map(policyView);
  }
}

/** Fields of a page that cost a statement of their own. */
@Resolver('FlowConnection')
export class FlowConnectionResolver {
  @ResolveField('totalCount')
  async totalCount(
    @Parent() connection: ConnectionView,
    @Args() { upTo }: { readonly upTo?: number | null },
    @Context() { scope }: ApiContext,
  ): Promise<ReturnType<typeof readFlowCount>> {
    const cap = upTo ?? 100_000;
    if (cap < 1 || cap > MAX_COUNT) {
      throw requestError('BAD_REQUEST', `upTo: from 1 to ${MAX_COUNT}`, { field: 'upTo' });
    }
    // The resolved window, so that "last 1h" counts the hour that was listed.
    const { fromNs, toNs } = connection.window;
    const plan = planned(
      planFlowCount({ ...connection.request, window: { fromNs, toNs } }, cap, scope.planning),
    );
    const result = await scope.query<{ readonly value: string }>(plan);
    return readFlowCount(result.rows, cap);
  }
}

/**
 * Labels are kept once per set of labels and looked up for all endpoints of an answer together; so is who an endpoint was
 * where its flow does not say. What a flow says is never replaced.
 */
@Resolver('Endpoint')
export class EndpointResolver {
  @ResolveField('workload')
  async workload(@Parent() endpoint: EndpointView, @Context() { scope }: ApiContext) {
    const { workload, flow, record } = endpoint;
    if (!lacksWorkload(record)) return workload;
    const was = (await scope.history.load(flow, record)).workload;
    if (was === null || (workload !== null && was.name !== workload.name)) return workload;
    return { ...was, inferred: true };
  }

  @ResolveField('service')
  async service(@Parent() endpoint: EndpointView, @Context() { scope }: ApiContext) {
    if (endpoint.service !== null) return endpoint.service;
    const was = (await scope.history.load(endpoint.flow, endpoint.record)).service;
    return was === null ? null : { ...was, inferred: true };
  }

  @ResolveField('labels')
  labels(@Parent() endpoint: EndpointView, @Context() { scope }: ApiContext): Promise<readonly string[]> {
    return scope.labels.load(endpoint.labelSet);
  }
}

/** No workload at all, or one whose kind only the node that runs it can tell (`agent-x7k2p`: of a DaemonSet, or a Job). */
function lacksWorkload({ workload, workloadKind, workloads }: EndpointView['record']): boolean {
  return workloads.length === 0 && workloadKind === '' && !workload.startsWith('reserved:');
}
