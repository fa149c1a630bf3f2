import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import {
  planNamespaces,
  planNodes,
  readNamespaces,
  readNodes,
  type NamespaceRow,
  type NodeAnswer,
  type NodeRow,
} from '@flowledger/query';
import type { ApiContext } from '../request/request-scope.js';
import { windowRequest, type WindowArgument } from './arguments.js';
import { planned } from './planned.js';

interface WindowArguments {
  readonly window?: WindowArgument | null;
}

/** `nodes` and `namespaces`. */
@Resolver('Query')
export class InventoryResolver {
  @Query('nodes')
  async nodes(@Args() args: WindowArguments, @Context() { scope }: ApiContext) {
    const plan = planned(planNodes(windowRequest(args.window), scope.planning));
    const result = await scope.query<NodeRow>(plan.plan);
    return readNodes(result.rows, plan).map((node) => ({ ...node, lastSeen: node.lastSeenNs }));
  }

  @Query('namespaces')
  async namespaces(@Args() args: WindowArguments, @Context() { scope }: ApiContext) {
    const plan = planned(planNamespaces(windowRequest(args.window), scope.planning));
    const result = await scope.query<NamespaceRow>(plan.plan);
    return readNamespaces(result.rows).map((one) => ({ ...one, lastSeen: one.lastSeenNs }));
  }
}

@Resolver('NodeInfo')
export class NodeInfoResolver {
  @ResolveField('labels')
  labels(@Parent() node: NodeAnswer, @Context() { scope }: ApiContext): Promise<readonly string[]> {
    return scope.labels.load(node.labelSet);
  }
}
