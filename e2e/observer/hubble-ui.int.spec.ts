import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOADER_GROUP } from '@flowledger/event-log';
import { openLiveFlows } from '@flowledger/live';
import type { WireFields } from '@flowledger/model';
import { createObserverServer, type ObserverServer } from '@flowledger/observer';
import { openLog } from '@flowledger/platform';
import type { QueryPlan } from '@flowledger/query';
import { Simulation, type SimulatedEvent } from '@flowledger/simulator';
import { storedKeys } from '@flowledger/sink';
import { startTestPipeline, type TestPipeline } from '@flowledger/testkit';
import { ObserverClient, type FlowsAnswer } from './grpc-client.js';

interface Call {
  readonly call: number;
  readonly method?: 'GetFlows' | 'GetNodes' | 'ServerStatus';
  /** The request as it was sent, hex. */
  readonly wire?: string;
  readonly cancelled?: true;
}
/** See its own first lines: what the backend of the Hubble UI asks while a service map is open. */
const { calls } = JSON.parse(readFileSync(new URL('hubble-ui-calls.json', import.meta.url), 'utf8')) as {
  readonly calls: readonly Call[];
};

const SECOND_NS = 1_000_000_000n;
const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
/** Verdict. */
const DROPPED = 2;
const KEPT_DAYS = 20_000;
const KEPT_NS = BigInt(KEPT_DAYS) * 86_400n * SECOND_NS;

let pipeline: TestPipeline;
let server: ObserverServer;
let client: ObserverClient;
let early: readonly SimulatedEvent[];
let late: readonly SimulatedEvent[];

beforeAll(async () => {
  const span = { seed: 5, from: NOW_NS - 240n * SECOND_NS, to: NOW_NS, callsPerSecond: 4 } as const;
  const events = [...new Simulation({ ...span, scenario: 'test' }).events()];
  early = events.slice(0, events.length / 2);
  late = events.slice(events.length / 2);
  pipeline = await startTestPipeline({ nowMs: NOW_MS });
  await pipeline.feed(early);
  await pipeline.loaded();
  const { log, store } = pipeline;
  server = await createObserverServer({
    store,
    live: openLiveFlows({
      log,
      group: LOADER_GROUP,
      tenant: 'default',
      rawTtlDays: KEPT_DAYS,
      keys: storedKeys(store),
      endpoints: async <Row>(plan: QueryPlan) => (await store.query<Row>(plan)).rows,
    }),
    host: '127.0.0.1',
    port: 0,
    credentials: { token: '', username: '', password: '' },
    insecure: false,
    matchInferred: false,
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

const bytesOf = (wire: string): Uint8Array => Buffer.from(wire, 'hex');

/** What the recorded filter of namespace `shop` lets through, told by the flow alone. */
function shown({ body }: FlowsAnswer): boolean {
  const [source, destination] = [body.message(8), body.message(9)];
  const labels = (end: WireFields | undefined): readonly string[] => end?.texts(4) ?? [];
  const skipped = ['reserved:unknown', 'reserved:host', 'reserved:remote-node', 'k8s:app=prometheus'];
  const has = (end: WireFields | undefined, wanted: readonly string[]): boolean =>
    labels(end).some((label) => wanted.includes(label));
  const dns = 'k8s:k8s-app=kube-dns';
  const l4 = body.message(6)?.message(2) ?? body.message(6)?.message(1);
  const inside = [source, destination].some((end) => end?.text(3) === 'shop' && end.text(5) !== '');
  // A drop never knows; `reply: [false]` takes it, so that the UI shows drops.
  const [reply, dropped] = [body.message(26), body.int32(2) === DROPPED];
  const isForward = reply === undefined ? dropped : reply.int32(1) === 0;
  const local = [...body.texts(13), ...body.texts(14)].some((name) => name.includes('.cluster.local'));
  return (
    inside &&
    isForward &&
    !local &&
    !has(source, [...skipped, dns]) &&
    !has(destination, skipped) &&
    !(has(destination, [dns]) && l4?.int32(2) === 53)
  );
}

const flowsOf = (answers: readonly FlowsAnswer[]): readonly FlowsAnswer[] =>
  answers.filter(({ kind }) => kind === 'flow');

const uuidsOf = (answers: readonly FlowsAnswer[]): readonly string[] =>
  answers.map(({ uuid }) => uuid).toSorted();

describe('the Hubble UI', () => {
  it('gets what it asks: status, nodes, and the flows of a namespace, then what comes, until it leaves', async () => {
    const all = flowsOf(await client.flows({ number: (1n << 64n) - 1n }));
    const wanted = all.filter(shown);
    expect(wanted.length).toBeGreaterThan(100);
    expect(wanted.length).toBeLessThan(all.length);
    const opened = calls.find(({ method }) => method === 'GetFlows');
    const leaves = calls.find(({ cancelled, call }) => cancelled === true && call === opened?.call);
    expect(leaves).toBeDefined();
    const got: FlowsAnswer[] = [];
    const stream = client.watch(bytesOf(opened?.wire ?? ''), (answer) => got.push(answer));
    await expect.poll(() => flowsOf(got).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(wanted.length);
    expect(uuidsOf(flowsOf(got))).toEqual(uuidsOf(wanted));

    for (const { method, wire } of calls) {
      if (method === undefined || method === 'GetFlows') continue;
      const answer = await client.unary(`/observer.Observer/${method}`, bytesOf(wire ?? ''));
      if (method === 'GetNodes') expect(answer.messages(1).length).toBeGreaterThan(1);
      else expect(answer.message(5)?.int32(1)).toBeGreaterThan(1);
    }

    await pipeline.feed(late);
    await pipeline.loaded();
    const later = flowsOf(await client.flows({ number: (1n << 64n) - 1n })).filter(shown);
    await expect.poll(() => flowsOf(got).length, { timeout: 10_000 }).toBe(later.length);
    expect(uuidsOf(flowsOf(got))).toEqual(uuidsOf(later));
    stream.cancel();
  });

  it('is sent what it makes services and links from', async () => {
    const opened = calls.find(({ method }) => method === 'GetFlows');
    const got: FlowsAnswer[] = [];
    const stream = client.watch(bytesOf(opened?.wire ?? ''), (answer) => got.push(answer));
    await expect.poll(() => flowsOf(got).length, { timeout: 10_000 }).toBeGreaterThan(100);
    stream.cancel();
    for (const { body } of flowsOf(got)) {
      // time, verdict, both ends with identity, node_name, event_type, Summary (deprecated, still shown by the UI)
      for (const field of [1, 2, 8, 9, 11, 19, 100000])
        expect([field, body.has(field)]).toEqual([field, true]);
      expect(body.message(8)?.has(2)).toBe(true);
      expect(body.message(9)?.has(2)).toBe(true);
    }
    expect(flowsOf(got).some(({ body }) => body.message(6)?.message(1)?.has(2))).toBe(true);
  });
});
