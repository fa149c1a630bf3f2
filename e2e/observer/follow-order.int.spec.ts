import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LOADER_GROUP, openEmbeddedLog, type EmbeddedLog } from '@flowledger/event-log';
import { Packer } from '@flowledger/ingest';
import { openLiveFlows } from '@flowledger/live';
import { Simulation, type SimulatedEvent } from '@flowledger/simulator';
import { ObserverClient } from './grpc-client.js';
import { startObserverRig, type ObserverRig } from './observer-rig.js';

const SECOND_NS = 1_000_000_000n;
const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
const ALL = (1n << 64n) - 1n;
const PARTITIONS = 4;

let directory: string;
let log: EmbeddedLog;
let rig: ObserverRig;

beforeAll(async () => {
  rig = await startObserverRig([], NOW_MS);
  directory = await mkdtemp(join(tmpdir(), 'flowledger-follow-'));
  const place = { directory: join(directory, 'log'), mode: 'writer', partitions: PARTITIONS } as const;
  log = await openEmbeddedLog({ ...place, durability: 'process', flushMs: 1 });
});

afterAll(async () => {
  await rig?.stop();
  await log?.close();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

/** Appends the events in order, each node's to its partition; how many records each partition got. */
async function append(events: readonly SimulatedEvent[]): Promise<readonly number[]> {
  const head = { tenant: 'default', cluster: 'demo', source: 'relay' } as const;
  const packer = new Packer({
    ...head,
    codec: 'hubble.get_flows_response',
    partitions: PARTITIONS,
    now: () => NOW_MS,
  });
  const full = events.flatMap(({ node, bytes, timeNs }) => packer.add(node, bytes, timeNs) ?? []);
  const records = [...full, ...packer.flush()].map(({ record }) => record);
  await log.append(records);
  return Array.from({ length: PARTITIONS }, (_, p) => records.filter((one) => one.partition === p).length);
}

it('gives a follower what no table has yet in the order of time, whatever partition it is in', async () => {
  const span = { from: NOW_NS - 60n * SECOND_NS, to: NOW_NS };
  const events = [...new Simulation({ seed: 3, ...span, scenario: 'test', callsPerSecond: 6 }).events()];
  const flows = events.filter(({ kind }) => kind === 'flow');
  const counts = await append(flows);
  expect(counts.filter((count) => count > 0).length).toBeGreaterThan(1);
  expect(flows.length).toBeLessThan(5000);
  const none = () => Promise.resolve([]);
  const keys = { before: none, within: none };
  const live = openLiveFlows({ log, group: LOADER_GROUP, tenant: 'default', rawTtlDays: 20_000, keys });
  const server = await rig.serve({ live });
  const client = new ObserverClient(server.address);
  const answers = await client.flows({ number: ALL, follow: true }, (all) => all.length === flows.length);
  client.close();
  const sent = flows.map(({ timeNs }) => timeNs).toSorted((a, b) => Number(a - b));
  expect(answers.map(({ timeNs }) => timeNs)).toEqual(sent);
}, 60_000);
