import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlowFilters } from '../filter/flow-filter.js';
import { CONTEXT, DAY_S, must, startQueryFixture, timeLiteral } from '../testing/query-fixture.js';
import type { FlowCells, QueryFixture } from '../testing/query-fixture.js';
import { flowCells, randomFlows } from '../testing/random-calls.js';
import type { FlowRow } from './flow-record.js';
import { readFlow } from './read-flow.js';
import { planFlow, planFlowCount, planLabels } from './plan-flow.js';
import { planFlows } from './plan-flows.js';
import type { FlowsPlan, FlowsRequest } from './plan-flows.js';
import { readFlowCount, readFlows, readLabels } from './read-flows.js';
import { searchPage } from './search-page.js';
import type { FlowPage } from './read-flows.js';

const START = BigInt(DAY_S + 36_000) * 1_000_000_000n;
const WINDOW = { fromNs: START, toNs: START + 18_000_000_000_000n };
const UUID = '43eea867-dd4b-4e5e-b2b8-fe80e0f51b06';

/** Few distinct times, so that pages break between flows of the same nanosecond; two clusters. */
const FLOWS = randomFlows(400, 5).map((flow, index) => ({
  ...flow,
  timeNs: START + BigInt(index % 37) * 60_000_000_000n,
}));
const ROWS: readonly FlowCells[] = FLOWS.map((flow, index) => ({
  ...flowCells(flow, index),
  cluster: index % 3 === 0 ? 'eu' : 'us',
}));

const RARE: FlowFilters = { allow: [{ verdict: ['DROPPED'] }] };

describe('pages of flows on the real engine', () => {
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    await fixture.insert(ROWS);
    await fixture.insert([
      {
        ...ROWS[0],
        tenant: 'solo',
        uuid: UUID,
        bucket_time: timeLiteral(START + 5n),
        time_shift: 7_000_000_000_000_000_000n,
        src_ip: '::ffff:10.1.2.3',
        dst_ip: 'fd00::7',
        src_label_set: 18_446_744_073_709_551_615n,
        http_header_keys: ['a', 'a'],
        http_header_values: ['1', '2'],
      },
    ]);
    await fixture.writer.command({
      name: 'test_labels',
      sql: "INSERT INTO label_sets VALUES ('solo', 18446744073709551615, ['k8s:app=web', 'k8s:tier=front'])",
      params: {},
      settings: {},
    });
  });

  afterAll(() => fixture.stop());

  async function page(request: FlowsRequest): Promise<FlowPage> {
    const planned = must(planFlows({ window: WINDOW, parts: [], ...request }, CONTEXT));
    return readFlows(await fixture.run<FlowRow>(planned.plan), planned);
  }

  const names = ({ flows }: FlowPage): string[] =>
    flows.map(({ position }) =>
      [position.bucketNs, position.partition, position.offset, position.index].join(' '),
    );

  const ORDERED = ROWS.map((row, index) => ({ row, timeNs: FLOWS[index]?.timeNs ?? 0n }))
    .toSorted((a, b) => {
      const keys = [
        Number(a.timeNs - b.timeNs),
        Number(a.row['_lp']) - Number(b.row['_lp']),
        Number(a.row['_lo']) - Number(b.row['_lo']),
        Number(a.row['_li']) - Number(b.row['_li']),
      ];
      return keys.find((key) => key !== 0) ?? 0;
    })
    .map(({ row, timeNs }) => [timeNs, row['_lp'], row['_lo'], row['_li']].join(' '));

  it('walks all flows once, in time order, forwards and backwards, by pages of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 17, max: 150 }),
        fc.boolean(),
        fc.boolean(),
        async (size, forward, merged) => {
          const clusters = merged ? ['eu', 'us'] : [];
          const seen: string[] = [];
          let cursor: string | undefined;
          for (let more = true; more;) {
            const request = forward ? { first: size, after: cursor } : { last: size, before: cursor };
            const part = await page({ ...request, clusters });
            if (forward) seen.push(...names(part));
            else seen.unshift(...names(part));
            expect(forward ? part.hasPreviousPage : part.hasNextPage).toBe(cursor !== undefined);
            more = forward ? part.hasNextPage : part.hasPreviousPage;
            cursor = forward ? part.cursors.at(-1) : part.cursors[0];
          }
          expect(seen).toEqual(ORDERED);
        },
      ),
      { numRuns: 8, seed: 1 },
    );
  });

  /** One page of a search whose clock goes on by `statementMs` at each statement. */
  async function searched(request: FlowsRequest, statementMs: number): Promise<FlowPage> {
    let nowMs = 0;
    const read = async ({ plan }: FlowsPlan): Promise<readonly FlowRow[]> => {
      nowMs += statementMs;
      return fixture.run<FlowRow>(plan);
    };
    const time = { budgetMs: 250, now: () => nowMs };
    const found = must(await searchPage({ window: WINDOW, parts: [], ...request }, CONTEXT, time, read));
    return readFlows(found.rows, found.plan, found.unsearched);
  }

  it('walks all flows once by the cursors of searches that stopped, also where nothing was found', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 150 }),
        fc.boolean(),
        fc.constantFrom(60, 90, 400),
        async (size, forward, statementMs) => {
          const seen: string[] = [];
          let cursor: string | null = null;
          for (let more = true; more;) {
            const request = forward ? { first: size, after: cursor } : { last: size, before: cursor };
            const part = await searched({ ...request, filters: RARE }, statementMs);
            if (forward) seen.push(...names(part));
            else seen.unshift(...names(part));
            more = forward ? part.hasNextPage : part.hasPreviousPage;
            cursor = forward ? part.endCursor : part.startCursor;
          }
          expect(seen).toEqual(names(await page({ first: 1000, filters: RARE })));
          expect(seen.length).toBeGreaterThan(10);
        },
      ),
      { numRuns: 4, seed: 2 },
    );
  });

  it('shows the newest 20 when nothing is asked for', async () => {
    expect(names(await page({}))).toEqual(ORDERED.slice(-20));
    expect(names(await page({ first: 3 }))).toEqual(ORDERED.slice(0, 3));
  });

  it('reads one cluster only when one is named', async () => {
    const eu = await page({ first: 1000, clusters: ['eu'] });
    expect(eu.flows.length).toBe(ROWS.filter((row) => row['cluster'] === 'eu').length);
  });

  it('keeps the place of a cursor when flows arrive before it', async () => {
    const filters: FlowFilters = { allow: [{ nodeName: ['n1'] }] };
    const first = await page({ filters, first: 5 });
    await fixture.insert([
      { ...ROWS[1], node: 'n1', bucket_time: timeLiteral(START), _lo: 999, tenant: 'default' },
    ]);
    const second = await page({ filters, first: 5, after: first.cursors.at(-1) });
    const all = await page({ filters, first: 11 });
    expect(names(all).slice(6)).toEqual(names(second));
  });

  it('finds a flow by its id and by its uuid, with every field as it was', async () => {
    const context = { ...CONTEXT, tenant: 'solo' };
    const byUuid = await fixture.run<FlowRow>(must(planFlow({ uuid: UUID }, context)));
    const [found] = byUuid.map(readFlow);
    expect(found).toMatchObject({
      uuid: UUID,
      timeNs: START + 5n + 7_000_000_000_000_000_000n,
      source: { ip: '10.1.2.3', labelSet: '18446744073709551615' },
      destination: { ip: 'fd00::7' },
    });
    const near = must(planFlow({ uuid: UUID, nearNs: START + 300_000_000_000n }, context));
    expect((await fixture.run<FlowRow>(near)).map(readFlow)).toEqual([found]);
    const byId = must(planFlow({ id: found?.id ?? '' }, context));
    expect((await fixture.run<FlowRow>(byId)).map(readFlow)).toEqual([found]);
    expect(await fixture.run(must(planFlow({ id: found?.id ?? '' }, CONTEXT)))).toEqual([]);
  });

  it('reads labels by label set, also above 2^53', async () => {
    const plan = planLabels(['18446744073709551615', '5'], { ...CONTEXT, tenant: 'solo' });
    const labels = readLabels(await fixture.run<{ id: string; labels: string[] }>(plan));
    expect(labels).toEqual(new Map([['18446744073709551615', ['k8s:app=web', 'k8s:tier=front']]]));
  });

  it('counts no further than the cap', async () => {
    const count = async (upTo: number) => {
      const plan = must(planFlowCount({ window: WINDOW }, upTo, CONTEXT));
      return readFlowCount(await fixture.run<{ value: string }>(plan), upTo);
    };
    expect(await count(10)).toEqual({ value: 10, capped: true });
    expect(await count(1000)).toEqual({ value: 401, capped: false });
  });

  it('matches inferred workloads by pod name and by the endpoint history, only when asked', async () => {
    const hour = new Date(Number(START / 1_000_000n)).toISOString().slice(0, 13).replace('T', ' ');
    await fixture.writer.command({
      name: 'test_endpoints',
      sql: `INSERT INTO endpoints (tenant, cluster, hour, ip, namespace, pod, workload_kind, workload, service_namespace, service_name)
        VALUES ('solo', 'eu', '${hour}:00:00', '::ffff:10.1.2.3', 'shop', 'x', 'Deployment', 'refined', 'shop', 'front')`,
      params: {},
      settings: {},
    });
    const context = { ...CONTEXT, tenant: 'solo' };
    const count = async (filters: FlowFilters) => {
      const planned = must(planFlows({ window: WINDOW, filters }, context));
      return (await fixture.run(planned.plan)).length;
    };
    const sourceWorkload = [{ name: 'refined', kind: 'Deployment' }];
    expect(await count({ allow: [{ sourceWorkload }] })).toBe(0);
    expect(await count({ allow: [{ sourceWorkload, matchInferred: true }] })).toBe(1);
    expect(await count({ allow: [{ destinationWorkload: sourceWorkload, matchInferred: true }] })).toBe(0);
    expect(await count({ allow: [{ sourceService: ['shop/fr'] }] })).toBe(0);
    expect(await count({ allow: [{ sourceService: ['shop/fr'], matchInferred: true }] })).toBe(1);
    expect(await count({ allow: [{ sourceLabel: ['app=web,tier notin (back)'] }] })).toBe(1);
    expect(await count({ allow: [{ sourceLabel: ['app!=web'] }] })).toBe(0);
    expect(await count({ allow: [{ destinationLabel: ['app!=web'] }] })).toBe(1);
  });
});
