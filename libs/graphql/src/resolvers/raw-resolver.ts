import { Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { toProtoJson } from '@flowledger/model';
import { encodeFlow, planWholeFlows, readFlow, type FlowRecord, type FlowRow } from '@flowledger/query';
import type { ApiContext, RequestScope } from '../request/request-scope.js';
import type { FlowView } from './flow-view.js';

/** Flows that one statement reads again. */
const MAX_FLOWS = 1000;

type Flows = ReadonlyMap<string, FlowRecord>;

/** Reads flows with all their parts; everything asked for before the next turn of the event loop is one statement. */
class WholeFlowLoader {
  #pending: { readonly asked: Map<string, FlowRecord>; readonly found: Promise<Flows> } | undefined;

  constructor(private readonly scope: RequestScope) {}

  async load(flow: FlowRecord): Promise<FlowRecord | undefined> {
    if (flow.wire !== null) return flow;
    if (this.#pending === undefined || this.#pending.asked.size >= MAX_FLOWS) this.#pending = this.#collect();
    const { asked, found } = this.#pending;
    asked.set(flow.id, flow);
    return (await found).get(flow.id);
  }

  #collect(): { asked: Map<string, FlowRecord>; found: Promise<Flows> } {
    const asked = new Map<string, FlowRecord>();
    const found = new Promise<void>((resolve) => setImmediate(resolve)).then(async (): Promise<Flows> => {
      if (this.#pending?.asked === asked) this.#pending = undefined;
      const positions = [...asked.values()].map(({ position }) => position);
      const result = await this.scope.query<FlowRow>(planWholeFlows(positions, this.scope.planning));
      return new Map(result.rows.map(readFlow).map((flow) => [flow.id, flow]));
    });
    return { asked, found };
  }
}

/** `Flow.raw`: the flow as received, in Hubble's own JSON form. */
@Resolver('Flow')
export class RawResolver {
  /** Null when the flow was removed by retention after the page was read. */
  @ResolveField('raw')
  async raw(@Parent() view: FlowView, @Context() { scope }: ApiContext): Promise<string | null> {
    const loader = await scope.once('whole-flows', async () => new WholeFlowLoader(scope));
    const flow = await loader.load(view.record);
    if (flow === undefined) return null;
    const [sourceLabels, destinationLabels, nodeLabels] = await Promise.all([
      scope.labels.load(flow.source.labelSet),
      scope.labels.load(flow.destination.labelSet),
      scope.labels.load(flow.wire?.nodeLabelSet ?? ''),
    ]);
    const json = toProtoJson('flow.Flow', encodeFlow({ flow, sourceLabels, destinationLabels, nodeLabels }));
    return json.ok ? json.value : null;
  }
}
