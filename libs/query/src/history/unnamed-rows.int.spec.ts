import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planDrops, refineDrops } from '../drops/plan-drops.js';
import type { DropsRequest } from '../drops/plan-drops.js';
import { readDrops } from '../drops/read-drops.js';
import type { DropRow } from '../drops/read-drops.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import type { GroupBy, KeyPart } from '../group/dimensions.js';
import { planSamples } from '../group/plan-samples.js';
import { planServiceMap, refineMap } from '../map/plan-service-map.js';
import type { MapWindowPlan } from '../map/plan-service-map.js';
import { readServiceMap } from '../map/read-service-map.js';
import type { EdgeRow, MapRows } from '../map/read-service-map.js';
import { planRed, planRedQuestion } from '../red/plan-red.js';
import type { RedPlan, RedRequest } from '../red/plan-red.js';
import { rankRed } from '../red/rank-red.js';
import type { UnrankedRedRow } from '../red/rank-red.js';
import { readRed } from '../red/read-red.js';
import type { RedRow } from '../red/read-red.js';
import { refineRed } from '../red/refine-red.js';
import { CONTEXT, DAY_S, must, startQueryFixture } from '../testing/query-fixture.js';
import type { QueryFixture } from '../testing/query-fixture.js';
import { flowCells, randomFlows } from '../testing/random-calls.js';
import type { RandomFlow } from '../testing/random-calls.js';

const HOUR = 3_600_000_000_000n;
const MINUTE = 60_000_000_000n;
const START = BigInt(DAY_S + 36_000) * 1_000_000_000n;
const WHOLE = { fromNs: START, toNs: START + 5n * HOUR };
const FLOWS = randomFlows(5000, 77);
/** Matches every flow but needs a column that only raw rows have. */
const RAW_ONLY: FlowFilters = { allow: [{ encrypted: [true, false] }] };
const BOTH: readonly GroupBy[] = [{ dimension: 'WORKLOAD', side: 'CLIENT' }, { dimension: 'WORKLOAD' }];
const BY_SERVER: readonly GroupBy[] = [{ dimension: 'WORKLOAD' }];

/** Every third flow to s3 and every fifth flow of c2 comes with addresses only. */
function nameless(flow: RandomFlow, index: number): { readonly client: boolean; readonly server: boolean } {
  return { client: flow.client === 'c2' && index % 5 === 0, server: flow.server === 's3' && index % 3 === 0 };
}

/** Addresses: the client's by its name and the server's by its index, so that some are known, some shared, some unheard of. */
function addresses(flow: RandomFlow, index: number): { readonly client: string; readonly server: string } {
  return { client: `10.0.0.${flow.client.slice(1)}`, server: `10.0.1.${index % 4}` };
}

/** Who the history says an address was, beside the hour: 10.0.1.0 one workload, 10.0.1.1 two, 10.0.1.2 one in even hours. */
function was(ip: string, timeNs: bigint): string {
  const even = (timeNs / HOUR) % 2n === 0n;
  if (ip === '10.0.0.2') return 'shop/c2';
  if (ip === '10.0.1.0') return 'shop/s3';
  return ip === '10.0.1.2' && even ? 'ops/s9' : '';
}

function serverOf(flow: RandomFlow, index: number): string {
  const { server } = addresses(flow, index);
  return nameless(flow, index).server ? was(server, flow.timeNs) : `shop/${flow.server}`;
}

function cellsOf(flow: RandomFlow, index: number) {
  const cells = flowCells(flow, index);
  const bare = nameless(flow, index);
  const { client, server } = addresses(flow, index);
  const turned = cells['client_side'] === 2;
  const side = (party: 'client' | 'server') => ((party === 'client') === turned ? 'dst' : 'src');
  const named = { src_namespace: 'shop', dst_namespace: 'shop', ...cells };
  return {
    ...named,
    ip_version: 1,
    [`${side('client')}_ip`]: `::ffff:${client}`,
    [`${side('server')}_ip`]: `::ffff:${server}`,
    client_namespace: bare.client ? '' : 'shop',
    client_workload: bare.client ? '' : flow.client,
    server_namespace: bare.server ? '' : 'shop',
    server_workload: bare.server ? '' : flow.server,
    ...(bare.client ? { [`${side('client')}_namespace`]: '', [`${side('client')}_pod`]: '' } : {}),
    ...(bare.server ? { [`${side('server')}_namespace`]: '', [`${side('server')}_pod`]: '' } : {}),
  };
}

const HOURS = Array.from({ length: 5 }, (_, hour) => DAY_S + 36_000 + hour * 3600);

function historyRows(): readonly string[] {
  const row = (hour: number, ip: string, namespace: string, pod: string, workload: string): string =>
    `('default', 'default', ${hour}, '::ffff:${ip}', '${namespace}', '${pod}', 'Deployment', '${workload}')`;
  return HOURS.flatMap((hour) => [
    row(hour, '10.0.0.2', 'shop', 'c2-a', 'c2'),
    // Two pods of one workload are one answer, two workloads are none.
    row(hour, '10.0.1.0', 'shop', 's3-a', 's3'),
    row(hour, '10.0.1.0', 'shop', 's3-b', 's3'),
    row(hour, '10.0.1.1', 'shop', 's3-c', 's3'),
    row(hour, '10.0.1.1', 'ops', 's8-a', 's8'),
    ...((hour / 3600) % 2 === 0 ? [row(hour, '10.0.1.2', 'ops', 's9-a', 's9')] : []),
  ]);
}

const time = fc.oneof(
  fc.bigInt({ min: 0n, max: 300n }).map((minutes) => START + minutes * MINUTE),
  fc.bigInt({ min: 0n, max: 5n * HOUR }).map((ns) => START + ns),
);
const windows = fc
  .tuple(time, time)
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => (a < b ? { fromNs: a, toNs: b } : { fromNs: b, toNs: a }));

function nameOf(key: readonly KeyPart[]): string {
  return key.map(({ value }) => value ?? '').join(' ');
}

describe('workloads that only an address tells', () => {
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    await fixture.insert(FLOWS.map(cellsOf));
    const columns = 'tenant, cluster, hour, ip, namespace, pod, workload_kind, workload';
    const sql = `INSERT INTO endpoints (${columns}) VALUES ${historyRows().join(', ')}`;
    await fixture.writer.command({ name: 'test_rows', sql, params: {}, settings: {} });
  });

  afterAll(() => fixture.stop());

  async function drops(request: DropsRequest, context = CONTEXT) {
    const first = must(planDrops(request, context));
    const rows = await fixture.run<DropRow>(first.plan);
    const refined = refineDrops(first, rows, context);
    if (refined === null) return { ...readDrops(rows, first), planned: first, refined: false };
    const planned = must(refined);
    return { ...readDrops(await fixture.run<DropRow>(planned.plan), planned), planned, refined: true };
  }

  async function red(request: RedRequest) {
    const first = must(planRed(request, CONTEXT));
    const rows = await fixture.run<RedRow>(first.plan);
    const refined = refineRed(first, rows, CONTEXT);
    const planned = refined === null ? first : must(refined);
    const { unranked } = planned;
    const ranked =
      unranked === null
        ? await fixture.run<RedRow>(planned.plan)
        : rankRed(await fixture.run<UnrankedRedRow>(unranked.plan), planned);
    return {
      ...readRed(ranked, planned),
      table: planned.answered.table,
      unrefined: await unrefinedRed(first),
    };
  }

  /** The answer without the history. */
  async function unrefinedRed({ question }: RedPlan) {
    const plan = must(planRedQuestion({ ...question, unsided: true }, CONTEXT));
    return readRed(await fixture.run<RedRow>(plan.plan), plan);
  }

  async function mapOf(filters: FlowFilters | null, window: { fromNs: bigint; toNs: bigint }) {
    const plan = must(planServiceMap({ window, filters, maxEdges: 5000 }, CONTEXT));
    const rowsOf = async (one: MapWindowPlan): Promise<MapRows> => ({
      edges: await fixture.run<EdgeRow>(one.edges),
      red: await fixture.run<RedRow>(one.red.plan),
    });
    const first = await rowsOf(plan.now);
    const again = refineMap(plan.now, first, CONTEXT);
    const now = again === null ? plan.now : must(again);
    const rows = again === null ? first : await rowsOf(now);
    const map = readServiceMap(rows, { ...plan, now });
    return { ...map, table: now.answered.table, unrefined: readServiceMap({ ...first, red: [] }, plan) };
  }

  it('are counted under the workload that the address had in the hour of the flow, every drop once', async () => {
    const inside = FLOWS.map((flow, index) => ({ flow, name: serverOf(flow, index) })).filter(
      ({ flow }) => flow.kind === 'drop',
    );
    const truth = new Map<string, bigint>();
    for (const { flow, name } of inside) truth.set(name, (truth.get(name) ?? 0n) + BigInt(flow.weight));
    const answer = await drops({ window: WHOLE, groupBy: BY_SERVER });
    expect(new Map(answer.groups.map(({ key, count }) => [nameOf(key), count]))).toEqual(truth);
    expect(truth.has('ops/s9') && truth.has('')).toBe(true);
    expect(answer.planned.answered.table).toBe('drops_1m+flows+endpoints');
    const known = answer.groups.map(({ key }) => [nameOf(key) !== '', key[0]?.inferred]);
    for (const [named, inferred] of known) expect(inferred).toBe(named);
  });

  it('give the same groups of drops from rollups and from raw rows', async () => {
    await fc.assert(
      fc.asyncProperty(windows, fc.constantFrom(null, HOUR, 5n * MINUTE), async (window, stepNs) => {
        const request = { window, groupBy: BOTH, stepNs, limit: 50 };
        const fast = await drops(request);
        const raw = await drops({ ...request, filters: RAW_ONLY });
        expect({ ...fast, planned: null }).toEqual({ ...raw, planned: null });
        const groups = fast.groups.reduce((sum, group) => sum + group.count, 0n);
        expect(groups + fast.other).toBe(fast.total);
      }),
      { numRuns: 8, seed: 5 },
    );
  }, 90_000);

  it('give the same RED from rollups and from raw rows, and the total that is given without them', async () => {
    const groupings = fc.constantFrom(BOTH, BY_SERVER, [...BY_SERVER, { dimension: 'ENDPOINT' } as const]);
    await fc.assert(
      fc.asyncProperty(windows, groupings, fc.integer({ min: 1, max: 9 }), async (window, groupBy, limit) => {
        const fast = await red({ window, groupBy, limit });
        const raw = await red({ window, groupBy, limit, filters: RAW_ONLY });
        expect({ ...fast, table: '' }).toEqual({ ...raw, table: '' });
        expect(fast.total).toEqual(fast.unrefined.total);
        const parts = [
          ...fast.groups.map(({ stats }) => stats),
          ...(fast.other === null ? [] : [fast.other]),
        ];
        expect(parts.reduce((sum, { requests }) => sum + requests, 0n)).toBe(fast.total.requests);
      }),
      { numRuns: 8, seed: 6 },
    );
  }, 90_000);

  it('name the nodes of a service map alike from rollups and from raw rows, and every flow counts once', async () => {
    await fc.assert(
      fc.asyncProperty(windows, async (window) => {
        const fast = await mapOf(null, window);
        const raw = await mapOf(RAW_ONLY, window);
        expect({ ...fast, table: '' }).toEqual({ ...raw, table: '' });
        const flows = (edges: typeof fast.edges): bigint => edges.reduce((sum, edge) => sum + edge.flows, 0n);
        expect(flows(fast.edges)).toBe(flows(fast.unrefined.edges));
      }),
      { numRuns: 5, seed: 7 },
    );
    const { nodes, unrefined, table } = await mapOf(null, WHOLE);
    expect(table).toBe('edges_1h+flows+endpoints');
    expect(nodes.filter(({ name }) => name === 's9')).toMatchObject([{ namespace: 'ops', inferred: true }]);
    expect(unrefined.nodes.some(({ name }) => name === 's9')).toBe(false);
  }, 90_000);

  it('show their flows as samples of the group', async () => {
    const { planned, groups } = await drops({ window: WHOLE, groupBy: BY_SERVER });
    const group = groups.find(({ key }) => nameOf(key) === 'ops/s9');
    const { keys, window } = planned;
    const plan = must(
      planSamples({ question: 'drops', window, keys, groupId: group?.id ?? '', first: 20 }, CONTEXT),
    );
    const rows = await fixture.run<{ readonly dst_ip: string; readonly src_ip: string }>(plan);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(JSON.stringify(row)).toContain('10.0.1.2');
  });

  it('are asked about in one statement when every flow names its workloads', async () => {
    const filters = { deny: [{ destinationPort: ['80', '8080'] }] };
    expect((await drops({ window: WHOLE, groupBy: BY_SERVER, filters })).refined).toBe(false);
    expect((await drops({ window: WHOLE, groupBy: [{ dimension: 'DROP_REASON' }] })).refined).toBe(false);
  });

  it('stay unknown, and counted, where the raw rows have been removed by age or by size', async () => {
    const all = await drops({ window: WHOLE, groupBy: BY_SERVER });
    const rawNs = CONTEXT.nowNs - START - 2n * HOUR - 1n;
    const aged = await drops(
      { window: WHOLE, groupBy: BY_SERVER },
      { ...CONTEXT, retention: { ...CONTEXT.retention, rawNs } },
    );
    const unknownBefore = FLOWS.filter((flow, index) => {
      const early = flow.timeNs < START + 3n * HOUR;
      return flow.kind === 'drop' && nameless(flow, index).server && (early || serverOf(flow, index) === '');
    });
    const unknown = aged.groups.find(({ key }) => nameOf(key) === '');
    expect(aged.total).toBe(all.total);
    expect(unknown?.count).toBe(unknownBefore.reduce((sum, { weight }) => sum + BigInt(weight), 0n));
    const until = Number((START + 3n * HOUR) / 1_000_000_000n);
    await fixture.writer.command({
      name: 'test_rows',
      sql: `INSERT INTO retention_cuts (class, until, noted, reason, bytes) VALUES ('raw', ${until}, now64(3), 'size', 0)`,
      params: {},
      settings: {},
    });
    const cut = await drops({ window: WHOLE, groupBy: BY_SERVER });
    expect(cut.groups).toEqual(aged.groups);
  });
});
