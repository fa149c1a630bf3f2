import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiServer } from './server/api-server.js';
import { ask, codesOf, startApiFixture, type ApiFixture } from './testing/api-fixture.js';
import { at, httpAnswer, insertFlows, POLICY_DROP } from './testing/flow-rows.js';

const WINDOW = `{ from: "${at(0)}", to: "${at(3600)}" }`;

let api: ApiFixture;
let server: ApiServer;

beforeAll(async () => {
  api = await startApiFixture();
  server = await api.serve();
  await insertFlows(api.writer, [
    ...[1, 2, 3, 4].map((i) => ({ seconds: i * 60, cells: httpAnswer(200, 10) })),
    { seconds: 301, cells: httpAnswer(503, 80) },
    { seconds: 400.25, cells: POLICY_DROP },
    { seconds: 401, cells: POLICY_DROP },
    { seconds: 402, cells: { ...POLICY_DROP, tenant: "'other'" } },
  ]);
});
afterAll(() => api.stop());

describe('flows', () => {
  it('pages through all flows of the tenant in order of time, each once', async () => {
    const query = `query ($after: String) { flows(window: ${WINDOW}, first: 3, after: $after) {
      nodes { id time } pageInfo { hasNextPage endCursor } totalCount { value capped } answered { table } } }`;
    const times: string[] = [];
    let after: string | null = null;
    for (let page = 0; page < 4; page++) {
      const { data, errors } = await ask(server, query, { after });
      expect(errors).toEqual([]);
      const flows = data?.['flows'] as {
        nodes: { time: string }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
        totalCount: object;
      };
      expect(flows.totalCount).toEqual({ value: 7, capped: false });
      times.push(...flows.nodes.map((node) => node.time));
      after = flows.pageInfo.endCursor;
      if (!flows.pageInfo.hasNextPage) break;
    }
    expect(times).toHaveLength(7);
    expect(times.toSorted()).toEqual(times);
    expect(times[5]).toBe(at(400.25));
  });

  it('says where it stopped when the time is up, and finds the rest from there', async () => {
    const query = `query ($before: String) { flows(window: ${WINDOW}, last: 5, before: $before, timeBudget: "1ns",
      filters: { allow: [{ verdict: [DROPPED] }] }) { nodes { time } pageInfo { hasPreviousPage startCursor } } }`;
    const pages: number[] = [];
    let before: string | null = null;
    for (let more = true; more && pages.length < 10;) {
      const { data, errors } = await ask(server, query, { before });
      expect(errors).toEqual([]);
      const flows = data?.['flows'] as {
        nodes: { time: string }[];
        pageInfo: { hasPreviousPage: boolean; startCursor: string | null };
      };
      pages.push(flows.nodes.length);
      [more, before] = [flows.pageInfo.hasPreviousPage, flows.pageInfo.startCursor];
    }
    // Ten minutes at a time: the drops are in the first ten, which come last.
    expect(pages).toEqual([0, 0, 0, 0, 0, 2]);
    const whole = `{ flows(window: ${WINDOW}, last: 5, timeBudget: "10s", filters: { allow: [{ verdict: [DROPPED] }] }) {
      nodes { time } pageInfo { hasPreviousPage } } }`;
    expect((await ask(server, whole)).data?.['flows']).toMatchObject({
      nodes: [{ time: at(400.25) }, { time: at(401) }],
      pageInfo: { hasPreviousPage: false },
    });
  });

  it('shows a dropped packet with its reason, its ends and its text', async () => {
    const { data } = await ask(
      server,
      `{ flows(window: ${WINDOW}, last: 1, filters: { allow: [{ verdict: [DROPPED] }] }) { nodes {
        verdict type eventType { number name } summary protocol sourcePort destinationPort tcpFlags isReply
        dropReason { number name text } source { podName namespace workload { name inferred } labels }
        server { podName } client { podName } http { method } latencyMs uuid weight timeQuality } } }`,
    );
    expect(data?.['flows']).toMatchObject({
      nodes: [
        {
          verdict: 'DROPPED',
          type: 'L3_L4',
          eventType: { number: 1, name: 'drop' },
          summary: 'TCP Flags: SYN',
          protocol: 'TCP',
          sourcePort: 41000,
          destinationPort: 5432,
          tcpFlags: ['SYN'],
          isReply: null,
          dropReason: { number: 133, name: 'POLICY_DENIED' },
          source: {
            podName: 'job-1',
            namespace: 'batch',
            workload: { name: 'job', inferred: true },
            labels: [],
          },
          client: { podName: 'job-1' },
          server: { podName: 'db-0' },
          http: null,
          latencyMs: null,
          uuid: null,
          weight: 1,
          timeQuality: 'ok',
        },
      ],
    });
  });

  it('finds a flow by its id and answers null for one that is not there', async () => {
    const { data } = await ask(server, `{ flows(window: ${WINDOW}, first: 1) { nodes { id } } }`);
    const id = (data?.['flows'] as { nodes: { id: string }[] } | undefined)?.nodes[0]?.id;
    const found = await ask(server, 'query ($id: ID) { flow(id: $id) { id http { code pathTemplate } } }', {
      id,
    });
    expect(found.data).toEqual({ flow: { id, http: { code: 200, pathTemplate: '/items/{id}' } } });
    const none = await ask(server, '{ flow(uuid: "6f1c2c1e-0000-4000-8000-000000000001") { id } }');
    expect(none).toMatchObject({ data: { flow: null }, errors: [] });
  });

  it('refuses a cursor of another filter and a damaged one', async () => {
    const { data } = await ask(server, `{ flows(window: ${WINDOW}, first: 1) { pageInfo { endCursor } } }`);
    const after = (data?.['flows'] as { pageInfo: { endCursor: string } } | undefined)?.pageInfo.endCursor;
    const query = `query ($after: String) { flows(first: 1, after: $after, filters: { allow: [{ verdict: [DROPPED] }] }) { nodes { id } } }`;
    for (const cursor of [after, `${after}x`, 'bogus', '']) {
      expect(codesOf(await ask(server, query, { after: cursor }))).toEqual(['BAD_CURSOR']);
    }
  });
});

describe('redMetrics', () => {
  it('counts requests, faults and durations, and says which table answered', async () => {
    const { data, errors } = await ask(
      server,
      `{ redMetrics(window: ${WINDOW}, step: "30m", groupBy: [{ dimension: WORKLOAD }]) {
        step buckets total { requests errors errorRatio ratePerSecond quantilesMs(q: [0.5, 0.99]) reporter }
        groups { key { dimension side value } stats { requests } series { requests errors quantileMs(q: 0.5) } }
        other { requests } groupCount missing { path } answered { table exact } } }`,
    );
    expect(errors).toEqual([]);
    const red = data?.['redMetrics'] as { total: { quantilesMs: number[] } };
    expect(red).toMatchObject({
      step: '30m',
      buckets: [at(0), at(1800)],
      total: { requests: 5, errors: 1, errorRatio: 0.2, reporter: 'server' },
      groups: [
        {
          key: [{ dimension: 'WORKLOAD', side: 'SERVER', value: 'shop/api' }],
          stats: { requests: 5 },
          series: { requests: [5, 0], errors: [1, 0] },
        },
      ],
      other: null,
      groupCount: 1,
      missing: [],
      answered: { table: 'red_1m', exact: true },
    });
    expect(red.total.quantilesMs[0]).toBeCloseTo(10, 0);
    expect(Math.abs((red.total.quantilesMs[1] ?? 0) - 80) / 80).toBeLessThan(0.045);
  });

  it('says that nothing was measured instead of answering with zeros for durations', async () => {
    const { data } = await ask(
      server,
      `{ redMetrics(window: { from: "${at(-7200)}", to: "${at(-3600)}" }) { total { requests errorRatio avgMs quantilesMs } missing { path reason } } }`,
    );
    expect(data?.['redMetrics']).toEqual({
      total: { requests: 0, errorRatio: null, avgMs: null, quantilesMs: [null, null, null, null] },
      missing: [{ path: 'total', reason: 'NO_L7_VISIBILITY' }],
    });
  });
});

describe('drops', () => {
  it('names reason, ends, time and remedy, of its own tenant only', async () => {
    const { data, errors } = await ask(
      server,
      `{ drops(window: ${WINDOW}, groupBy: [{ dimension: DROP_REASON, side: NONE }, { dimension: WORKLOAD, side: CLIENT }, { dimension: WORKLOAD }]) {
        total audited other groupCount groups { key { dimension side value } count firstSeen lastSeen text remedy } } }`,
    );
    expect(errors).toEqual([]);
    expect(data?.['drops']).toMatchObject({
      total: 2,
      audited: 0,
      other: 0,
      groupCount: 1,
      groups: [
        {
          key: [
            { dimension: 'DROP_REASON', side: 'NONE', value: 'POLICY_DENIED' },
            { dimension: 'WORKLOAD', side: 'CLIENT', value: 'batch/job' },
            { dimension: 'WORKLOAD', side: 'SERVER', value: 'data/db' },
          ],
          count: 2,
          firstSeen: at(400.25),
          lastSeen: at(401),
          remedy: expect.stringContaining('allow rule') as string,
        },
      ],
    });
  });
});

describe('extensions.cost', () => {
  it('tells what was asked for and what it took', async () => {
    const { extensions } = await ask(
      server,
      `{ drops(window: ${WINDOW}) { total } redMetrics(window: ${WINDOW}) { groupCount } }`,
    );
    expect(extensions?.cost).toMatchObject({ queries: 2 });
    expect(extensions?.cost['requested']).toBeGreaterThan(0);
    expect(extensions?.cost['rowsRead']).toBeGreaterThan(0);
  });
});

describe('clusters', () => {
  it('are all in a page without a filter, also those that appear after the first question or long ago', async () => {
    const fresh = await api.serve();
    const query = `{ flows(window: { last: "20d" }, last: 100) { nodes { clusterName time } answered { rowsRead } } }`;
    const clusters = async (): Promise<readonly string[]> => {
      const { data, errors } = await ask(fresh, query);
      expect(errors).toEqual([]);
      const flows = data?.['flows'] as { nodes: { clusterName: string; time: string }[] } | undefined;
      const nodes = flows?.nodes ?? [];
      const times = nodes.map(({ time }) => Date.parse(time));
      expect(times.toSorted((a, b) => a - b)).toEqual(times);
      return [...new Set(nodes.map(({ clusterName }) => clusterName))].toSorted();
    };
    expect(await clusters()).toEqual(['default']);
    await insertFlows(api.writer, [{ seconds: 9, cells: { cluster: "'east'" } }]);
    expect(await clusters()).toEqual(['default', 'east']);
    await insertFlows(api.writer, [{ seconds: -10 * 86_400, cells: { cluster: "'west'" } }]);
    expect(await clusters()).toEqual(['default', 'east', 'west']);
    expect(await clusters()).toEqual(['default', 'east', 'west']);
  });
});
