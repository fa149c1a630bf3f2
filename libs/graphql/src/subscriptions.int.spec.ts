import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOADER_GROUP } from '@flowledger/event-log';
import { openLiveFlows } from '@flowledger/live';
import { storedKeys } from '@flowledger/sink';
import { Simulation, type SimulatedEvent } from '@flowledger/simulator';
import { startTestPipeline, type TestPipeline } from '@flowledger/testkit';
import { createApiServer } from './server/api-server.js';
import { flowIds, SocketClient, type ReceivedEvent } from './testing/socket-client.js';

const NOW_MS = Date.UTC(2026, 5, 1, 12);
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;

const FLOWS = `subscription ($filters: FlowFilters, $after: String, $since: Duration, $rate: Int) {
  flows(filters: $filters, after: $after, since: $since, maxPerSecond: $rate) {
    __typename
    ... on FlowBatch { flows { id verdict source { podName labels } } cursor }
    ... on CaughtUp { at cursor }
    ... on Missed { count reason from to resumeCursor }
  }
}`;
const DROPS = FLOWS.replace('flows(filters', 'drops(filters')
  .replace(', maxPerSecond: $rate', '')
  .replace(', $rate: Int', '');

function simulated(fromS: number, toS: number): SimulatedEvent[] {
  const at = (seconds: number): bigint => NOW_NS + BigInt(seconds) * 1_000_000_000n;
  const options = { seed: 11, from: at(fromS), to: at(toS), scenario: 'test', callsPerSecond: 6 } as const;
  return [
    ...new Simulation({ ...options, incidentStart: at(-20), faults: { duplicateShare: 0.2 } }).events(),
  ];
}

const caughtUp = (events: readonly ReceivedEvent[]): boolean =>
  events.some(({ __typename }) => __typename === 'CaughtUp');

/** A live tail over the log of a pipeline. */
function tailOf({ log, store }: TestPipeline): Parameters<typeof openLiveFlows>[0] {
  return { log, group: LOADER_GROUP, tenant: 'default', rawTtlDays: 20_000, keys: storedKeys(store) };
}

describe('subscriptions over a WebSocket', () => {
  let pipeline: TestPipeline;
  let fed = 0;
  const clients: SocketClient[] = [];

  beforeAll(async () => {
    pipeline = await startTestPipeline({ nowMs: NOW_MS });
    await feed(-50, -30);
    await pipeline.loaded();
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  afterAll(() => pipeline.stop());

  /** Brings what was simulated between two seconds from now; resolves when readers of the log see it. */
  async function feed(fromS: number, toS: number): Promise<void> {
    fed += await pipeline.feed(simulated(fromS, toS));
    const { log } = pipeline;
    const seen = async (): Promise<number> => {
      const bounds = await Promise.all(Array.from({ length: log.partitions }, (_, p) => log.bounds(p)));
      return bounds.reduce((sum, { eventsBeforeEnd }) => sum + Number(eventsBeforeEnd), 0);
    };
    await vi.waitFor(async () => expect(await seen()).toBe(fed), { timeout: 10_000 });
  }

  async function connect(
    ...args: Parameters<typeof SocketClient.open> extends [string, ...infer R] ? R : never
  ) {
    const client = await SocketClient.open(pipeline.url, ...args);
    clients.push(client);
    return client;
  }

  async function stored(filters: object | null = null): Promise<string[]> {
    await pipeline.loaded();
    const ids: string[] = [];
    for (let after: string | null = null; ;) {
      const query = `query ($filters: FlowFilters, $after: String) {
        flows(window: { from: "2026-06-01T11:00:00Z", to: "2026-06-01T13:00:00Z" }, filters: $filters, first: 1000, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
      }`;
      interface Page {
        flows: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
      }
      const { flows }: Page = await pipeline.ask<Page>(query, { filters, after });
      ids.push(...flows.nodes.map(({ id }) => id));
      if (!flows.pageInfo.hasNextPage) return ids;
      after = flows.pageInfo.endCursor;
    }
  }

  async function storedCount(): Promise<number> {
    await pipeline.loaded();
    const query = `{ flows(window: { from: "2026-06-01T11:00:00Z", to: "2026-06-01T13:00:00Z" }, first: 0) { totalCount { value } } }`;
    const { flows } = await pipeline.ask<{ flows: { totalCount: { value: number } } }>(query);
    return flows.totalCount.value;
  }

  it('sends history and then live flows, each once, with their labels', async () => {
    const client = await connect();
    client.subscribe('1', FLOWS, { since: '30m', rate: 100_000 });
    await client.until(() => caughtUp(client.events('1')));
    await feed(-30, -25);
    const wanted = (await stored()).toSorted();
    await client.until(() => flowIds(client.events('1')).length >= wanted.length);
    expect(flowIds(client.events('1')).toSorted()).toEqual(wanted);
    const last = client.events('1').findLast(({ __typename }) => __typename === 'FlowBatch');
    const sources = (last?.flows ?? []).map(
      ({ source }) => source as { podName: string | null; labels: string[] },
    );
    expect(sources.some(({ podName, labels }) => podName !== null && labels.length > 0)).toBe(true);
    expect(client.events('1').filter(({ __typename }) => __typename === 'CaughtUp')).toHaveLength(1);
  });

  it('filters live flows as it filters history', async () => {
    const filters = { allow: [{ verdict: ['DROPPED'] }], deny: [{ eventType: [{ type: 5 }] }] };
    const client = await connect();
    client.subscribe('1', FLOWS, { since: '30m', filters });
    await client.until(() => caughtUp(client.events('1')));
    await feed(-20, -14);
    const wanted = (await stored(filters)).toSorted();
    expect(wanted.length).toBeGreaterThan(0);
    await client.until(() => flowIds(client.events('1')).length >= wanted.length);
    expect(flowIds(client.events('1')).toSorted()).toEqual(wanted);
  });

  it('matches inferred names in live flows as in history', async () => {
    const workload = { destinationWorkload: [{ name: 'catalog' }] };
    const filters = { allow: [{ ...workload, matchInferred: true }] };
    const client = await connect();
    client.subscribe('1', FLOWS, { since: '30m', filters });
    await client.until(() => caughtUp(client.events('1')));
    await feed(-24, -21);
    const wanted = (await stored(filters)).toSorted();
    expect(wanted.length).toBeGreaterThan((await stored({ allow: [workload] })).length);
    await client.until(() => flowIds(client.events('1')).length >= wanted.length);
    expect(flowIds(client.events('1')).toSorted()).toEqual(wanted);
  });

  it('sends drop events only as drops', async () => {
    const client = await connect();
    client.subscribe('1', DROPS, { since: '30m' });
    await client.until(() => caughtUp(client.events('1')));
    const wanted = await stored({ allow: [{ eventType: [{ type: 1 }] }] });
    expect(flowIds(client.events('1')).toSorted()).toEqual(wanted.toSorted());
    client.subscribe('2', DROPS, { filters: { allow: [{ eventType: [{ type: 4 }] }] } });
    await client.until(() => client.errors('2').length > 0);
    expect(client.errors('2')).toEqual(['BAD_FILTER']);
  });

  it('explains drops once the tables hold them with their verdicts', async () => {
    const query = `subscription { drops(explain: true) { __typename
      ... on FlowBatch { flows { id } explanations { kind conclusion flow { id } } } } }`;
    const client = await connect();
    client.subscribe('1', query);
    await client.until(() => caughtUp(client.events('1')));
    const drops = { allow: [{ eventType: [{ type: 1 }] }] };
    const before = new Set(await stored(drops));
    await feed(-14, -12);
    const wanted = (await stored(drops)).filter((id) => !before.has(id));
    expect(wanted.length).toBeGreaterThan(0);
    await client.until(() => flowIds(client.events('1')).length >= wanted.length);
    const batches = client.events('1').filter(({ __typename }) => __typename === 'FlowBatch');
    const told = batches.flatMap(({ explanations = [] }) => explanations);
    expect(told.map(({ flow }) => flow.id)).toEqual(flowIds(batches));
    expect(told.every(({ conclusion }) => conclusion.length > 0)).toBe(true);
    expect(told.some(({ kind }) => kind === 'DEFAULT_DENY' || kind === 'EXPLICIT_DENY')).toBe(true);
  });

  it('goes on from any cursor, of history or live, without gap or repetition', async () => {
    const wanted = (await stored()).toSorted();
    const ids: string[] = [];
    let after: string | undefined;
    const client = await connect();
    for (let turn = 0; ids.length < wanted.length; turn++) {
      const id = `s${turn}`;
      client.subscribe(
        id,
        FLOWS,
        after === undefined ? { since: '30m', rate: 50_000 } : { after, rate: 50_000 },
      );
      await client.until(() => flowIds(client.events(id)).length > 0);
      client.complete(id);
      const first = client.events(id).find(({ __typename }) => __typename === 'FlowBatch');
      ids.push(...flowIds(first === undefined ? [] : [first]));
      after = first?.cursor;
    }
    expect(ids.toSorted()).toEqual(wanted);
  });

  it('says how many flows a rate cap kept back, and gives them from the cursor', async () => {
    const client = await connect();
    client.subscribe('1', FLOWS, { rate: 10 });
    await client.until(() => caughtUp(client.events('1')));
    const before = await storedCount();
    await feed(-12, -10);
    const fresh = (await storedCount()) - before;
    const sum = (): number =>
      client.events('1').reduce((total, event) => total + (event.count ?? event.flows?.length ?? 0), 0);
    await client.until(() => sum() >= fresh);
    const missed = client.events('1').find(({ __typename }) => __typename === 'Missed');
    expect(missed?.reason).toBe('RATE_CAP');
    expect(sum()).toBe(fresh);
    client.subscribe('2', FLOWS, { after: missed?.resumeCursor, rate: 100_000 });
    await client.until(() => flowIds(client.events('2')).length >= (missed?.count ?? Infinity));
    const sent = new Set(
      flowIds(client.events('1').slice(0, client.events('1').indexOf(missed ?? { __typename: '' }))),
    );
    expect(flowIds(client.events('2')).filter((id) => sent.has(id))).toEqual([]);
  });

  it('tells a client that stops reading how many flows it missed', async () => {
    const server = await createApiServer({
      store: pipeline.store,
      live: { flows: openLiveFlows(tailOf(pipeline)), bufferBytes: 64 * 1024 },
      host: '127.0.0.1',
      port: 0,
      tenant: 'default',
      version: '0.0.0-test',
      status: () => Promise.resolve({ ok: true }),
    });
    try {
      const slow = await SocketClient.open(server.url);
      clients.push(slow);
      // Wide, because the kernel buffers some megabytes for a socket that nobody reads.
      const side = 'source { ip labels names } ';
      const more = [...'abcdefghijklmn'].map((name) => `${name}: ${side}`).join('');
      slow.subscribe('1', FLOWS.replace('source {', `${more} source {`), { rate: 100_000 });
      await slow.until(() => caughtUp(slow.events('1')));
      slow.pause();
      const before = await storedCount();
      await feed(-8, 60);
      const fresh = (await storedCount()) - before;
      slow.resume();
      const sum = (): number =>
        slow.events('1').reduce((total, event) => total + (event.count ?? event.flows?.length ?? 0), 0);
      await slow.until(() => sum() >= fresh, 40_000);
      expect(sum()).toBe(fresh);
      expect(slow.events('1').some(({ reason }) => reason === 'SLOW_CONSUMER')).toBe(true);
    } finally {
      await server.close();
    }
  }, 90_000);

  it('refuses what it cannot answer, with a code', async () => {
    const client = await connect();
    const refused: [string, string, Record<string, unknown>, string][] = [
      ['a', FLOWS, { filters: { allow: [{ sourceIp: ['nonsense'] }] } }, 'BAD_FILTER'],
      ['b', FLOWS, { after: 'nonsense' }, 'BAD_CURSOR'],
      ['c', FLOWS, { after: 'x', since: '1h' }, 'BAD_CURSOR'],
      ['d', FLOWS, { rate: 0 }, 'BAD_REQUEST'],
      ['e', 'subscription { flowz { __typename } }', {}, 'BAD_REQUEST'],
      ['f', FLOWS, { since: '900d' }, 'WINDOW_TOO_WIDE'],
      ['g', 'subscription { a: flows { __typename } b: flows { __typename } }', {}, 'BAD_REQUEST'],
    ];
    for (const [id, query, variables, code] of refused) {
      client.subscribe(id, query, variables);
      await client.until(() => client.errors(id).length > 0);
      expect(client.errors(id)).toEqual([code]);
    }
    client.subscribe('tree', { kind: 'Document', definitions: [] });
    await client.until(() => client.messages.some(({ id, type }) => id === 'tree' && type === 'error'));
  });

  it('refuses cursors of other filters', async () => {
    const client = await connect();
    client.subscribe('1', FLOWS, { since: '1s' });
    await client.until(() => caughtUp(client.events('1')));
    const after = client.events('1').at(-1)?.cursor;
    client.subscribe('2', FLOWS, { after, filters: { allow: [{ verdict: ['DROPPED'] }] } });
    await client.until(() => client.errors('2').length > 0);
    expect(client.errors('2')).toEqual(['BAD_CURSOR']);
  });

  it('bounds the subscriptions of a connection, and frees their places', async () => {
    const client = await connect();
    for (let i = 0; i < 21; i++) client.subscribe(`s${i}`, FLOWS);
    await client.until(() => client.errors('s20').length > 0);
    expect(client.errors('s20')).toEqual(['RATE_LIMITED']);
    client.complete('s0');
    await expect
      .poll(async () => {
        const id = `again${client.messages.length}`;
        client.subscribe(id, FLOWS);
        await client.until(() => client.errors(id).length > 0 || caughtUp(client.events(id)));
        return client.errors(id);
      })
      .toEqual([]);
  });

  it('refuses the handshake of a page of another origin', async () => {
    const client = await connect({ origin: 'http://evil.example.org' });
    expect([client.refused, client.messages]).toEqual([403, []]);
  });
});
