import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeEnvelope } from '@flowledger/model';
import type { AppendRecord } from '@flowledger/event-log';
import { Simulation } from '@flowledger/simulator';
import { openRig, type SinkRig } from './sink-rig.js';

const PARTITIONS = 4;
const NODE = /.*(\d+)$/;
let rig: SinkRig;

beforeAll(async () => {
  rig = await openRig({ partitions: PARTITIONS });
});

afterAll(async () => {
  await rig.stop();
});

/** Envelopes of 1,000 events of one node each, as the ingestor packs them. */
function* records(flows: number): Generator<AppendRecord> {
  const to = BigInt(Math.floor(Date.now() / 1000)) * 1_000_000_000n;
  const simulation = new Simulation({
    seed: 3,
    from: to - 21_600_000_000_000n,
    to,
    callsPerSecond: 50,
    scenario: 'test',
  });
  const open = new Map<string, Uint8Array[]>();
  let made = 0;
  for (const event of simulation.events()) {
    if (made++ >= flows) return;
    const events = open.get(event.node) ?? [];
    open.set(event.node, events);
    events.push(event.bytes);
    if (events.length < 1000) continue;
    const header = {
      version: 1,
      tenant: 'default',
      cluster: 'default',
      stream: event.node,
      source: 'relay',
      codec: 'hubble.get_flows_response',
      count: 1000,
      receivedMs: Date.now(),
    } as const;
    yield {
      partition: Number(NODE.exec(event.node)?.[1] ?? 0) % PARTITIONS,
      events: 1000,
      value: encodeEnvelope(header, events.splice(0)),
    };
  }
}

it('says how many rows a second it loads, with all rollups', async () => {
  for (const record of records(400_000)) await rig.append([record]);
  const events = await eventsInLog();
  const began = performance.now();
  const cpu = process.cpuUsage();
  const loader = await rig.load({ limits: { maxAgeMs: 1000 } });
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  const batches = loader.partitions.reduce((sum, p) => sum + p.batches, 0);
  process.stdout.write(
    `${events} events in ${seconds.toFixed(2)} s: ${Math.round(events / seconds)} rows/s, ${batches} batches, loader CPU ${((used.user + used.system) / 1e6).toFixed(2)} s\n`,
  );
  expect(await rig.number('SELECT toString(count()) FROM flows')).toBeGreaterThan(events * 0.9);
}, 120_000);

async function eventsInLog(): Promise<number> {
  let events = 0;
  for (let p = 0; p < PARTITIONS; p++) events += Number((await rig.log.bounds(p)).eventsBeforeEnd);
  return events;
}
