import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiServer } from './server/api-server.js';
import { ask, startApiFixture, type Answer, type ApiFixture } from './testing/api-fixture.js';
import {
  at,
  HOUR_START_MS,
  httpAnswer,
  insertEndpoints,
  insertFlows,
  POLICY_DROP,
  type FlowCells,
} from './testing/flow-rows.js';

const WINDOW = `{ from: "${at(0)}", to: "${at(3600)}" }`;
const HOUR_S = HOUR_START_MS / 1000;

/** A packet between two addresses of which the flow itself says nothing more. */
const BARE = {
  client_side: '1',
  src_ip: "toIPv6('10.0.0.1')",
  dst_ip: "toIPv6('10.0.0.9')",
  client_workload: "''",
  server_workload: "''",
  server_port: '80',
};

let api: ApiFixture;
let server: ApiServer;

beforeAll(async () => {
  api = await startApiFixture();
  server = await api.serve();
  await insertEndpoints(api.writer, [
    { hourS: HOUR_S, ip: '10.0.0.1', namespace: 'shop', pod: 'web-1', kind: 'Deployment', workload: 'web' },
    { hourS: HOUR_S, ip: '10.0.0.9', serviceNamespace: 'shop', service: 'api' },
    // The address of two pods in one hour.
    { hourS: HOUR_S, ip: '10.0.0.2', namespace: 'shop', pod: 'a-0', kind: 'StatefulSet', workload: 'a' },
    {
      hourS: HOUR_S,
      ip: '10.0.0.2',
      namespace: 'shop',
      pod: 'agent-x7k2p',
      kind: 'DaemonSet',
      workload: 'agent',
    },
    // Somebody else's address an hour before, and another tenant's in this hour.
    {
      hourS: HOUR_S - 3600,
      ip: '10.0.0.3',
      namespace: 'old',
      pod: 'old-1',
      kind: 'Deployment',
      workload: 'old',
    },
    {
      tenant: 'other',
      hourS: HOUR_S,
      ip: '10.0.0.3',
      namespace: 'x',
      pod: 'x-1',
      kind: 'Deployment',
      workload: 'x',
    },
  ]);
  await insertFlows(api.writer, [
    { seconds: 1, cells: BARE },
    { seconds: 2, cells: { ...BARE, src_ip: "toIPv6('10.0.0.2')" } },
    { seconds: 3, cells: { ...BARE, src_ip: "toIPv6('10.0.0.3')" } },
    {
      seconds: 4,
      cells: {
        ...BARE,
        src_ip: "toIPv6('10.0.0.2')",
        src_namespace: "'shop'",
        src_pod: "'agent-x7k2p'",
        src_workload: "'agent'",
        client_workload: "'agent'",
      },
    },
    {
      seconds: 5,
      cells: {
        ...httpAnswer(200, 1),
        src_ip: "toIPv6('10.0.0.1')",
        src_service_name: "'own'",
        dst_ip: "toIPv6('10.0.0.1')",
      },
    },
  ]);
  // Learns the clusters, so that what follows counts its own statements only.
  await ask(server, '{ flows { nodes { id } } }');
});
afterAll(() => api.stop());

function nodesOf(data: Answer['data']): readonly object[] {
  const flows = data?.['flows'] as { readonly nodes: readonly object[] } | undefined;
  return flows?.nodes ?? [];
}

const ENDS = `source { workload { kind name inferred } service { namespace name inferred } }
  destination { workload { kind name inferred } service { namespace name inferred } }
  client { workload { name inferred } } server { service { name inferred } }`;

describe('what a flow does not say of its ends', () => {
  it('is filled in from the endpoint history as of the hour of the flow, marked, in one statement', async () => {
    const { data, errors, extensions } = await ask(
      server,
      `{ flows(window: ${WINDOW}, first: 9) { nodes { ${ENDS} } } }`,
    );
    expect(errors).toEqual([]);
    const nodes = nodesOf(data);
    expect(nodes[0]).toEqual({
      source: { workload: { kind: 'Deployment', name: 'web', inferred: true }, service: null },
      destination: { workload: null, service: { namespace: 'shop', name: 'api', inferred: true } },
      client: { workload: { name: 'web', inferred: true } },
      server: { service: { name: 'api', inferred: true } },
    });
    // The page, clusters that are not known yet, and who the ends of all flows were.
    expect(extensions?.cost['queries']).toBe(3);
  });

  it('stays unknown when the address had two tenants, or was known in another hour or of another tenant only', async () => {
    const { data } = await ask(
      server,
      `{ flows(window: ${WINDOW}, first: 3) { nodes { source { workload { name } } } } }`,
    );
    const nodes = nodesOf(data);
    expect(nodes.slice(1)).toEqual([{ source: { workload: null } }, { source: { workload: null } }]);
  });

  it('takes the kind of a workload from the node that runs the pod', async () => {
    const { data } = await ask(
      server,
      `{ flows(window: ${WINDOW}, first: 4) { nodes { source { workload { kind name inferred } } } } }`,
    );
    const nodes = nodesOf(data);
    expect(nodes[3]).toEqual({ source: { workload: { kind: 'DaemonSet', name: 'agent', inferred: true } } });
  });

  it('never replaces what a flow says, and asks nothing where nothing is missing', async () => {
    const { data, extensions } = await ask(
      server,
      `{ flows(window: ${WINDOW}, last: 1) { nodes { source { workload { kind name inferred } service { name inferred } } } } }`,
    );
    const nodes = nodesOf(data);
    expect(nodes[0]).toEqual({
      source: {
        workload: { kind: 'Deployment', name: 'api', inferred: false },
        service: { name: 'own', inferred: false },
      },
    });
    expect(extensions?.cost['queries']).toBe(2);
  });
});

describe('groups and nodes by service', () => {
  const LATER = `{ from: "${at(3600)}", to: "${at(7200)}" }`;
  const call = (service: string, ip: string, more: FlowCells = {}) => ({
    ...httpAnswer(200, 1),
    src_ip: `toIPv6('${ip}')`,
    ...(service === '' ? {} : { src_service_namespace: "'shop'", src_service_name: `'${service}'` }),
    ...more,
  });
  const drop = { ...POLICY_DROP, dst_ip: "toIPv6('10.0.0.9')" };

  beforeAll(async () => {
    const hourS = HOUR_S + 3600;
    await insertEndpoints(api.writer, [
      { hourS, ip: '10.0.0.9', serviceNamespace: 'shop', service: 'api' },
      { hourS, ip: '10.0.0.8', serviceNamespace: 'shop', service: 'one' },
      { hourS, ip: '10.0.0.8', serviceNamespace: 'shop', service: 'two' },
    ]);
    await insertFlows(api.writer, [
      { seconds: 3601, cells: call('api', '10.0.0.7') },
      { seconds: 3602, cells: call('', '10.0.0.9') },
      { seconds: 3603, cells: call('other', '10.0.0.9') },
      { seconds: 3604, cells: call('', '10.0.0.8') },
      { seconds: 3605, cells: call('', '10.0.0.7') },
      { seconds: 3606, cells: drop },
    ]);
  });

  const keys = (groups: readonly { readonly key: readonly object[] }[]) => groups.map(({ key }) => key[0]);

  it('are filled in from the history and marked, and every call is still counted once', async () => {
    const { data, errors } = await ask(
      server,
      `{ redMetrics(window: ${LATER}, groupBy: [{ dimension: SERVICE }]) { total { requests }
        groups { key { value inferred } stats { requests } exemplars { server { service { name inferred } } } } } }`,
    );
    expect(errors).toEqual([]);
    const red = data?.['redMetrics'] as {
      readonly groups: readonly {
        readonly key: readonly object[];
        readonly stats: object;
        readonly exemplars: object[];
      }[];
    };
    expect(red).toMatchObject({ total: { requests: 5 } });
    // One of the two calls of api was told by the history; the address with two services stays unknown.
    expect(keys(red.groups)).toEqual(
      expect.arrayContaining([
        { value: 'shop/api', inferred: true },
        { value: null, inferred: false },
        { value: 'shop/other', inferred: false },
      ]),
    );
    expect(red.groups.map(({ stats }) => stats)).toEqual([2, 2, 1].map((requests) => ({ requests })));
    const known = red.groups.find(({ key }) => JSON.stringify(key).includes('shop/api'));
    expect(known?.exemplars).toEqual([
      { server: { service: { name: 'api', inferred: true } } },
      { server: { service: { name: 'api', inferred: false } } },
    ]);
  });

  it('of drops too, also beside the policy', async () => {
    for (const more of ['', '{ dimension: POLICY, side: NONE }']) {
      const { data, errors } = await ask(
        server,
        `{ drops(window: ${LATER}, groupBy: [{ dimension: SERVICE } ${more}]) { total groups { key { value inferred } samples { nodeName } } } }`,
      );
      expect(errors).toEqual([]);
      const drops = data?.['drops'] as {
        readonly total: number;
        readonly groups: readonly { readonly key: readonly object[]; readonly samples: object[] }[];
      };
      expect(drops.total).toBe(1);
      expect(keys(drops.groups)).toEqual([{ value: 'shop/api', inferred: true }]);
      expect(drops.groups[0]?.samples).toHaveLength(1);
    }
  });

  it('are the nodes of a service map, with the calls of their edges', async () => {
    const { data, errors } = await ask(
      server,
      `{ serviceMap(window: ${LATER}, collapse: SERVICE) { nodes { id name inferred } edges { server red { requests } } } }`,
    );
    expect(errors).toEqual([]);
    const map = data?.['serviceMap'] as {
      readonly nodes: readonly { readonly id: string; readonly name: string; readonly inferred: boolean }[];
      readonly edges: readonly { readonly server: string; readonly red: object | null }[];
    };
    const node = map.nodes.find(({ name, inferred }) => name === 'api' && inferred);
    const edges = map.edges.filter(({ server: id }) => id === node?.id);
    expect(edges).toContainEqual({ server: node?.id, red: { requests: 4 } });
  });
});

describe('groups and nodes by workload', () => {
  const LAST = `{ from: "${at(7200)}", to: "${at(10800)}" }`;
  const CLIENTS = 'groupBy: [{ dimension: WORKLOAD, side: CLIENT }]';
  const call = (client: string, ip: string): FlowCells => ({
    ...httpAnswer(200, 1),
    dst_ip: `toIPv6('${ip}')`,
    ...(client === '' ? { dst_namespace: "''", dst_pod: "''", dst_workload: "''" } : {}),
    client_namespace: client === '' ? "''" : "'shop'",
    client_workload: `'${client}'`,
  });

  beforeAll(async () => {
    const hourS = HOUR_S + 7200;
    await insertEndpoints(api.writer, [
      { hourS, ip: '10.0.0.1', namespace: 'shop', pod: 'web-1', kind: 'Deployment', workload: 'web' },
      { hourS, ip: '10.0.0.5', namespace: 'shop', pod: 'cron-1', kind: 'CronJob', workload: 'cron' },
    ]);
    await insertFlows(api.writer, [
      { seconds: 7201, cells: call('web', '10.0.0.1') },
      { seconds: 7202, cells: call('', '10.0.0.1') },
      { seconds: 7203, cells: call('', '10.0.0.5') },
      { seconds: 7204, cells: call('', '10.0.0.6') },
    ]);
  });

  it('are filled in from the history, marked, with samples; the answer says what it was read from', async () => {
    const { data, errors, extensions } = await ask(
      server,
      `{ redMetrics(window: ${LAST}, ${CLIENTS}) { total { requests } answered { table }
        groups { key { value inferred } stats { requests } } } }`,
    );
    expect(errors).toEqual([]);
    expect(data?.['redMetrics']).toMatchObject({
      total: { requests: 4 },
      answered: { table: 'red_edges_1h+flows+endpoints' },
      groups: [
        { key: [{ value: 'shop/web', inferred: true }], stats: { requests: 2 } },
        { key: [{ value: null, inferred: false }], stats: { requests: 1 } },
        { key: [{ value: 'shop/cron', inferred: true }], stats: { requests: 1 } },
      ],
    });
    expect(extensions?.cost['queries']).toBe(2);
    const sampled = await ask(
      server,
      `{ redMetrics(window: ${LAST}, ${CLIENTS}) { groups { exemplars { client { workload { name inferred } } } } } }`,
    );
    expect(JSON.stringify(sampled.data)).toContain('{"workload":{"name":"cron","inferred":true}}');
  });

  it('are the nodes of a service map', async () => {
    const { data, errors } = await ask(
      server,
      `{ serviceMap(window: ${LAST}) { nodes { name namespace inferred } answered { table } edges { red { requests } } } }`,
    );
    expect(errors).toEqual([]);
    const map = data?.['serviceMap'] as { readonly nodes: readonly object[] };
    expect(map).toMatchObject({ answered: { table: 'edges_1h+flows+endpoints' } });
    expect(map.nodes).toContainEqual({ name: 'cron', namespace: 'shop', inferred: true });
    expect(map.nodes).toContainEqual({ name: 'unknown', namespace: null, inferred: false });
  });

  it('cost one statement where every flow names its workloads', async () => {
    const { data, extensions } = await ask(
      server,
      `{ redMetrics(window: ${LAST}, groupBy: [{ dimension: WORKLOAD }]) { answered { table } } }`,
    );
    expect(data?.['redMetrics']).toEqual({ answered: { table: 'red_edges_1h' } });
    expect(extensions?.cost['queries']).toBe(1);
  });
});
