import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCoverage, checkReach } from './truth/coverage-checks.js';
import { RAW_ONLY } from './truth/red-question.js';
import { namespacesOf, nodesOf } from './truth/inventory-truth.js';
import {
  deniedVerdicts,
  FLOW_FIELDS,
  flowOf,
  linesIn,
  linesOf,
  type Line,
  type LineFlow,
} from './truth/record-truth.js';
import {
  MINUTE_NS,
  SCENARIOS,
  SETUP_MS,
  timeNs,
  windowInput,
  windowsOf,
  type Scenario,
  type Span,
} from './truth/scenarios.js';
import { startTruthPipeline, type TruthPipeline } from './truth/truth-pipeline.js';

const CHOSEN = SCENARIOS.filter(({ name }) => /nothing|lose|reach|everything/.test(name));
const PAGE = 1000;

let pipeline: TruthPipeline;
const lines = new Map<Scenario, readonly Line[]>();

beforeAll(async () => {
  pipeline = await startTruthPipeline(CHOSEN);
  for (const scenario of CHOSEN) lines.set(scenario, linesOf(pipeline.played(scenario).events));
}, SETUP_MS);

afterAll(() => pipeline?.stop());

interface Page {
  readonly nodes: readonly { readonly time: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

async function allFlows(window: Span): Promise<Page['nodes']> {
  const query = `query Flows($window: WindowInput, $after: String) {
    flows(window: $window, first: ${PAGE}, after: $after) { nodes { ${FLOW_FIELDS} } pageInfo { hasNextPage endCursor } }
  }`;
  const found: Page['nodes'][number][] = [];
  for (let after: string | null = null; ;) {
    const { flows }: { flows: Page } = await pipeline.ask(query, { window: windowInput(window), after });
    found.push(...flows.nodes);
    if (!flows.pageInfo.hasNextPage) return found;
    after = flows.pageInfo.endCursor;
  }
}

async function countFlows(window: Span, filters?: object): Promise<number> {
  const query = `query Count($window: WindowInput, $filters: FlowFilters) {
    flows(window: $window, filters: $filters, first: 1) { totalCount(upTo: 1000000) { value capped } }
  }`;
  interface Answer {
    readonly flows: { readonly totalCount: { readonly value: number; readonly capped: boolean } };
  }
  const { flows } = await pipeline.ask<Answer>(query, { window: windowInput(window), filters });
  expect(flows.totalCount.capped).toBe(false);
  return flows.totalCount.value;
}

function flowsIn(scenario: Scenario, window: Span): readonly LineFlow[] {
  return linesIn(lines.get(scenario) ?? [], window).flatMap(({ flow }) => (flow === undefined ? [] : [flow]));
}

/** Counts of records by what Hubble's own filter fields select. */
const SELECTIONS: readonly { readonly filters: object; readonly matches: (flow: LineFlow) => boolean }[] = [
  ...[1, 4, 5, 7, 129].map((type) => ({
    filters: { allow: [{ eventType: [{ type }] }] },
    matches: (flow: LineFlow) => flow.event_type.type === type,
  })),
  { filters: { allow: [{ verdict: ['DROPPED'] }] }, matches: (flow) => flow.verdict === 'DROPPED' },
  { filters: { allow: [{ reply: [true] }] }, matches: (flow) => flow.is_reply === true },
  {
    filters: { allow: [{ sourcePod: ['shop/'] }], deny: [{ httpStatusCode: ['5+'] }] },
    matches: (flow) => flow.source?.namespace === 'shop' && !((flow.l7?.http?.code ?? 0) >= 500),
  },
  {
    filters: { allow: [{ trafficDirection: ['EGRESS'] }] },
    matches: (flow) => flow.traffic_direction === 'EGRESS',
  },
  { filters: RAW_ONLY, matches: () => true },
];

describe.each(CHOSEN)('records when $name', (scenario) => {
  it('gives every flow back as it was sent, once, in the order of time', async () => {
    const window = { fromNs: scenario.fromNs + 55n * MINUTE_NS, toNs: scenario.fromNs + 75n * MINUTE_NS };
    const answer = await allFlows(window);
    const times = answer.map((flow) => timeNs(flow.time));
    expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
    const sorted = (flows: readonly object[]): readonly string[] =>
      flows.map((flow) => JSON.stringify(flow)).toSorted();
    const verdicts = deniedVerdicts(flowsIn(scenario, scenario));
    const expected = sorted(flowsIn(scenario, window).map((flow) => flowOf(flow, verdicts)));
    const given = sorted(answer);
    expect(given.find((text, index) => text !== expected[index])).toBe(
      expected.find((text, index) => text !== given[index]),
    );
    expect(given.length).toBe(expected.length);
    expect(given.length).toBeGreaterThan(PAGE);
  });

  it('counts the flows that a filter selects', async () => {
    for (const window of windowsOf(scenario).slice(0, 2)) {
      const flows = flowsIn(scenario, window);
      expect(await countFlows(window)).toBe(flows.length);
      for (const { filters, matches } of window === windowsOf(scenario)[0] ? SELECTIONS : []) {
        const expected = flows.filter(matches).length;
        expect(await countFlows(window, filters), JSON.stringify(filters)).toBe(expected);
        expect(expected).toBeGreaterThan(0);
      }
    }
    const { simulations } = pipeline.played(scenario);
    const emitted = simulations.reduce((sum, { truth }) => sum + truth.totals.flows, 0);
    expect(flowsIn(scenario, scenario).length).toBe(emitted);
  });

  it('knows the nodes, what they sent and what they lost', async () => {
    const query = `query Nodes($window: WindowInput) {
      nodes(window: $window) { cluster name flowsPerSecond eventsLost lastSeen labels }
    }`;
    interface Node {
      readonly cluster: string;
      readonly name: string;
      readonly flowsPerSecond: number;
      readonly eventsLost: number;
      readonly lastSeen: string;
      readonly labels: readonly string[];
    }
    for (const window of windowsOf(scenario).slice(0, 2)) {
      const { nodes } = await pipeline.ask<{ nodes: readonly Node[] }>(query, {
        window: windowInput(window),
      });
      const seconds = Number(window.toNs - window.fromNs) / 1e9;
      const given = nodes.map(({ cluster, name, flowsPerSecond, eventsLost, lastSeen }) => [
        `${cluster}/${name}`,
        { records: Math.round(flowsPerSecond * seconds), lost: eventsLost, lastNs: timeNs(lastSeen) },
      ]);
      const known = nodesOf(linesIn(lines.get(scenario) ?? [], window));
      expect(Object.fromEntries(given)).toEqual(Object.fromEntries(known));
      for (const { name, labels } of nodes) expect(labels).toContain(`kubernetes.io/hostname=${name}`);
    }
  });

  it('knows the namespaces, their flows and their drops', async () => {
    const query = `query Namespaces($window: WindowInput) {
      namespaces(window: $window) { cluster name flows drops lastSeen }
    }`;
    interface Namespace {
      readonly cluster: string;
      readonly name: string;
      readonly flows: number;
      readonly drops: number;
      readonly lastSeen: string;
    }
    for (const window of windowsOf(scenario).slice(0, 2)) {
      const variables = { window: windowInput(window) };
      const answer = await pipeline.ask<{ namespaces: readonly Namespace[] }>(query, variables);
      const given = answer.namespaces.map(({ cluster, name, flows, drops, lastSeen }) => [
        `${cluster}/${name}`,
        { flows, drops, lastNs: timeNs(lastSeen) },
      ]);
      const known = namespacesOf(linesIn(lines.get(scenario) ?? [], window));
      expect(Object.fromEntries(given)).toEqual(Object.fromEntries(known));
    }
  });
});

const facts = () => ({ pipeline, lines });
for (const scenario of CHOSEN) checkCoverage(scenario, facts);
checkReach(CHOSEN, facts);
