import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesOf, type LineFlow } from './truth/record-truth.js';
import { SCENARIOS, SETUP_MS, windowInput } from './truth/scenarios.js';
import { startTruthPipeline, type TruthPipeline } from './truth/truth-pipeline.js';

/** Hubble names the workload of the side that the observing node runs only; the other side has to be inferred. */
const [SCENARIO] = SCENARIOS.filter(({ name }) => name.includes('nothing'));

let pipeline: TruthPipeline;
let flows: readonly LineFlow[];

beforeAll(async () => {
  if (SCENARIO === undefined) throw new Error('no scenario without faults');
  pipeline = await startTruthPipeline([SCENARIO]);
  flows = linesOf(pipeline.played(SCENARIO).events).flatMap(({ flow }) => (flow === undefined ? [] : [flow]));
}, SETUP_MS);

afterAll(() => pipeline?.stop());

interface End {
  readonly podName: string | null;
  readonly workload: { readonly kind: string; readonly name: string; readonly inferred: boolean } | null;
}
interface Ends {
  readonly uuid: string;
  readonly source: End;
  readonly destination: End;
}

async function endsOf(pod: string): Promise<readonly Ends[]> {
  if (SCENARIO === undefined) return [];
  const query = `query Ends($window: WindowInput, $filters: FlowFilters) {
    flows(window: $window, filters: $filters, first: 1000) { nodes { uuid
      source { podName workload { kind name inferred } } destination { podName workload { kind name inferred } } } }
  }`;
  const filters = { allow: [{ sourcePod: [pod] }, { destinationPod: [pod] }] };
  const variables = { window: windowInput(SCENARIO), filters };
  return (await pipeline.ask<{ flows: { nodes: readonly Ends[] } }>(query, variables)).flows.nodes;
}

describe('workloads of remote sides in simulated traffic', () => {
  it('take their kind from the node that runs the pod: a DaemonSet’s pod name shows none', async () => {
    const sent = new Map(flows.map((flow) => [flow.uuid, flow]));
    const counts = { local: 0, remote: 0 };
    for (const { uuid, source, destination } of await endsOf('monitoring/log-agent-')) {
      for (const [side, end] of [
        ['source', source],
        ['destination', destination],
      ] as const) {
        if (end.podName?.startsWith('log-agent-') !== true) continue;
        const named = (sent.get(uuid)?.[side]?.workloads ?? []).length > 0;
        counts[named ? 'local' : 'remote']++;
        expect(end.workload).toEqual({ kind: 'DaemonSet', name: 'log-agent', inferred: !named });
      }
    }
    expect(Math.min(counts.local, counts.remote)).toBeGreaterThan(0);
  });
});
