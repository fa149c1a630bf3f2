import { afterEach, describe, expect, it } from 'vitest';
import { openColumnStore } from '@flowledger/column-store';
import { encodeEnvelope, Projection } from '@flowledger/model';
import {
  flowsOfBatch,
  type LabelledFlow,
  type LiveStep,
  type LogCursor,
  type OpenLiveFlows,
} from '@flowledger/query';
import { createApiServer, type ApiServer } from '../server/api-server.js';
import { SocketClient } from '../testing/socket-client.js';

const START: LogCursor = { epoch: 7n, partitions: [{ offset: 0n, event: 0 }] };
const QUERY = 'subscription { flows { __typename } }';

/** Steps that a tail gives after it has caught up. */
const script: LiveStep[] = [];

const live: OpenLiveFlows = {
  loaded: () => Promise.resolve(START),
  end: () => Promise.resolve(START),
  async *tail({ signal }): AsyncGenerator<LiveStep, void, undefined> {
    yield { kind: 'caught_up', atNs: 0n, cursor: START };
    yield* script;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  },
};

const open: (ApiServer | SocketClient)[] = [];
afterEach(async () => {
  script.length = 0;
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function serve(token?: string): Promise<ApiServer> {
  const server = await createApiServer({
    // Never asked: these subscriptions have no history.
    store: openColumnStore({ url: 'http://127.0.0.1:1', user: 'none', password: '', database: 'none' }),
    live: { flows: live, subscriptions: 3 },
    host: '127.0.0.1',
    port: 0,
    ...(token === undefined ? {} : { token }),
    tenant: 'default',
    version: '0.0.0-test',
    status: () => Promise.resolve({ ok: true }),
  });
  open.push(server);
  return server;
}

/** A dropped packet as the tail decodes it. */
function liveDrop(): LabelledFlow {
  const end = { namespace: 'shop', pod_name: 'web-1', labels: ['k8s:app=web'] };
  const flow = {
    verdict: 'DROPPED',
    event_type: { type: 1, sub_type: 133 },
    drop_reason_desc: 'POLICY_DENIED',
    source: end,
  };
  const events = [
    Buffer.from(JSON.stringify({ flow: { ...flow, node_name: 'n', time: '2026-06-01T00:00:00Z' } })),
  ];
  const header = { version: 1, tenant: 'default', cluster: 'c', stream: 'n', source: 'test' } as const;
  const rest = { codec: 'hubble.export_json', count: 1, receivedMs: Date.UTC(2026, 5, 1) } as const;
  const projection = new Projection({
    logEpoch: 7n,
    partition: 0,
    rawTtlMs: 86_400_000,
    isDuplicate: () => false,
  });
  projection.add({ offset: 0n, value: encodeEnvelope({ ...header, ...rest }, events) });
  const [found] = flowsOfBatch(projection.take(), 'default').flatMap(({ flows }) => flows);
  if (found === undefined) throw new Error('the flow was not decoded');
  return found;
}

async function connect(
  url: string,
  options: Parameters<typeof SocketClient.open>[1] = {},
): Promise<SocketClient> {
  const client = await SocketClient.open(url, options);
  open.push(client);
  return client;
}

async function answer(client: SocketClient): Promise<unknown> {
  client.subscribe('1', QUERY);
  await client.until(() => client.errors('1').length > 0 || client.events('1').length > 0);
  return client.errors('1')[0] ?? client.events('1')[0]?.__typename;
}

describe('a WebSocket of a server with a token', () => {
  it('is served when the header carries it', async () => {
    const { url } = await serve('secret');
    const client = await connect(url, { headers: { authorization: 'Bearer secret' } });
    expect(await answer(client)).toBe('CaughtUp');
  });

  it('is served when connection_init carries it, as browsers must', async () => {
    const { url } = await serve('secret');
    expect(await answer(await connect(url, { init: { authorization: 'Bearer secret' } }))).toBe('CaughtUp');
  });

  it.each([{}, { init: { authorization: 'Bearer wrong' } }])('is refused otherwise', async (options) => {
    const { url } = await serve('secret');
    expect(await answer(await connect(url, options))).toBe('UNAUTHENTICATED');
  });

  it('is refused at the handshake when the header carries a wrong one', async () => {
    const { url } = await serve('secret');
    const client = await connect(url, { headers: { authorization: 'Bearer wrong' } });
    expect([client.refused, client.messages]).toEqual([401, []]);
  });
});

describe('a WebSocket', () => {
  it('is refused to pages of another origin and under a foreign Host', async () => {
    const { url } = await serve();
    expect((await connect(url, { origin: 'http://evil.example.org' })).refused).toBe(403);
    expect((await connect(url, { headers: { host: 'evil.example.org' } })).refused).toBe(403);
  });

  it('runs no queries', async () => {
    const client = await connect((await serve()).url);
    client.subscribe('1', '{ __typename }');
    await client.until(() => client.messages.some(({ id, type }) => id === '1' && type === 'error'));
    expect(client.events('1')).toEqual([]);
  });

  it('shares a bound with all others, and gives its places back when it closes', async () => {
    const { url } = await serve();
    const [first, second] = [await connect(url), await connect(url)];
    for (const id of ['a', 'b', 'c']) first.subscribe(id, QUERY);
    await first.until(() => ['a', 'b', 'c'].every((id) => first.events(id).length > 0));
    second.subscribe('d', QUERY);
    await second.until(() => second.errors('d').length > 0);
    expect(second.errors('d')).toEqual(['RATE_LIMITED']);
    first.close();
    await expect
      .poll(async () => {
        const id = `again${second.messages.length}`;
        second.subscribe(id, QUERY);
        await second.until(() => second.errors(id).length > 0 || second.events(id).length > 0);
        return second.events(id).length;
      })
      .toBe(1);
  });

  it('shows live flows, with labels and as they are, without asking the store', async () => {
    script.push({ kind: 'flows', flows: [liveDrop()], cursor: START });
    const client = await connect((await serve()).url);
    const shown = 'flows { source { labels workload { name } service { name } } policies { name } raw }';
    client.subscribe('1', `subscription { drops { __typename ... on FlowBatch { ${shown} } } }`);
    await client.until(() => client.events('1').length > 1 || client.errors('1').length > 0);
    const [flow] = client.events('1')[1]?.flows ?? [];
    expect(flow).toMatchObject({ source: { labels: ['k8s:app=web'], service: null }, policies: [] });
    expect(flow?.['raw']).toContain('"k8s:app=web"');
  });

  it('ends at once, with the server, while it waits for flows', async () => {
    const server = await serve();
    const client = await connect(server.url);
    expect(await answer(client)).toBe('CaughtUp');
    await server.close();
    await client.until(() => client.closed !== undefined);
  });
});
