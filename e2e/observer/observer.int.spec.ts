import { credentials, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toProtoJson, WireFields, WireWriter } from '@flowledger/model';
import type { ObserverServer } from '@flowledger/observer';
import { Simulation, type SimulatedEvent } from '@flowledger/simulator';
import { makeAuthority } from '@flowledger/testkit';
import { flowsRequest, ObserverClient, textFilter, type FlowsAnswer } from './grpc-client.js';
import { startObserverRig, type ObserverRig } from './observer-rig.js';

const SECOND_NS = 1_000_000_000n;
const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
const FROM_NS = NOW_NS - 900n * SECOND_NS;
const ALL = (1n << 64n) - 1n;
const NODES = [1, 2, 3, 4].map((node) => `demo/demo-worker-${node}`);
/** relay.NodeState. */
const CONNECTED = 1;
/** Statement that would run for hours. */
const ENDLESS = 'SELECT count() AS n FROM numbers(1000000000000) WHERE sipHash64(number) = 1';

/** What was sent, in order of time: uuids and times of flows, and how much each lost event says. */
interface Sent {
  readonly flows: readonly { readonly uuid: string; readonly timeNs: bigint; readonly json: string }[];
  readonly lost: readonly bigint[];
}

let rig: ObserverRig;
let server: ObserverServer;
let client: ObserverClient;
let sent: Sent;

beforeAll(async () => {
  const options = { seed: 4, from: FROM_NS, to: NOW_NS, callsPerSecond: 6, scenario: 'test' } as const;
  const faults = { lostEvents: 0.2 };
  const events = [...new Simulation({ ...options, faults }).events()];
  const middle = Math.floor(events.length / 2);
  events.splice(middle, 0, connected(events[middle]?.timeNs ?? NOW_NS));
  rig = await startObserverRig(events, NOW_MS);
  sent = readSent(events);
  server = await rig.serve();
  client = new ObserverClient(server.address);
});

afterAll(async () => {
  client?.close();
  await rig?.stop();
});

/** What a relay says when it has reached its nodes. */
function connected(timeNs: bigint): SimulatedEvent {
  const [response, body, time] = [new WireWriter(), new WireWriter(), new WireWriter()];
  const [node = ''] = NODES;
  body.uint32Field(1, CONNECTED);
  for (const each of NODES) body.stringField(2, each);
  time.uint64Field(1, timeNs / SECOND_NS);
  time.uint64Field(2, timeNs % SECOND_NS);
  response.bytesField(2, body.finish().slice());
  response.stringField(1000, node);
  response.bytesField(1001, time.finish());
  return { node, timeNs, kind: 'node_status', bytes: response.finish().slice() };
}

function readSent(events: readonly SimulatedEvent[]): Sent {
  const flows = events
    .filter(({ kind }) => kind === 'flow')
    .map(({ bytes }) => {
      const text = toProtoJson('observer.GetFlowsResponse', bytes);
      if (!text.ok) throw new Error(text.reason);
      const { flow, time } = JSON.parse(text.value) as { flow: { uuid: string }; time: string };
      return { uuid: flow.uuid, timeNs: nanosOf(time), json: JSON.stringify(flow) };
    });
  const lost = events
    .filter(({ kind }) => kind === 'lost_events')
    .map(({ bytes }) => new WireFields(bytes).message(3)?.uint64(2) ?? 0n);
  return { flows: flows.toSorted((a, b) => Number(a.timeNs - b.timeNs)), lost };
}

function nanosOf(time: string): bigint {
  const [whole = '', fraction = ''] = time.slice(0, -1).split('.');
  return BigInt(Date.parse(`${whole}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

const flowsOf = (answers: readonly FlowsAnswer[]): FlowsAnswer[] =>
  answers.filter(({ kind }) => kind === 'flow');
const timesOf = (answers: readonly FlowsAnswer[]): bigint[] => flowsOf(answers).map(({ timeNs }) => timeNs);
const uuidsOf = (answers: readonly FlowsAnswer[]): string[] =>
  flowsOf(answers)
    .map(({ uuid }) => uuid)
    .toSorted();
const uuids = (flows: Sent['flows']): string[] => flows.map(({ uuid }) => uuid).toSorted();

describe('GetFlows', () => {
  it('gives every flow once, whole, in the order of time of all nodes, with lost events and node states between them', async () => {
    const answers = await client.flows({ number: ALL });
    expect(uuidsOf(answers)).toEqual(uuids(sent.flows));
    expect(timesOf(answers)).toEqual(sent.flows.map(({ timeNs }) => timeNs));
    const lost = answers.filter(({ kind }) => kind === 'lost_events');
    expect(lost.map(({ body }) => body.uint64(2)).toSorted()).toEqual(sent.lost.toSorted());
    expect(sent.lost.length).toBeGreaterThan(5);
    const [told, ...more] = answers.filter(({ kind }) => kind === 'node_status');
    expect([told?.body.uint64(1), told?.body.texts(2), more]).toEqual([BigInt(CONNECTED), NODES, []]);
    const times = answers.map(({ timeNs }) => timeNs);
    expect(times.every((time, i) => i === 0 || time >= (times[i - 1] ?? time))).toBe(true);
  });

  it('gives flows back field by field as they were sent', async () => {
    const stream = client.stream('GetFlows', flowsRequest({ number: 2000n }));
    const back = new Map<string, string>();
    for await (const bytes of stream) {
      const text = toProtoJson('observer.GetFlowsResponse', bytes as Buffer);
      const { flow } = JSON.parse(text.ok ? text.value : '{}') as { flow?: { uuid: string } };
      if (flow !== undefined) back.set(flow.uuid, JSON.stringify(flow));
    }
    expect(back.size).toBe(2000);
    for (const { uuid, json } of sent.flows.slice(-2000))
      expect(JSON.parse(back.get(uuid) ?? '{}')).toEqual(JSON.parse(json));
  });

  it.each([1n, 20n, 499n, 500n, 4001n, 10_001n])(
    'number %i is the last so many, ascending',
    async (number) => {
      const answers = await client.flows({ number });
      expect(timesOf(answers)).toEqual(sent.flows.slice(-Number(number)).map(({ timeNs }) => timeNs));
    },
  );

  it('first is the oldest; since and number are the earliest behind it; both bounds are inclusive', async () => {
    expect(timesOf(await client.flows({ number: 30n, first: true }))).toEqual(
      sent.flows.slice(0, 30).map(({ timeNs }) => timeNs),
    );
    const [from, to] = [sent.flows[700]?.timeNs ?? 0n, sent.flows[5900]?.timeNs ?? 0n];
    const within = sent.flows.filter(({ timeNs }) => timeNs >= from && timeNs <= to);
    expect(uuidsOf(await client.flows({ sinceNs: from, untilNs: to }))).toEqual(uuids(within));
    const earliest = await client.flows({ sinceNs: from, untilNs: to, number: 5n });
    expect(timesOf(earliest)).toEqual(within.slice(0, 5).map(({ timeNs }) => timeNs));
  });

  it('applies allow and deny lists', async () => {
    const shop = textFilter({ 2: ['shop/'] });
    const dns = textFilter({ 12: ['dns'] });
    const answers = await client.flows({ number: ALL, allow: [shop], deny: [dns] });
    const expected = sent.flows.filter(({ json }) => {
      const flow = JSON.parse(json) as { source?: { namespace?: string }; l7?: { dns?: object } };
      return flow.source?.namespace === 'shop' && flow.l7?.dns === undefined;
    });
    expect(uuidsOf(answers)).toEqual(uuids(expected));
    expect(expected.length).toBeGreaterThan(100);
  });

  it('refuses a bad filter with its field, an unknown filter field, and first with follow', async () => {
    const refused = (ask: Parameters<ObserverClient['flows']>[0]) =>
      client.flows(ask).then(
        () => 'answered',
        (error: { code: number; details: string }) => `${error.code} ${error.details}`,
      );
    expect(await refused({ allow: [textFilter({ 1: ['not an ip'] })] })).toMatch(
      /^3 whitelist\[0\]\.source_ip/,
    );
    expect(await refused({ deny: [textFilter({ 7: ['a_b?'] })] })).toMatch(/^3 blacklist\[0\]\.source_fqdn/);
    expect(await refused({ allow: [textFilter({ 77: ['from a newer client'] })] })).toMatch(
      /^3 whitelist\[0\]\.77/,
    );
    expect(await refused({ first: true, follow: true })).toMatch(/^3 first/);
    expect(await refused({ sinceNs: 2n, untilNs: 1n })).toMatch(/^3 since/);
  });

  it('says so when a question lies outside of what is kept', async () => {
    const short = await rig.serve({ retention: { rawNs: 3600n * SECOND_NS, minuteNs: 1n, hourNs: 1n } });
    const asks = new ObserverClient(short.address);
    const old = NOW_NS - 400_000n * SECOND_NS;
    await expect(asks.flows({ untilNs: old })).rejects.toMatchObject({
      code: 11,
      details: expect.stringContaining('rawDays'),
    });
    const [notice, ...rest] = await asks.flows({ sinceNs: old, number: 5n });
    expect(notice).toMatchObject({ kind: 'node_status' });
    expect(notice?.body.text(3)).toContain('nothing is kept from before');
    expect(flowsOf(rest)).toHaveLength(5);
    asks.close();
  });

  it('applies a field mask, ignores paths it does not know, and keeps time and node of the response', async () => {
    const mask = ['verdict', 'source.namespace', 'field_of_the_future', 'source.also_new'];
    const [answer] = flowsOf(await client.flows({ number: 1n, mask }));
    const last = JSON.parse(sent.flows.at(-1)?.json ?? '{}') as {
      verdict: string;
      source: { namespace?: string };
    };
    const { namespace } = last.source;
    const text = toProtoJson('flow.Flow', answer === undefined ? new Uint8Array() : await rawFlow(mask));
    expect(JSON.parse(text.ok ? text.value : '{}')).toEqual({
      verdict: last.verdict,
      source: namespace === undefined ? {} : { namespace },
    });
    expect(answer?.timeNs).toBe(sent.flows.at(-1)?.timeNs);
    expect(answer?.nodeName).toMatch(/^demo\/demo-worker-\d$/);
  });

  async function rawFlow(mask: readonly string[]): Promise<Uint8Array> {
    for await (const bytes of client.stream('GetFlows', flowsRequest({ number: 1n, mask }))) {
      return new WireFields(bytes as Buffer).bytes(1);
    }
    throw new Error('no flow');
  }

  it('stops the statement in the engine when the client goes', async () => {
    const store = rig.store.store('reader');
    const read = store.readNative.bind(store);
    const readNative: typeof read = (plan, ...more) =>
      read({ ...plan, sql: ENDLESS, params: {}, settings: {} }, ...more);
    const slow = await rig.serve({ store: Object.assign(store, { readNative }) });
    const asks = new ObserverClient(slow.address);
    const running = async (): Promise<number> => (await rig.store.server.stats()).running;
    const stream = asks.stream('GetFlows', flowsRequest({ number: ALL }));
    stream.on('error', () => undefined);
    stream.resume();
    await expect.poll(running, { timeout: 10_000 }).toBe(1);
    stream.cancel();
    await expect.poll(running, { timeout: 10_000 }).toBe(0);
    // The place of the statement is free for the next one.
    expect(uuidsOf(await client.flows({ number: 1n }))).toHaveLength(1);
    asks.close();
  }, 30_000);
});

describe('the other calls', () => {
  it('answers what the UI asks: follow with number, nodes and status, every five seconds', async () => {
    const status = await client.unary('/observer.Observer/ServerStatus');
    expect(status.uint64(1)).toBe(BigInt(sent.flows.length));
    expect(status.message(5)?.uint64(1)).toBe(4n);
    expect(status.text(8)).not.toBe('');
    expect(Number(status.uint64(4))).toBeGreaterThan(0);
    const nodes = (await client.unary('/observer.Observer/GetNodes')).messages(1);
    expect(nodes.map((node) => node.text(1))).toEqual([1, 2, 3, 4].map((n) => `demo/demo-worker-${n}`));
    const namespaces = (await client.unary('/observer.Observer/GetNamespaces')).messages(1);
    expect(namespaces.map((one) => one.text(2)).toSorted()).toEqual(namespaces.map((one) => one.text(2)));
  });

  it('is healthy under the name that the CLI asks for', async () => {
    const service = (name: string): Uint8Array => textFilter({ 1: [name] });
    const health = await client.unary('/grpc.health.v1.Health/Check', service('hubble.server.Observer'));
    expect(health.uint64(1)).toBe(1n);
    await expect(client.unary('/grpc.health.v1.Health/Check', service('nobody'))).rejects.toMatchObject({
      code: 5,
    });
  });

  it('steps aside when its port is taken, and says where it is', async () => {
    const second = await rig.serve({ port: server.port });
    expect(second).toMatchObject({ steppedAside: true });
    expect(second.port).not.toBe(server.port);
    const other = new ObserverClient(second.address);
    expect(flowsOf(await other.flows({ number: 3n }))).toHaveLength(3);
    other.close();
  });
});

describe('who may ask', () => {
  const authority = makeAuthority();
  const pair = authority.issue(['localhost']);
  const ca = Buffer.from(authority.certificate);
  const tls = { certificate: Buffer.from(pair.certificate), key: Buffer.from(pair.key) };
  const nobody = { token: '', username: '', password: '' };

  function sends(authorization: string): Metadata {
    const metadata = new Metadata();
    metadata.set('authorization', authorization);
    return metadata;
  }

  async function codeOf(
    address: string,
    ...more: readonly [ReturnType<typeof credentials.createSsl>?, Metadata?]
  ) {
    const asks = new ObserverClient(address, ...more);
    try {
      await asks.unary('/observer.Observer/GetNodes');
      return 0;
    } catch (error) {
      return (error as { code: number }).code;
    } finally {
      asks.close();
    }
  }

  it('asks for a token or basic auth over TLS', async () => {
    const guarded = await rig.serve({
      tls,
      credentials: { token: 'secret', username: 'ann', password: 'pw' },
    });
    const secure = credentials.createSsl(ca);
    expect(await codeOf(guarded.address, secure)).toBe(16);
    expect(await codeOf(guarded.address, secure, sends('Bearer wrong'))).toBe(16);
    expect(await codeOf(guarded.address, secure, sends('bearer secret'))).toBe(0);
    const basic = `Basic ${Buffer.from('ann:pw').toString('base64')}`;
    expect(await codeOf(guarded.address, secure, sends(basic))).toBe(0);
    expect(await codeOf(guarded.address)).toBe(14);
  });

  it('asks for a certificate of its authority when it has one', async () => {
    const mutual = await rig.serve({ tls: { ...tls, clientCa: ca } });
    expect(await codeOf(mutual.address, credentials.createSsl(ca))).toBe(14);
    const mine = authority.issue(['client']);
    const shown = credentials.createSsl(ca, Buffer.from(mine.key), Buffer.from(mine.certificate));
    expect(await codeOf(mutual.address, shown)).toBe(0);
  });

  it('refuses credentials over plain text, at the door and in the configuration', async () => {
    expect(await codeOf(server.address, undefined, sends('Bearer secret'))).toBe(16);
    await expect(rig.serve({ credentials: { ...nobody, token: 'secret' } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await expect(rig.serve({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
