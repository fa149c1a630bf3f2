import { Args, Context, Query, Resolver } from '@nestjs/graphql';
import {
  planServiceMap,
  readServiceMap,
  redOfEdges,
  refineMap,
  type EdgeRow,
  type MapEdge,
  type MapLevel,
  type MapRows,
  type MapWindowPlan,
  type ServiceMapPlan,
} from '@flowledger/query';
import { coverageOf } from '../coverage/coverage.js';
import type { ApiContext, RequestScope } from '../request/request-scope.js';
import { answeredView } from './answered.js';
import { windowRequest, type QuestionArguments, type WindowArgument } from './arguments.js';
import { planned } from './planned.js';
import { readRankedRed } from './red-rows.js';
import { statsView } from './red-view.js';

interface MapArguments extends QuestionArguments {
  readonly compareTo?: WindowArgument | null;
  readonly collapse?: MapLevel | null;
  readonly maxEdges?: number | null;
}

interface MapReading extends MapRows {
  readonly plan: MapWindowPlan;
  readonly rowsRead: number;
  readonly elapsedMs: number;
}

/** `serviceMap`. */
@Resolver('Query')
export class MapResolver {
  @Query('serviceMap')
  async serviceMap(@Args() args: MapArguments, @Context() { scope }: ApiContext) {
    const compareTo = args.compareTo ? windowRequest(args.compareTo) : null;
    const request = { ...args, window: windowRequest(args.window), compareTo };
    const plan = planned(planServiceMap(request, scope.planning));
    const { before } = plan;
    const [now, earlier, comparedCoverage] = await Promise.all([
      readMap(scope, plan.now),
      before === null ? undefined : readMap(scope, before),
      before === null ? null : coverageOf(scope, { window: before.window }),
    ]);
    const compared =
      earlier === undefined
        ? undefined
        : { rows: earlier, complete: comparedCoverage?.status === 'COMPLETE' };
    const answered = { ...plan, now: now.plan, before: earlier?.plan ?? null };
    const map = readServiceMap(now, answered, compared);
    return {
      nodes: map.nodes,
      edges: map.edges.map((edge) => edgeView(edge, answered)),
      truncated: map.truncated,
      window: plan.now.window,
      comparedCoverage,
      answered: answeredView(now.plan.answered, now),
    };
  }
}

/** One window of a map; where edges lack the name of an end, asked again with the endpoint history. */
async function readMap(scope: RequestScope, plan: MapWindowPlan): Promise<MapReading> {
  const read = await readPlannedMap(scope, plan);
  const refined = refineMap(plan, read, scope.planning);
  if (refined === null) return read;
  const again = await readPlannedMap(scope, planned(refined));
  return {
    ...again,
    rowsRead: read.rowsRead + again.rowsRead,
    elapsedMs: read.elapsedMs + again.elapsedMs,
  };
}

async function readPlannedMap(scope: RequestScope, plan: MapWindowPlan): Promise<MapReading> {
  const edges = await scope.query<EdgeRow>(plan.edges);
  const red = await readRankedRed(scope, planned(redOfEdges(plan, edges.rows, scope.planning)));
  return {
    edges: edges.rows,
    red: red.rows,
    plan,
    rowsRead: edges.rowsRead + red.rowsRead,
    elapsedMs: edges.elapsedMs + red.elapsedMs,
  };
}

function edgeView(edge: MapEdge, { now, before }: ServiceMapPlan) {
  return {
    id: edge.id,
    client: edge.client,
    server: edge.server,
    protocol: edge.protocol,
    port: edge.port,
    connections: edge.connections,
    red: edge.red === null ? null : statsView(edge.red, 'red', [], now.window),
    drops: edge.drops,
    encryptedShare: edge.encryptedShare,
    firstSeen: edge.firstSeenNs,
    lastSeen: edge.lastSeenNs,
    change: edge.change,
    before: edge.before === null ? null : statsView(edge.before, 'before', [], (before ?? now).window),
  };
}
