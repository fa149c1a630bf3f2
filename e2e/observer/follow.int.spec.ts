import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOADER_GROUP } from '@flowledger/event-log';
import { openLiveFlows } from '@flowledger/live';
import { createObserverServer, type ObserverServer } from '@flowledger/observer';
import { WireWriter } from '@flowledger/model';
import { openLog } from '@flowledger/platform';
import type { QueryPlan } from '@flowledger/query';
import { Simulation, type SimulatedEvent } from '@flowledger/simulator';
import { storedKeys } from '@flowledger/sink';
import { startTestPipeline, type TestPipeline } from '@flowledger/testkit';
import { ObserverClient, textFilter, type FlowsAnswer } from './grpc-client.js';
import { finished, haveGo, hubbleCli, TESTED } from './hubble-cli.js';

const SECOND_NS = 1_000_000_000n;
const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
const ALL = (1n << 64n) - 1n;
const KEPT_DAYS = 20_000;
const KEPT_NS = BigInt(KEPT_DAYS) * 86_400n * SECOND_NS;

let pipeline: TestPipeline;
let server: ObserverServer;
let client: ObserverClient;
/** Fed before the first follower comes, and while it reads. */
let early: readonly SimulatedEvent[];
let late: readonly SimulatedEvent[];

beforeAll(async () => {
  const options = { seed: 9, from: NOW_NS - 240n * SECOND_NS, to: NOW_NS, callsPerSecond: 4 } as const;
  const events = [...new Simulation({ ...options, scenario: 'test' }).events()];
  early = events.slice(0, events.length / 2);
  late = events.slice(events.length / 2);
  pipeline = await startTestPipeline({ nowMs: NOW_MS });
  await pipeline.feed(early);
  await pipeline.loaded();
  const { log, store } = pipeline;
  const tail = {
    log,
    group: LOADER_GROUP,
    tenant: 'default',
    rawTtlDays: KEPT_DAYS,
    keys: storedKeys(store),
    endpoints: async <Row>(plan: QueryPlan) => (await store.query<Row>(plan)).rows,
  };
  server = await createObserverServer({
    store,
    live: openLiveFlows(tail),
    host: '127.0.0.1',
    port: 0,
    credentials: { token: '', username: '', password: '' },
    insecure: false,
    matchInferred: true,
    tenant: 'default',
    version: '0.0.0-test',
    log: openLog('observer-test', 'error'),
    retention: { rawNs: KEPT_NS, minuteNs: KEPT_NS, hourNs: KEPT_NS },
  });
  client = new ObserverClient(server.address);
});

afterAll(async () => {
  client?.close();
  await server?.close();
  await pipeline?.stop();
});

const uuidsOf = (answers: readonly FlowsAnswer[]): string[] =>
  answers.flatMap(({ kind, uuid }) => (kind === 'flow' ? [uuid] : [])).toSorted();

/** Says when so many flows have come; looks at each answer once. */
function flowsReach(count: number): (answers: readonly FlowsAnswer[]) => boolean {
  let [seen, flows] = [0, 0];
  return (answers) => {
    for (; seen < answers.length; seen++) if (answers[seen]?.kind === 'flow') flows++;
    return flows >= count;
  };
}

describe('following', () => {
  it('gives history and then what comes, every flow once, whenever the follower arrives', async () => {
    const count = [...early, ...late].filter(({ kind }) => kind === 'flow').length;
    const first = client.flows({ number: ALL, follow: true }, flowsReach(count));
    const feeding = pipeline.feed(late);
    // This one comes while the log runs ahead of the tables.
    const second = client.flows({ number: ALL, follow: true }, flowsReach(count));
    await feeding;
    const [one, two] = [uuidsOf(await first), uuidsOf(await second)];
    expect(new Set(one).size).toBe(count);
    expect(one).toHaveLength(count);
    expect(two).toEqual(one);
  });

  it('as the UI does: the last matches of one namespace, then live ones, replies left out', async () => {
    const ui = new Uint8Array([...textFilter({ 4: ['shop/'] }), 0x78, 0]);
    await pipeline.loaded();
    const answers = await client.flows(
      { number: 50n, follow: true, allow: [ui] },
      (all) => all.length === 50,
    );
    expect(uuidsOf(answers)).toHaveLength(50);
    for (const { body } of answers) {
      expect(body.message(9)?.text(3)).toBe('shop');
      expect(body.uint64(16)).toBe(0n);
    }
    expect((await client.unary('/observer.Observer/GetNodes')).messages(1).length).toBeGreaterThan(0);
    expect((await client.unary('/observer.Observer/ServerStatus')).message(5)?.uint64(1)).toBeGreaterThan(0n);
  });

  it('with matchInferred also brings flows that do not name the workload themselves', async () => {
    const workload = new WireWriter();
    workload.bytesField(27, textFilter({ 1: ['catalog'] }));
    const allow = [workload.finish()];
    const unnamed = (answers: readonly FlowsAnswer[]): boolean =>
      answers.some(({ body }) => body.message(9)?.has(6) !== true);
    const following = client.flows({ number: 0n, follow: true, allow }, unnamed);
    const span = { from: NOW_NS, to: NOW_NS + 600n * SECOND_NS };
    let found = false;
    void following.finally(() => (found = true));
    // Nothing is said when the follower is there, so flows are fed until it has what it waits for.
    for (const event of new Simulation({ seed: 12, ...span, callsPerSecond: 4, scenario: 'test' }).events()) {
      if (found) break;
      await pipeline.feed([event]);
    }
    expect(unnamed(await following)).toBe(true);
  });

  it.runIf(haveGo()).each([...TESTED])(
    'the stock CLI %s prints what comes: hubble observe --output=compact --follow',
    async (version) => {
      const path = await hubbleCli(version);
      const to = NOW_NS + 600n * SECOND_NS;
      const more = new Simulation({
        seed: 10 + TESTED.indexOf(version),
        from: NOW_NS,
        to,
        callsPerSecond: 4,
        scenario: 'test',
      });
      const following = finished(
        path,
        ['observe', '--server', server.address, '--output=compact', '--follow'],
        { stopLines: 21, stopMs: 60_000 },
      );
      // The CLI says nothing when it is connected, so flows are fed until it has seen some.
      let ended = false;
      void following.finally(() => (ended = true));
      for (const event of more.events()) {
        if (ended) break;
        await pipeline.feed([event]);
      }
      const { out } = await following;
      expect(out.trim().split('\n').length).toBeGreaterThan(20);
      expect(out).toMatch(/FORWARDED|DROPPED/);
    },
    600_000,
  );
});
