import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlowFilters } from '../filter/flow-filter.js';
import type { RedRow } from '../red/read-red.js';
import { CONTEXT, DAY_S, must, startQueryFixture } from '../testing/query-fixture.js';
import type { QueryFixture } from '../testing/query-fixture.js';
import { flowCells, randomFlows } from '../testing/random-calls.js';
import type { RandomFlow } from '../testing/random-calls.js';
import type { MapLevel } from './map-level.js';
import { planServiceMap, redOfEdges, refineMap } from './plan-service-map.js';
import type { MapWindowPlan, ServiceMapRequest } from './plan-service-map.js';
import { readServiceMap } from './read-service-map.js';
import type { EdgeRow, MapRows } from './read-service-map.js';

const HOUR = 3_600_000_000_000n;
const START = BigInt(DAY_S + 36_000) * 1_000_000_000n;
const WINDOW = { fromNs: START, toNs: START + 5n * HOUR };
const FLOWS = randomFlows(5000, 31);
const RAW_ONLY: FlowFilters = { allow: [{ encrypted: [true, false] }] };

/** Where a trace event counts connections: nearest to the server is highest. */
function pointOf(flow: RandomFlow): number {
  if (flow.kind !== 'trace') return 0;
  if (flow.point === 101 && flow.reporter === 1) return 4;
  if (flow.reporter !== 2) return 0;
  return ({ 3: 3, 4: 2, 11: 1 } as Readonly<Record<number, number>>)[flow.point] ?? 0;
}

function edgeHour(flow: RandomFlow): string {
  return [flow.client, flow.server, flow.port, flow.l7 === 'dns', flow.timeNs / HOUR].join('|');
}

function connections(): bigint {
  const known = FLOWS.filter((flow) => flow.clientKnown);
  const best = new Map<string, number>();
  for (const flow of known) best.set(edgeHour(flow), Math.max(best.get(edgeHour(flow)) ?? 0, pointOf(flow)));
  return known
    .filter((flow) => flow.isNew && pointOf(flow) !== 0 && pointOf(flow) === best.get(edgeHour(flow)))
    .reduce((sum, flow) => sum + BigInt(flow.weight), 0n);
}

describe('the service map on the real engine', () => {
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    await fixture.insert(FLOWS.map(flowCells));
  });

  afterAll(() => fixture.stop());

  async function rowsOf(plan: MapWindowPlan): Promise<MapRows> {
    const edges = await fixture.run<EdgeRow>(plan.edges);
    const red = must(redOfEdges(plan, edges, CONTEXT));
    return { edges, red: await fixture.run<RedRow>(red.plan) };
  }

  /** As the API asks. */
  async function settled(plan: MapWindowPlan) {
    const rows = await rowsOf(plan);
    const refined = refineMap(plan, rows, CONTEXT);
    if (refined === null) return { rows, plan };
    return { rows: await rowsOf(must(refined)), plan: must(refined) };
  }

  async function ask(request: ServiceMapRequest, complete = true) {
    const planned = must(planServiceMap(request, CONTEXT));
    const now = await settled(planned.now);
    const earlier = planned.before === null ? null : await settled(planned.before);
    const before = earlier === null ? undefined : { rows: earlier.rows, complete };
    const answered = { ...planned, now: now.plan, before: earlier?.plan ?? null };
    return { ...readServiceMap(now.rows, answered, before), table: now.plan.answered.table };
  }

  it('says of each edge the same when others are cut off, and asks for the RED of what it shows only', async () => {
    for (const filters of [null, RAW_ONLY]) {
      const whole = await ask({ window: WINDOW, maxEdges: 5000, filters });
      const cut = await ask({ window: WINDOW, maxEdges: 6, filters });
      expect(cut.edges).toHaveLength(6);
      expect(cut.truncated).toBe(whole.edges.length - 6);
      expect(cut.edges.some((edge) => edge.red !== null)).toBe(true);
      expect(whole.edges).toEqual(expect.arrayContaining([...cut.edges]));
      const { now } = must(planServiceMap({ window: WINDOW, maxEdges: 6, filters }, CONTEXT));
      const all = await fixture.run<RedRow>(now.red.plan);
      expect((await rowsOf(now)).red.length).toBeLessThanOrEqual(all.length / 2);
    }
  });

  it('sums to the flows, drops and connections of edges whose client is known', async () => {
    const map = await ask({ window: WINDOW, maxEdges: 5000 });
    const known = FLOWS.filter((flow) => flow.clientKnown);
    const total = (pick: (edge: (typeof map.edges)[number]) => bigint): bigint =>
      map.edges.reduce((sum, edge) => sum + pick(edge), 0n);
    const sum = (flows: readonly RandomFlow[]): bigint =>
      flows.reduce((all, flow) => all + BigInt(flow.weight), 0n);
    expect(total((edge) => edge.flows)).toBe(sum(known));
    expect(total((edge) => edge.drops)).toBe(sum(known.filter((flow) => flow.kind === 'drop')));
    expect(total((edge) => edge.connections ?? 0n)).toBe(connections());
    const edges = new Set(
      known.map((flow) => [flow.client, flow.server, flow.port, flow.l7 === 'dns'].join('|')),
    );
    expect(map.edges.length).toBe(edges.size);
    expect(map.truncated).toBe(0);
    expect(map.table).toBe('edges_1h');
  });

  it.each<MapLevel>(['CLUSTER', 'NAMESPACE', 'WORKLOAD'])(
    'gives the same %s map from raw rows',
    async (collapse) => {
      const window = { fromNs: START + 123n, toNs: WINDOW.toNs - 77_000_000_001n };
      const fast = await ask({ window, collapse });
      const raw = await ask({ window, collapse, filters: RAW_ONLY });
      expect([fast.table, raw.table]).toEqual(['edges_1h+edges_1m+flows', 'flows']);
      expect({ ...fast, table: '' }).toEqual({ ...raw, table: '' });
    },
  );

  it('chooses observation points by whole hours, however the window cuts them', async () => {
    const minute = 60_000_000_000n;
    const time = fc.oneof(
      fc.bigInt({ min: 0n, max: 300n }).map((minutes) => START + minutes * minute),
      fc.bigInt({ min: 0n, max: 5n * HOUR }).map((ns) => START + ns),
    );
    const windows = fc.tuple(time, time).filter(([a, b]) => a !== b);
    await fc.assert(
      fc.asyncProperty(windows, async ([a, b]) => {
        const window = a < b ? { fromNs: a, toNs: b } : { fromNs: b, toNs: a };
        const fast = await ask({ window, maxEdges: 5000 });
        const raw = await ask({ window, maxEdges: 5000, filters: RAW_ONLY });
        expect({ ...fast, table: '' }).toEqual({ ...raw, table: '' });
      }),
      { numRuns: 10, seed: 3 },
    );
  }, 120_000);

  it('shows pods and services from raw rows', async () => {
    const pods = await ask({ window: WINDOW, collapse: 'POD' });
    expect(pods.table).toBe('flows');
    expect(pods.nodes.map((node) => node.name).toSorted()).toContain('pod-3');
    const services = await ask({ window: WINDOW, collapse: 'SERVICE' });
    expect(services.nodes.some((node) => node.name === 's1')).toBe(true);
  });

  it('cuts off at the limit and says how many edges are missing', async () => {
    const all = await ask({ window: WINDOW, maxEdges: 5000 });
    const cut = await ask({ window: WINDOW, maxEdges: 4 });
    expect(cut.edges.length).toBe(4);
    expect(cut.truncated).toBe(all.edges.length - 4);
    const used = new Set(cut.edges.flatMap((edge) => [edge.client, edge.server]));
    expect(new Set(cut.nodes.map((node) => node.id))).toEqual(used);
  });

  it('calls an edge new only when the earlier window was seen completely', async () => {
    const empty = { fromNs: START - 2n * HOUR, toNs: START - HOUR };
    const known = await ask({ window: WINDOW, compareTo: empty });
    expect(new Set(known.edges.map((edge) => edge.change))).toEqual(new Set(['NEW']));
    const unknown = await ask({ window: WINDOW, compareTo: empty }, false);
    expect(new Set(unknown.edges.map((edge) => edge.change))).toEqual(new Set(['UNKNOWN_COVERAGE']));
    const gone = await ask({ window: empty, compareTo: WINDOW });
    expect(new Set(gone.edges.map((edge) => edge.change))).toEqual(new Set(['GONE']));
    const same = await ask({ window: WINDOW, compareTo: WINDOW });
    expect(new Set(same.edges.map((edge) => edge.change))).toEqual(new Set(['SAME']));
  });

  it('attaches RED to the edges that have L7 records, and null to the others', async () => {
    const map = await ask({ window: WINDOW, maxEdges: 5000 });
    const requests = map.edges.reduce((sum, edge) => sum + (edge.red?.requests ?? 0n), 0n);
    expect(requests).toBeGreaterThan(0n);
    const silent = await ask({ window: WINDOW, filters: { allow: [{ verdict: ['AUDIT'] }] } });
    expect(silent.edges.length).toBeGreaterThan(0);
    expect(new Set(silent.edges.map((edge) => edge.red))).toEqual(new Set([null]));
  });
});
