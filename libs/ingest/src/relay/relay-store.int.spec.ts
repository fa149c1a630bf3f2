import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FlowLook, ResponseHead } from '@flowledger/model';
import { openMetrics, silentLog, systemClock, type Clock } from '@flowledger/platform';
import { Simulation, type SimulatedEvent } from '@flowledger/simulator';
import { FakeRelay, startTestPipeline, type TestPipeline } from '@flowledger/testkit';
import { until, uuidsOf } from '../testing/source-rig.js';
import { parsePolicy } from '../policy/parse-policy.js';
import { decide } from '../policy/sampling-policy.js';
import { openRelayMetrics } from './relay-metrics.js';
import { RelaySource, type RelaySourceOptions } from './relay-source.js';

const FROM = 1_790_000_000_000_000_000n;
const SECOND = 1_000_000_000n;
const SECONDS = 4200;
const OVERLAP_S = 3600;
const NODES = ['demo/demo-worker-1', 'demo/demo-worker-2'];
const NOW_MS = Number(FROM / 1_000_000n) + (SECONDS + 60) * 1000;

const simulation = new Simulation({
  seed: 4,
  from: FROM,
  to: FROM + BigInt(SECONDS) * SECOND,
  nodes: 2,
  callsPerSecond: 0.7,
  scenario: 'test',
});
const events = [...simulation.events()].filter((event): event is SimulatedEvent => event.kind === 'flow');
const metrics = openRelayMetrics(openMetrics());
const clock: Clock = { ...systemClock, now: () => NOW_MS };

let pipeline: TestPipeline;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flowledger-relay-store-'));
  pipeline = await startTestPipeline({ nowMs: NOW_MS });
});

afterAll(async () => {
  await pipeline.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Reads a relay into the pipeline's log until so many events are durable there. */
async function readRelay(
  state: string,
  relay: FakeRelay,
  wanted: number,
  more: Partial<RelaySourceOptions> = {},
): Promise<void> {
  const stop = new AbortController();
  let durable = 0;
  const source = new RelaySource({
    tenant: 'default',
    cluster: 'demo',
    partitions: pipeline.log.partitions,
    append: async (records) => {
      await pipeline.log.append(records);
      for (const record of records) durable += record.events;
    },
    clock,
    log: silentLog,
    metrics,
    stateFile: join(directory, state),
    address: { target: relay.target },
    backOff: { baseMs: 20, capMs: 100 },
    ...more,
  });
  const running = source.run(stop.signal);
  await until('the relay is read', () => durable >= wanted);
  stop.abort();
  await running;
}

/** UUIDs of the rows, sorted: as many as there are rows. */
async function storedUuids(): Promise<readonly string[]> {
  const plan = {
    name: 'test_uuids',
    sql: 'SELECT toString(uuid) AS id FROM flows WHERE tenant = {tenant:String}',
    params: { tenant: 'default' },
    settings: {},
  };
  const { rows } = await pipeline.store.query<{ id: string }>(plan);
  return rows.map(({ id }) => id).sort();
}

describe('a relay and an export file of the same hour', () => {
  it('store each flow once, whichever comes first', async () => {
    const [fileStart, fileEnd] = [FROM + 300n * SECOND, FROM + BigInt(300 + OVERLAP_S) * SECOND];
    const file = events.filter(({ timeNs }) => timeNs >= fileStart && timeNs < fileEnd);
    const half = Math.floor(events.length / 2);
    const relay = await FakeRelay.start({ nodes: NODES, ring: 65_535, nowNs: () => FROM });
    try {
      relay.publish(events.slice(0, half));
      await readRelay('overlap.json', relay, 1 + half);
      await pipeline.loaded();
      // The file repeats what the relay brought, and brings first what the relay repeats.
      await pipeline.importJson(file);
      await pipeline.loaded();
      relay.publish(events.slice(half));
      await readRelay('overlap.json', relay, 1 + events.length - half);
      await pipeline.loaded();
    } finally {
      await relay.close();
    }
    expect(file.length).toBeGreaterThan(1000);
    expect(await storedUuids()).toEqual(uuidsOf(events));
  }, 60_000);

  it('says in coverage where a ring was overwritten while nobody read it', async () => {
    const more = new Simulation({
      seed: 5,
      from: FROM,
      to: FROM + 900n * SECOND,
      nodes: 3,
      callsPerSecond: 1,
      scenario: 'test',
    });
    const node = 'demo/demo-worker-3';
    const flows = [...more.events()].filter((event) => event.kind === 'flow' && event.node === node);
    const relay = await FakeRelay.start({ nodes: [node], ring: 63, nowNs: () => FROM });
    const lost = flows.length - 63;
    try {
      relay.publish(flows.slice(0, 50));
      await readRelay('interrupted.json', relay, 1 + 50);
      relay.publish(flows.slice(50));
      // The ring, what relay says of its nodes, and beginning and end of what is missing.
      await readRelay('interrupted.json', relay, 63 + 1 + 2);
      await pipeline.loaded();
    } finally {
      await relay.close();
    }
    const { coverage } = await pipeline.ask<{
      readonly coverage: {
        readonly gaps: readonly { cause: string; node: string; from: string; to: string }[];
      };
    }>('query($w: WindowInput) { coverage(window: $w) { gaps { cause node from to } } }', {
      w: { from: iso(FROM), to: iso(FROM + 900n * SECOND) },
    });
    const gaps = coverage.gaps.filter((gap) => gap.node?.endsWith('demo-worker-3'));
    expect(gaps.map(({ cause, from, to }) => [cause, Date.parse(from), Date.parse(to)])).toEqual([
      ['SOURCE_DISCONNECTED', ms(flows[49]?.timeNs), ms(flows[lost]?.timeNs)],
    ]);
  });
});

interface Sums {
  readonly flows: string;
  readonly drops: string;
  readonly connections: string;
  readonly syns: string;
  readonly requests: string;
  readonly rows: string;
}

async function sumsOf(tenant: string): Promise<Sums> {
  const sql = `SELECT toString(sum(flows)) AS flows, toString(sum(drops)) AS drops, toString(sum(connections)) AS connections,
    toString(sum(syns)) AS syns, (SELECT toString(sum(requests)) FROM red_1m WHERE tenant = {tenant:String}) AS requests,
    (SELECT toString(count()) FROM flows WHERE tenant = {tenant:String}) AS rows FROM edges_1m WHERE tenant = {tenant:String}`;
  const plan = { name: 'test_sums', sql, params: { tenant }, settings: {} };
  const [sums] = (await pipeline.store.query<Sums>(plan)).rows;
  if (sums === undefined) throw new Error('no sums');
  return sums;
}

describe('a sampling policy', () => {
  it('leaves rollups exact: flows by their weight, and what is protected as if nothing were left out', async () => {
    const parsed = parsePolicy('version: 1\nsample: [{ keep: 1/8, verdict: [FORWARDED] }]');
    if (!parsed.ok) throw new Error(parsed.problems.join());
    const { policy } = parsed;
    const [head, look] = [new ResponseHead(), new FlowLook()];
    const kept = events.map(({ bytes }) => {
      head.read(bytes);
      look.read(bytes, head.start, head.end);
      const decision = decide(policy, look);
      return typeof decision === 'number' ? decision : 0;
    });
    const relay = await FakeRelay.start({ nodes: NODES, ring: 65_535, nowNs: () => FROM });
    try {
      relay.publish(events);
      await readRelay('whole.json', relay, 1 + events.length, { tenant: 'whole' });
      const leftOut = { count: 0, inc: (): number => leftOut.count++ };
      const rows = kept.filter((rate) => rate > 0).length;
      await readRelay('sampled.json', relay, 1 + rows, { tenant: 'sampled', sampling: { policy, leftOut } });
      expect(leftOut.count).toBe(events.length - rows);
      await pipeline.loaded();
    } finally {
      await relay.close();
    }
    const [whole, sampled] = [await sumsOf('whole'), await sumsOf('sampled')];
    const { drops, syns, requests } = whole;
    expect(sampled).toMatchObject({ drops, syns, requests });
    expect(Number(drops)).toBeGreaterThan(0);
    expect(Number(sampled.rows)).toBe(kept.filter((rate) => rate > 0).length);
    expect(Number(sampled.rows)).toBeLessThan(Number(whole.rows) * 0.9);
    expect(Number(sampled.flows)).toBe(kept.reduce((sum, rate) => sum + rate, 0));
    expect(Number(sampled.flows) / Number(whole.flows)).toBeCloseTo(1, 1);
    // Connections without SYN (UDP, ICMP) are sampled like other flows.
    expect(Number(sampled.connections) / Number(whole.connections)).toBeCloseTo(1, 0);
  }, 60_000);
});

function iso(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString();
}

function ms(ns: bigint | undefined): number {
  return Number((ns ?? 0n) / 1_000_000n);
}
