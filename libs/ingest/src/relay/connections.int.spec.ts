import { writeFile } from 'node:fs/promises';
import { createServer, type Http2Server } from 'node:http2';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog, systemClock, type Clock, type Log } from '@flowledger/platform';
import { Simulation, type SimulatedEvent } from '@flowledger/simulator';
import {
  FakeRelay,
  makeAuthority,
  startTcpProxy,
  type FakeRelayOptions,
  type TcpFault,
} from '@flowledger/testkit';
import { SourceRig, until, uuidsOf } from '../testing/source-rig.js';
import { DISCONNECTED_MESSAGE } from './flow-intake.js';
import { agentServerName } from './server-name.js';

const FROM = 1_790_000_000_000_000_000n;
const NODES = ['demo/demo-worker-1', 'demo/demo-worker-2'] as const;

function traffic(seconds = 15): SimulatedEvent[] {
  const to = FROM + BigInt(seconds) * 1_000_000_000n;
  const simulation = new Simulation({
    seed: 9,
    from: FROM,
    to,
    nodes: 2,
    callsPerSecond: 20,
    scenario: 'test',
  });
  return [...simulation.events()].filter((event) => event.kind === 'flow');
}

let rig: SourceRig;
let relays: FakeRelay[] = [];

beforeEach(async () => {
  rig = await SourceRig.open();
});

afterEach(async () => {
  await rig.close();
  await Promise.all(relays.map((relay) => relay.close()));
  relays = [];
});

async function fakeRelay(options: Partial<FakeRelayOptions> = {}): Promise<FakeRelay> {
  const relay = await FakeRelay.start({ nodes: NODES, ring: 65_535, nowNs: () => FROM, ...options });
  relays.push(relay);
  return relay;
}

const flowsInLog = async (): Promise<number> => (await rig.content()).uuids.length;

describe('TLS of a relay source', () => {
  const authority = makeAuthority();
  const server = authority.issue(['relay.test']);
  const client = authority.issue(['reader.test']);

  it('reads from a server whose certificate carries the configured name', async () => {
    const relay = await fakeRelay({ tls: server });
    const events = traffic();
    relay.publish(events);
    const tls = { ca: authority.certificate, serverName: 'relay.test' };
    rig.run(rig.relay({ address: { target: relay.target, tls } }));
    await until('everything came', async () => (await flowsInLog()) === events.length);
  });

  it('shows its own certificate to a server that asks for one', async () => {
    const relay = await fakeRelay({ tls: { ...server, clientCa: authority.certificate } });
    const events = traffic();
    relay.publish(events);
    const tls = { ca: authority.certificate, serverName: 'relay.test' };
    const nobody = rig.relay({ address: { target: relay.target, tls } });
    rig.run(nobody);
    await until('it is refused', () => nobody.state.error !== null);
    expect(relay.opened).toHaveLength(0);
    rig.run(rig.relay({ address: { target: relay.target, tls: { ...tls, ...client } } }));
    await until('everything came', async () => (await flowsInLog()) === events.length);
  });

  const another = makeAuthority('another authority');
  const expired = authority.issue(['relay.test'], { expired: true });
  it.each([
    ['another name', server, authority, 'other.test'],
    ['another authority', server, another, 'relay.test'],
    ['a certificate that has expired', expired, authority, 'relay.test'],
  ])(
    'reads nothing from a server with %s, and goes on when it is put right',
    async (_what, pair, trusted, serverName) => {
      const wrong = await fakeRelay({ tls: pair });
      const events = traffic(5);
      wrong.publish(events);
      const tls = { ca: trusted.certificate, serverName };
      const source = rig.relay({ address: { target: wrong.target, tls } });
      rig.run(source);
      await until('it failed twice', () => source.state.reconnects >= 2);
      expect(source.state.state).not.toBe('reading');
      expect(wrong.opened).toHaveLength(0);
      await wrong.close();
      const port = Number(wrong.target.split(':')[1]);
      const right = await fakeRelay({ tls: trusted.issue([serverName]), port });
      right.publish(events);
      await until('everything came', async () => (await flowsInLog()) === events.length);
    },
  );

  it('is refused at the start when key and certificate are none', async () => {
    const tls = { certificate: 'no certificate', key: 'no key' };
    const source = rig.relay({ address: { target: '127.0.0.1:1', tls } });
    await expect(source.run(new AbortController().signal)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('peer mode', () => {
  interface Agents {
    readonly peers: FakeRelay;
    readonly agents: readonly FakeRelay[];
  }

  async function cluster(options: Partial<FakeRelayOptions> = {}): Promise<Agents> {
    const agents = await Promise.all(
      NODES.map((node) => fakeRelay({ ...options, nodes: [node], agent: true })),
    );
    return { peers: await fakeRelay({ ...options, nodes: [] }), agents };
  }

  it('reads each agent by a stream of its own, those that come later too', async () => {
    const { peers, agents } = await cluster();
    const events = traffic();
    for (const agent of agents) agent.publish(events);
    peers.announce({ name: NODES[0], address: agents[0]?.target ?? '' });
    const source = rig.peers({ address: { target: peers.target } });
    rig.run(source);
    const mine = events.filter(({ node }) => node === NODES[0]);
    await until('the first node came', async () => (await flowsInLog()) === mine.length);
    peers.announce({ name: NODES[1], address: agents[1]?.target ?? '' });
    await until('the second came', async () => (await flowsInLog()) === events.length);
    const content = await rig.content();
    expect(content.uuids).toEqual(uuidsOf(events));
    expect(content.flows).toBe(events.length);
    expect(source.states.map(({ source: kind, state }) => [kind, state])).toEqual([
      ['peers', 'reading'],
      ['agent', 'reading'],
      ['agent', 'reading'],
    ]);
  });

  it('ends the stream of a node that went, says so, and survives the loss of the peer service', async () => {
    const { peers, agents } = await cluster();
    const events = traffic();
    const half = Math.floor(events.length / 2);
    for (const [i, node] of NODES.entries()) peers.announce({ name: node, address: agents[i]?.target ?? '' });
    for (const agent of agents) agent.publish(events.slice(0, half));
    rig.run(rig.peers({ address: { target: peers.target } }));
    await until('the first half came', async () => (await flowsInLog()) === half);
    peers.announce({ name: NODES[1], address: agents[1]?.target ?? '' }, 'deleted');
    await until('its stream is closed', () => agents[1]?.open === 0);
    await until('that is in the log', async () =>
      (await rig.content()).events.some(({ type, nodes }) => type === 3 && nodes.includes(NODES[1])),
    );
    await peers.close();
    for (const agent of agents) agent.publish(events.slice(half));
    const kept = events.filter(({ node }, i) => i < half || node === NODES[0]);
    await until('the other agent is read on', async () => (await flowsInLog()) === kept.length);
    expect((await rig.content()).uuids).toEqual(uuidsOf(kept));
  });

  it('follows a node to a new address, from where the old one ended', async () => {
    const { peers, agents } = await cluster();
    const events = traffic().filter(({ node }) => node === NODES[0]);
    agents[0]?.publish(events.slice(0, 40));
    peers.announce({ name: NODES[0], address: agents[0]?.target ?? '' });
    rig.run(rig.peers({ address: { target: peers.target } }));
    await until('the first came', async () => (await flowsInLog()) === 40);
    const moved = await fakeRelay({ nodes: [NODES[0]], agent: true });
    moved.publish(events);
    peers.announce({ name: NODES[0], address: moved.target });
    await until('the rest came', async () => (await flowsInLog()) === events.length);
    const content = await rig.content();
    expect(content.flows).toBe(events.length);
    expect(moved.opened[0]?.request.sinceNs).toBe((events[39]?.timeNs ?? 0n) - 5_000_000_000n);
  });

  it('expects of each agent the name that Cilium gives its certificate', async () => {
    const authority = makeAuthority();
    const client = authority.issue(['reader.test']);
    const named = NODES.map((node) => agentServerName(node, 'demo'));
    const events = traffic();
    const agents = await Promise.all(
      NODES.map((node, i) =>
        fakeRelay({
          nodes: [node],
          agent: true,
          tls: { ...authority.issue([named[i] ?? '']), clientCa: authority.certificate },
        }),
      ),
    );
    const peers = await fakeRelay({
      nodes: [],
      tls: {
        ...authority.issue(['hubble-peer.demo.hubble-grpc.cilium.io']),
        clientCa: authority.certificate,
      },
    });
    peers.announce({ name: NODES[0], address: agents[0]?.target ?? '' });
    peers.announce({ name: NODES[1], address: agents[1]?.target ?? '', serverName: named[1] ?? '' });
    for (const agent of agents) agent.publish(events);
    rig.run(rig.peers({ address: { target: peers.target, tls: { ca: authority.certificate, ...client } } }));
    await until('everything came', async () => (await flowsInLog()) === events.length);
  });
});

describe('a server that cannot be read', () => {
  it('is not asked in a tight loop when it is no Hubble, and the operator is told', async () => {
    const relay = await fakeRelay();
    relay.refuse(status.UNIMPLEMENTED);
    const told: string[] = [];
    const waits: number[] = [];
    const log: Log = { ...silentLog, error: (_facts, message) => told.push(message) };
    const clock: Clock = {
      ...systemClock,
      sleep: (ms, signal) => {
        if (ms >= 1000 && ms <= 60_000 && ms !== 30_000) waits.push(ms);
        return systemClock.sleep(ms === 250 || ms === 500 ? ms : Math.min(ms, 20), signal);
      },
    };
    const source = rig.relay({ address: { target: relay.target }, log, clock, idleMs: 30_000 });
    rig.run(source);
    await until('it was tried a few times', () => source.state.reconnects >= 5);
    expect(waits.length).toBeGreaterThanOrEqual(5);
    expect(told[0]).toContain('is it a Hubble Relay');
    expect(source.state.error).toContain('refused');
  });

  it('loses only what lies around a message that is too large, and says so', async () => {
    const relay = await fakeRelay({ nodes: [NODES[0]] });
    const events = traffic(30).filter(({ node }) => node === NODES[0]);
    const [before, after] = [events.slice(0, 100), events.slice(100)];
    const at = before.at(-1)?.timeNs ?? 0n;
    let nowMs = Number(at / 1_000_000n) + 1;
    const clock: Clock = { ...systemClock, now: () => nowMs };
    relay.publish(before);
    const source = rig.relay({ address: { target: relay.target }, clock });
    rig.run(source);
    await until('the first came', async () => (await flowsInLog()) === 100);
    const giant = {
      node: NODES[0],
      timeNs: at + 1n,
      kind: 'flow',
      bytes: new Uint8Array(5 * 1024 * 1024),
    } as const;
    relay.publish([giant]);
    await until('it was passed over', () => (relay.opened.at(-1)?.request.sinceNs ?? 0n) > at);
    nowMs += 60_000;
    relay.publish(after);
    const later = after.filter(({ timeNs }) => timeNs >= (relay.opened.at(-1)?.request.sinceNs ?? 0n));
    await until('the rest came', async () => (await flowsInLog()) >= 100 + later.length);
    await until('it is told', async () =>
      (await rig.content()).events.some(({ text, type }) => type === 1 && text === DISCONNECTED_MESSAGE),
    );
  });
});

describe('a bad way to a relay', () => {
  it.each<[string, readonly TcpFault[]]>([
    ['is reset', ['refuse', 'pass', 'pass']],
    ['is slow', [{ drip: 4_000 }, 'pass']],
    ['stalls and loses answers', ['stall', 'lose-answers', 'pass', 'pass']],
  ])(
    'loses and changes no flow when it %s',
    async (_, faults) => {
      const relay = await fakeRelay();
      const proxy = await startTcpProxy();
      proxy.to(Number(relay.target.split(':')[1]));
      const events = traffic(40);
      rig.run(rig.relay({ address: { target: `127.0.0.1:${proxy.port}` } }));
      try {
        const share = Math.ceil(events.length / 20);
        // How many faults meet a connection depends on when the source tries again: they go on until enough did.
        for (let turn = 0; turn < 20 || proxy.hits() <= 5; turn++) {
          proxy.set(faults[turn % faults.length] ?? 'pass');
          relay.publish(events.slice(turn * share, (turn + 1) * share));
          await systemClock.sleep(100);
        }
        proxy.set('pass');
        const sent = new Set(uuidsOf(events));
        await until('every flow came', async () => new Set((await rig.content()).uuids).size === sent.size);
        expect(new Set((await rig.content()).uuids)).toEqual(sent);
      } finally {
        await proxy.close();
      }
    },
    60_000,
  );
});

/** A gRPC server that answers every stream with one compressed message of so many bytes. */
async function bombServer(
  bytes: number,
): Promise<{ target: string; asked: () => number; server: Http2Server }> {
  const packed = gzipSync(Buffer.alloc(bytes));
  const frame = Buffer.alloc(5 + packed.length);
  frame.writeUInt8(1, 0);
  frame.writeUInt32BE(packed.length, 1);
  packed.copy(frame, 5);
  let asked = 0;
  const server = createServer();
  server.on('stream', (stream) => {
    asked++;
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' });
    stream.write(frame);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { target: `127.0.0.1:${port}`, asked: () => asked, server };
}

describe('a message that expands past the limit when it is unpacked (B12)', () => {
  it('is cut while it is unpacked, the source goes on, and nothing of it reaches the log', async () => {
    const bomb = await bombServer(512 * 1024 * 1024);
    try {
      const before = process.memoryUsage().rss;
      const source = rig.relay({ address: { target: bomb.target } });
      rig.run(source);
      await until('it was asked again', () => bomb.asked() >= 3);
      expect(source.state.error).not.toBeNull();
      expect(await flowsInLog()).toBe(0);
      expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
    } finally {
      bomb.server.close();
    }
  }, 60_000);
});

describe('the progress of a relay source', () => {
  it('is not needed: a file that is damaged is taken for none', async () => {
    const relay = await fakeRelay();
    const events = traffic(5);
    relay.publish(events);
    await writeFile(join(rig.directory, 'relay.json'), '{"nodes": {"a": {"time": 12}, "b": [], "c');
    rig.run(rig.relay({ address: { target: relay.target } }));
    await until('everything came', async () => (await flowsInLog()) === events.length);
  });
});
