import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventLog } from '@flowledger/event-log';
import type { ApiServer } from './server/api-server.js';
import { ask, codesOf, startApiFixture, type ApiFixture } from './testing/api-fixture.js';
import { at, HOUR_START_MS, httpAnswer, insertFlows, POLICY_DROP } from './testing/flow-rows.js';

const WINDOW = `{ from: "${at(0)}", to: "${at(3600)}" }`;

/** `ingress_denied_by` (21005) with CiliumNetworkPolicy data/lockdown, as a policy verdict carries it. */
const DENIED_BY = [
  ...varint((21005 << 3) | 2),
  ...sized([...field(1, 'lockdown'), ...field(2, 'data'), ...field(5, 'CiliumNetworkPolicy')]),
];

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
}
function sized(bytes: readonly number[]): number[] {
  return [...varint(bytes.length), ...bytes];
}
function field(number: number, text: string): number[] {
  return [(number << 3) | 2, ...sized([...Buffer.from(text)])];
}

/** A log of one partition whose records before `end` hold `events` events, none of them readable any more. */
function logWith(events: bigint): Pick<EventLog, 'epoch' | 'partitions' | 'bounds' | 'read'> {
  return {
    epoch: 7n,
    partitions: 1,
    bounds: async () => ({
      start: 9n,
      end: 9n,
      eventsBeforeStart: events,
      eventsBeforeEnd: events,
      bytes: 0,
    }),
    read: async (partition) => ({ partition, records: [] }),
  };
}

let api: ApiFixture;
let server: ApiServer;

async function run(sql: string): Promise<void> {
  await api.writer.command({ name: 'test_insert', sql, params: {}, settings: {} });
}

beforeAll(async () => {
  api = await startApiFixture();
  server = await api.serve({ log: logWith(8n) });
  const verdict = {
    ...POLICY_DROP,
    event_type: '5',
    event_sub_type: '0',
    policies: `unhex('${Buffer.from(DENIED_BY).toString('hex')}')`,
  };
  await insertFlows(api.writer, [
    { seconds: 0, cells: httpAnswer(200, 5) },
    ...[60, 120, 180].map((seconds) => ({ seconds, cells: httpAnswer(200, 10) })),
    { seconds: 400, cells: verdict },
    { seconds: 400.0002, cells: { ...POLICY_DROP, src_label_set: '77' } },
    { seconds: 3599, cells: httpAnswer(500, 10) },
  ]);
  await run(
    "INSERT INTO label_sets (tenant, id, labels) SELECT 'default', 77, ['k8s:app=job', 'k8s:team=a']",
  );
  await run(
    'INSERT INTO load_ledger (_le, _lp, from_offset, to_offset, events, flows, other_events, duplicates, dead, skipped) SELECT 7, 0, 0, 8, 8, 6, 0, 1, 1, 0',
  );
});
afterAll(() => api.stop());

describe('serviceMap', () => {
  it('draws edges with requests and drops between the workloads they join', async () => {
    const { data, errors } = await ask(
      server,
      `{ serviceMap(window: ${WINDOW}) { truncated nodes { id name namespace kind }
        edges { client server protocol port drops firstSeen red { requests errors quantilesMs(q: [0.5]) } change }
        coverage { from to } answered { table } } }`,
    );
    expect(errors).toEqual([]);
    const map = data?.['serviceMap'] as {
      nodes: { id: string; name: string }[];
      edges: { client: string; server: string; port: number }[];
    };
    const name = (id: string): string | undefined => map.nodes.find((node) => node.id === id)?.name;
    expect(
      map.edges.map((edge) => `${name(edge.client)}>${name(edge.server)}:${edge.port}`).toSorted(),
    ).toEqual(['job>db:5432', 'web>api:8080']);
    expect(map).toMatchObject({ truncated: 0, coverage: { from: at(0), to: at(3600) } });
    expect(map.edges.find((edge) => edge.port === 8080)).toMatchObject({
      drops: 0,
      red: { requests: 5, errors: 1 },
    });
    expect(map.edges.find((edge) => edge.port === 5432)).toMatchObject({
      drops: 1,
      red: null,
      firstSeen: at(400),
    });
  });

  it('says how far the window it compares with can be believed', async () => {
    const before = `{ from: "${at(-3600)}", to: "${at(0)}" }`;
    const { data } = await ask(
      server,
      `{ serviceMap(window: ${WINDOW}, compareTo: ${before}) { edges { change } comparedCoverage { status } } }`,
    );
    expect(data?.['serviceMap']).toEqual({
      edges: [{ change: 'UNKNOWN_COVERAGE' }, { change: 'UNKNOWN_COVERAGE' }],
      comparedCoverage: { status: 'NO_SOURCE' },
    });
  });
});

describe('dropExplanation', () => {
  const last = `{ flows(window: ${WINDOW}, last: 1, filters: { allow: [{ eventType: [{ type: 1 }] }] }) { nodes { id policies { name } source { labels } } } }`;

  it('names the policy that the verdict of the same packet names, and the evidence', async () => {
    const { data: found } = await ask(server, last);
    const [drop] = (found?.['flows'] as { nodes: { id: string }[] } | undefined)?.nodes ?? [];
    expect(drop).toMatchObject({
      policies: [{ name: 'lockdown' }],
      source: { labels: ['k8s:app=job', 'k8s:team=a'] },
    });
    const { data, errors } = await ask(
      server,
      `query ($id: ID!) { dropExplanation(flowId: $id) { kind conclusion enforcedAt remedy similarBefore draftPolicy
        policies { kind namespace name revision effect } evidence { level statement flow { id } }
        precedingChanges { kind } missing { path reason } flow { id } } }`,
      { id: drop?.id },
    );
    expect(errors).toEqual([]);
    expect(data?.['dropExplanation']).toMatchObject({
      kind: 'DEFAULT_DENY',
      conclusion: expect.stringContaining('data/db') as string,
      enforcedAt: 'SERVER',
      draftPolicy: null,
      similarBefore: 0,
      policies: [
        {
          kind: 'CiliumNetworkPolicy',
          namespace: 'data',
          name: 'lockdown',
          revision: null,
          effect: 'SELECTS_WITHOUT_ALLOWING',
        },
      ],
      flow: { id: drop?.id },
    });
  });

  it('refuses a flow that was not dropped, and knows when there is none', async () => {
    const { data } = await ask(server, `{ flows(window: ${WINDOW}, first: 1) { nodes { id } } }`);
    const [flow] = (data?.['flows'] as { nodes: { id: string }[] } | undefined)?.nodes ?? [];
    const explain = 'query ($id: ID!) { dropExplanation(flowId: $id) { kind } }';
    expect(codesOf(await ask(server, explain, { id: flow?.id }))).toEqual(['BAD_REQUEST']);
    const gone = Buffer.from(`f1:${BigInt(HOUR_START_MS) * 1_000_000n}:7:0:999:0`).toString('base64url');
    expect(await ask(server, explain, { id: gone })).toMatchObject({
      data: { dropExplanation: null },
      errors: [],
    });
  });
});

describe('samples', () => {
  it('shows flows of a group', async () => {
    const { data, errors } = await ask(
      server,
      `{ drops(window: ${WINDOW}) { groups { samples(first: 1) { destination { podName } } } }
         redMetrics(window: ${WINDOW}, groupBy: [{ dimension: WORKLOAD }]) { groups { exemplars(first: 2) { http { code } latencyMs } } } }`,
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({
      drops: { groups: [{ samples: [{ destination: { podName: 'db-0' } }] }] },
      redMetrics: {
        groups: [
          {
            exemplars: [
              { http: { code: 500 }, latencyMs: 10 },
              { http: { code: 200 }, latencyMs: 10 },
            ],
          },
        ],
      },
    });
  });
});

describe('nodes and namespaces', () => {
  it('lists who was heard of', async () => {
    const { data } = await ask(
      server,
      `{ nodes(window: ${WINDOW}) { name cluster labels flowsPerSecond eventsLost } namespaces(window: ${WINDOW}) { name flows drops } }`,
    );
    expect(data).toEqual({
      nodes: [{ name: 'node-1', cluster: 'default', labels: [], flowsPerSecond: 7 / 3600, eventsLost: 0 }],
      namespaces: [
        { name: 'batch', flows: 2, drops: 1 },
        { name: 'data', flows: 2, drops: 1 },
        { name: 'shop', flows: 5, drops: 0 },
      ],
    });
  });
});

describe('coverage', () => {
  const query = `{ coverage(window: ${WINDOW}) { status unaccounted from to eventsLostUpstream gaps { cause lost } nodesReporting repairing } }`;

  it('is COMPLETE when every event of the log is in a book', async () => {
    expect((await ask(server, query)).data?.['coverage']).toEqual({
      status: 'COMPLETE',
      unaccounted: 0,
      from: at(0),
      to: at(3600),
      eventsLostUpstream: 0,
      gaps: [],
      nodesReporting: 1,
      repairing: false,
    });
  });

  it('counts events that the log has and no book, and does not call that complete', async () => {
    const behind = await api.serve({ log: logWith(11n) });
    expect((await ask(behind, query)).data?.['coverage']).toMatchObject({
      status: 'STILL_ARRIVING',
      unaccounted: 3,
    });
  });

  it('says null where there is no log to compare with', async () => {
    const blind = await api.serve();
    expect((await ask(blind, query)).data?.['coverage']).toMatchObject({
      status: 'COMPLETE',
      unaccounted: null,
    });
  });

  it('lets numbers be believed as far as nodes were heard, records were whole and answers were timed', async () => {
    const red = `{ coverage(window: ${WINDOW}) { sampledShare } redMetrics(window: ${WINDOW}) { total { confidence } coverage { sampledShare } } }`;
    expect((await ask(server, red)).data).toEqual({
      coverage: { sampledShare: 0 },
      redMetrics: { total: { confidence: 1 }, coverage: { sampledShare: 0 } },
    });
    const early = `{ redMetrics(window: { from: "${at(-7200)}", to: "${at(-3600)}" }) { total { confidence } missing { path } } }`;
    expect((await ask(server, early)).data?.['redMetrics']).toEqual({
      total: { confidence: null },
      missing: [{ path: 'total' }],
    });
  });

  it('of a namespace nobody saw is that of all nodes', async () => {
    const named = `{ coverage(window: ${WINDOW}, namespace: "nowhere") { status nodesReporting } }`;
    expect((await ask(server, named)).data?.['coverage']).toEqual({ status: 'COMPLETE', nodesReporting: 1 });
  });

  it('is NO_SOURCE before anything was recorded', async () => {
    const early = `{ coverage(window: { from: "${at(-7200)}", to: "${at(-3600)}" }) { status } }`;
    expect((await ask(server, early)).data?.['coverage']).toEqual({ status: 'NO_SOURCE' });
  });

  it('is worked out once for all answers of a request about the same window', async () => {
    const { extensions, errors } = await ask(
      server,
      `{ coverage(window: ${WINDOW}) { status } drops(window: ${WINDOW}) { coverage { status } } flows(window: ${WINDOW}, first: 0) { coverage { status } } }`,
    );
    expect(errors).toEqual([]);
    // Four for the coverage, one each for drops and flows, and one that looks for clusters that are not known yet.
    expect(extensions?.cost['queries']).toBe(7);
  });

  it('is PARTIAL with the gap when a node lost events', async () => {
    await run(
      `INSERT INTO events (_le, _lp, _lo, _li, tenant, cluster, node, bucket_time, kind, type, count)
       SELECT 7, 0, 900, 0, 'default', 'default', 'node-1', fromUnixTimestamp64Milli(${HOUR_START_MS + 600_000}, 'UTC'), 'lost_events', 3, 12`,
    );
    expect((await ask(server, query)).data?.['coverage']).toMatchObject({
      status: 'PARTIAL',
      eventsLostUpstream: 12,
      gaps: [{ cause: 'RING_BUFFER_LOST', lost: 12 }],
    });
  });
});
