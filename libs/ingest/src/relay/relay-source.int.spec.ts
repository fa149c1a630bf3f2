import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Simulation, type SimulatedEvent } from '@flowledger/simulator';
import { FakeRelay, type FakeRelayOptions } from '@flowledger/testkit';
import { SourceRig, until, uuidsOf } from '../testing/source-rig.js';
import { DISCONNECTED_MESSAGE } from './flow-intake.js';

const FROM = 1_790_000_000_000_000_000n;
const SECOND = 1_000_000_000n;
const NODES = ['demo/demo-worker-1', 'demo/demo-worker-2'];
const UNAVAILABLE = 2;
const CONNECTED = 1;

/** The flows of so many seconds, oldest first. */
function traffic(seconds: number, callsPerSecond = 20): SimulatedEvent[] {
  const to = FROM + BigInt(seconds) * SECOND;
  const simulation = new Simulation({ seed: 7, from: FROM, to, nodes: 2, callsPerSecond, scenario: 'test' });
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

/** Everything that the nodes saw is in the log, and would be stored once. */
async function expectExactly(events: readonly SimulatedEvent[]): Promise<void> {
  const content = await rig.content();
  expect(content.uuids).toEqual(uuidsOf(events));
  expect(content.flows).toBe(events.length);
  expect(content.dead).toBe(0);
}

describe('a relay source', () => {
  it('brings what the rings hold and what comes after, byte for byte, in envelopes of one node', async () => {
    const relay = await fakeRelay();
    const events = traffic(20);
    const half = events.length / 2;
    relay.publish(events.slice(0, half));
    rig.run(rig.relay({ address: { target: relay.target } }));
    await until('the rings are read', async () => (await flowsInLog()) >= Math.floor(half));
    relay.publish(events.slice(half));
    await until('the rest came', async () => (await flowsInLog()) === events.length);
    await expectExactly(events);
    const { headers, duplicates } = await rig.content();
    expect(duplicates).toBe(0);
    expect(new Set(headers.map(({ stream }) => stream))).toEqual(new Set(NODES));
    for (const header of headers) expect(header.count).toBeLessThanOrEqual(1000);
  });

  const interruptions: readonly (readonly [string, (relay: FakeRelay) => void])[] = [
    ['its connection is reset', (relay) => relay.reset()],
    ['the stream fails', (relay) => relay.fail(status.UNAVAILABLE)],
    [
      'the server refuses it for a while',
      (relay) => {
        relay.refuse(status.UNAVAILABLE);
        relay.fail(status.INTERNAL);
      },
    ],
    ['a message is garbage', (relay) => relay.inject(Uint8Array.from([0xff, 0xff, 0xff]))],
  ];
  it.each(interruptions)('loses and doubles nothing when %s, again and again', async (_what, interrupt) => {
    const relay = await fakeRelay();
    const events = traffic(40);
    rig.run(rig.relay({ address: { target: relay.target } }));
    const step = Math.ceil(events.length / 5);
    for (let at = 0; at < events.length; at += step) {
      await until('a stream is open', () => relay.open > 0);
      relay.publish(events.slice(at, at + step / 2));
      interrupt(relay);
      relay.publish(events.slice(at + step / 2, at + step));
      relay.refuse(undefined);
    }
    await until('everything came', async () => (await flowsInLog()) === events.length);
    const content = await rig.content();
    expect(content.uuids).toEqual(uuidsOf(events));
    expect(content.flows).toBe(events.length);
    expect(content.events.filter(({ text }) => text === DISCONNECTED_MESSAGE)).toEqual([]);
  });

  it('stores once what relay sends out of order and replays', async () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const relay = await fakeRelay({ disorder: 40, random });
    const events = traffic(30);
    rig.run(rig.relay({ address: { target: relay.target } }));
    relay.publish(events.slice(0, 400));
    await until('the first came', async () => (await flowsInLog()) === 400);
    relay.reset();
    relay.publish(events.slice(400));
    await until('the rest came', async () => (await flowsInLog()) === events.length);
    await expectExactly(events);
    expect((await rig.content()).duplicates).toBeGreaterThan(0);
  });

  it('goes on after a stop where the log ended, with the nanoseconds', async () => {
    const relay = await fakeRelay();
    const events = traffic(30);
    const stop = rig.run(rig.relay({ address: { target: relay.target } }));
    relay.publish(events.slice(0, 300));
    await until('the first came', async () => (await flowsInLog()) === 300);
    await stop();
    relay.publish(events.slice(300));
    rig.run(rig.relay({ address: { target: relay.target } }));
    await until('the rest came', async () => (await flowsInLog()) === events.length);
    await expectExactly(events);
    const newest = events.slice(0, 300).reduce<Record<string, bigint>>((by, event) => {
      by[event.node] = event.timeNs;
      return by;
    }, {});
    const oldest = Object.values(newest).reduce((least, time) => (time < least ? time : least));
    expect(relay.opened[1]?.request.sinceNs).toBe(oldest - 5n * SECOND);
  });

  it('asks for everything when its state is lost, and stores nothing twice', async () => {
    const relay = await fakeRelay();
    const events = traffic(20);
    relay.publish(events);
    const stop = rig.run(rig.relay({ address: { target: relay.target } }));
    await until('all came', async () => (await flowsInLog()) === events.length);
    await stop();
    rig.run(rig.relay({ address: { target: relay.target }, stateFile: `${rig.directory}/other.json` }));
    await until('all came again', async () => (await rig.content()).duplicates >= events.length);
    await expectExactly(events);
  });

  it('reads a node anew that an old stream forgot without a word', async () => {
    const relay = await fakeRelay();
    const events = traffic(30);
    rig.run(rig.relay({ address: { target: relay.target }, idleMs: 60 }));
    relay.publish(events.slice(0, 200));
    await until('the first came', async () => (await flowsInLog()) === 200);
    relay.silence(NODES[1] ?? '');
    relay.publish(events.slice(200));
    await until('the rest came', async () => (await flowsInLog()) === events.length);
    await expectExactly(events);
    expect(relay.opened.length).toBeGreaterThan(1);
  });

  it('opens its stream anew from time to time, which costs nothing but copies', async () => {
    const relay = await fakeRelay();
    const events = traffic(30);
    rig.run(rig.relay({ address: { target: relay.target }, reopenMs: 250 }));
    const step = Math.ceil(events.length / 5);
    for (let at = 0; at < events.length; at += step) {
      const opened = relay.opened.length;
      relay.publish(events.slice(at, at + step));
      await until('another stream was opened', () => relay.opened.length > opened);
    }
    await until('everything came', async () => (await flowsInLog()) === events.length);
    await expectExactly(events);
  });

  it('goes on when a stalled stream moves again', async () => {
    const relay = await fakeRelay();
    const events = traffic(20);
    rig.run(rig.relay({ address: { target: relay.target } }));
    await until('a stream is open', () => relay.open > 0);
    relay.publish(events.slice(0, 100));
    relay.stall(true);
    relay.publish(events.slice(100));
    relay.stall(false);
    await until('everything came', async () => (await flowsInLog()) === events.length);
    await expectExactly(events);
  });
});

describe('an interruption of a relay source', () => {
  it('is in the log when the ring was overwritten meanwhile: from the last flow before to the first after', async () => {
    const relay = await fakeRelay({ nodes: NODES.slice(0, 1), ring: 63 });
    const events = traffic(60).filter(({ node }) => node === NODES[0]);
    const stop = rig.run(rig.relay({ address: { target: relay.target } }));
    relay.publish(events.slice(0, 50));
    await until('the first came', async () => (await flowsInLog()) === 50);
    await stop();
    relay.publish(events.slice(50, 300));
    rig.run(rig.relay({ address: { target: relay.target } }));
    await until('the interruption is told', async () =>
      (await rig.content()).events.some(
        ({ type, text }) => type === CONNECTED && text === DISCONNECTED_MESSAGE,
      ),
    );
    const { events: logged, uuids } = await rig.content();
    const told = logged.filter(({ text }) => text === DISCONNECTED_MESSAGE);
    expect(told.map(({ type, nodes, timeNs }) => ({ type, nodes, timeNs }))).toEqual([
      { type: UNAVAILABLE, nodes: [NODES[0]], timeNs: events[49]?.timeNs },
      { type: CONNECTED, nodes: [NODES[0]], timeNs: events[300 - 63]?.timeNs },
    ]);
    expect(uuids).toEqual(uuidsOf([...events.slice(0, 50), ...events.slice(300 - 63, 300)]));
  });

  it('is told while it lasts, and taken back to nothing when no flow was lost', async () => {
    const relay = await fakeRelay({ nodes: NODES.slice(0, 1) });
    const events = traffic(30).filter(({ node }) => node === NODES[0]);
    rig.run(rig.relay({ address: { target: relay.target }, outageMs: 30 }));
    relay.publish(events.slice(0, 50));
    await until('the first came', async () => (await flowsInLog()) === 50);
    relay.refuse(status.UNAVAILABLE);
    relay.fail(status.UNAVAILABLE);
    const told = async (): Promise<readonly (readonly [number, bigint | undefined])[]> =>
      (await rig.content()).events
        .filter(({ text }) => text === DISCONNECTED_MESSAGE)
        .map(({ type, timeNs }) => [type, timeNs]);
    await until('the outage is told', async () => (await told()).length === 1);
    relay.publish(events.slice(50));
    relay.refuse(undefined);
    await until('its end is told', async () => (await told()).length === 2);
    await until('everything came', async () => (await flowsInLog()) === events.length);
    expect(await told()).toEqual([
      [UNAVAILABLE, events[49]?.timeNs],
      [CONNECTED, events[49]?.timeNs],
    ]);
    await expectExactly(events);
  });

  it('of one node ends in the stream of who said that it began', async () => {
    const relay = await fakeRelay();
    const events = traffic(30);
    rig.run(rig.relay({ address: { target: relay.target } }));
    relay.publish(events.slice(0, 200));
    await until('the first came', async () => (await flowsInLog()) === 200);
    relay.loseNode(NODES[1] ?? '');
    relay.publish(events.slice(200));
    relay.returnNode(NODES[1] ?? '');
    await until('everything came', async () => (await flowsInLog()) === events.length);
    await until('its end is told', async () =>
      (await rig.content()).events.some(({ text }) => text === DISCONNECTED_MESSAGE),
    );
    const about = (await rig.content()).events.filter(
      ({ nodes, type }) => nodes.includes(NODES[1] ?? '') && type !== CONNECTED,
    );
    expect(about.map(({ type, timeNs }) => [type, timeNs])).toEqual([[UNAVAILABLE, FROM]]);
    const ends = (await rig.content()).events.filter(({ text }) => text === DISCONNECTED_MESSAGE);
    expect(ends.map(({ type, timeNs, nodes }) => [type, timeNs, nodes])).toEqual([
      [CONNECTED, FROM, [NODES[1]]],
    ]);
    await expectExactly(events);
  });
});

describe('back-pressure of a relay source', () => {
  it('holds a bounded number of bytes while the log takes nothing; the relay says what its rings lost', async () => {
    const relay = await fakeRelay({ ring: 255 });
    const events = traffic(80, 40);
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    rig.append = async (records) => {
      await gate;
      return rig.log.append(records);
    };
    const bufferBytes = 128 * 1024;
    const source = rig.relay({ address: { target: relay.target }, bufferBytes, idleMs: 20 });
    rig.run(source);
    await until('a stream is open', () => relay.open > 0);
    let most = 0;
    for (let at = 0; at < events.length; at += 200) {
      const sent = relay.opened[0]?.sent ?? 0;
      relay.publish(events.slice(at, at + 200));
      const deadline = performance.now() + 30;
      await until(
        'it was sent, or is held up',
        () => (relay.opened[0]?.sent ?? 0) >= sent + 200 || performance.now() > deadline,
      );
      most = Math.max(most, source.state.pendingBytes);
    }
    expect(most).toBeGreaterThanOrEqual(bufferBytes);
    expect(most).toBeLessThan(bufferBytes + 64 * 1024);
    expect(relay.opened).toHaveLength(1);
    open();
    const lost = async (): Promise<number> =>
      (await rig.content()).events.reduce((sum, event) => sum + Number(event.lost), 0);
    await until(
      'flows and losses add up',
      async () => (await flowsInLog()) + (await lost()) === events.length,
    );
    expect(await lost()).toBeGreaterThan(0);
  });

  it('tries a refused append again until the log takes it', async () => {
    const relay = await fakeRelay();
    const events = traffic(10);
    let refusals = 3;
    rig.append = (records) => {
      if (refusals-- > 0) return Promise.reject(new Error('log is full'));
      return rig.log.append(records);
    };
    rig.run(rig.relay({ address: { target: relay.target } }));
    relay.publish(events);
    await until('everything came', async () => (await flowsInLog()) === events.length);
    await expectExactly(events);
    expect(refusals).toBeLessThan(0);
  });
});
