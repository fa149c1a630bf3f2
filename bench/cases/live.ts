import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { randomUUID } from 'node:crypto';
import { openEmbeddedLog, type EmbeddedLog } from '@flowledger/event-log';
import { encodeEnvelope } from '@flowledger/model';
import type { LiveUsage } from '../live-process.js';
import { percentile, round, type BenchCase, type BenchSize, type Result } from '../result.js';

const PROCESS = fileURLToPath(new URL('../live-process.js', import.meta.url));
const CONNECTIONS = 100;
const PER_CONNECTION = 20;
const FLOWS_PER_RECORD = 20;
const RECORD_EVERY_MS = 40;

interface Socket {
  on(event: 'open', listener: () => void): void;
  on(event: 'message', listener: (data: Buffer) => void): void;
  send(text: string): void;
  terminate(): void;
}
type SocketClass = new (url: string, protocol: string) => Socket;

// The WebSocket client that the server's own library brings; Node 20 has none.
const WebSocket = createRequire(import.meta.url)('ws') as SocketClass;

interface Message {
  readonly type: string;
  readonly payload?: {
    readonly data?: {
      readonly flows: { readonly __typename: string; readonly flows?: { readonly time: string }[] };
    };
  };
}

const QUERY = `subscription ($filters: FlowFilters) { flows(filters: $filters, maxPerSecond: 100000) {
  __typename ... on FlowBatch { flows { id time verdict source { podName } destination { podName } } cursor }
} }`;

/** Opens a socket with some subscriptions, `filtersOf` their number; resolves when each has caught up. */
async function subscribe(
  url: string,
  count: number,
  filtersOf: (subscription: number) => object | null,
  onTimes: (times: readonly string[]) => void,
): Promise<Socket> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
  await new Promise<void>((resolve) => socket.on('open', resolve));
  let waiting = count;
  const ready = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      const { type, payload } = JSON.parse(data.toString()) as Message;
      if (type === 'ping') socket.send('{"type":"pong"}');
      const flows = payload?.data?.flows;
      if (flows?.__typename === 'CaughtUp' && --waiting === 0) resolve();
      if (flows?.flows !== undefined) onTimes(flows.flows.map(({ time }) => time));
    });
  });
  socket.send('{"type":"connection_init"}');
  await delay(1);
  for (let id = 0; id < count; id++)
    socket.send(
      JSON.stringify({
        type: 'subscribe',
        id: String(id),
        payload: { query: QUERY, variables: { filters: filtersOf(id) } },
      }),
    );
  await ready;
  return socket;
}

/** Appends a record of flows that happen now. */
async function append(log: EmbeddedLog): Promise<void> {
  const time = new Date().toISOString();
  const end = (pod: string): object => ({
    namespace: 'shop',
    pod_name: pod,
    labels: ['k8s:app=web', 'k8s:tier=x'],
  });
  const events = Array.from({ length: FLOWS_PER_RECORD }, () =>
    Buffer.from(
      JSON.stringify({
        flow: {
          time,
          uuid: randomUUID(),
          verdict: 'FORWARDED',
          node_name: 'node-1',
          event_type: { type: 4 },
          IP: { source: '10.0.0.1', destination: '10.0.0.2', ipVersion: 'IPv4' },
          l4: { TCP: { source_port: 40_000, destination_port: 80, flags: { ACK: true } } },
          source: end('web-1'),
          destination: end('api-1'),
        },
      }),
    ),
  );
  const value = encodeEnvelope(
    {
      version: 1,
      tenant: 'default',
      cluster: 'default',
      stream: 'node-1',
      source: 'bench',
      codec: 'hubble.export_json',
      count: events.length,
      receivedMs: Date.now(),
    },
    events,
  );
  await log.append([{ partition: 0, events: events.length, value }]);
}

async function appendFor(log: EmbeddedLog, ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    await append(log);
    await delay(RECORD_EVERY_MS);
  }
}

async function usage(child: ChildProcess): Promise<LiveUsage> {
  child.send('usage');
  const [answer] = (await once(child, 'message')) as [LiveUsage];
  return answer;
}

/** Processor seconds a second while something happens. */
async function load(child: ChildProcess, work: () => Promise<void>): Promise<number> {
  const [before, began] = [await usage(child), performance.now()];
  await work();
  const after = await usage(child);
  return (after.cpuUs - before.cpuUs) / 1000 / (performance.now() - began);
}

async function latency(url: string, log: EmbeddedLog, ms: number): Promise<Result> {
  const waits: number[] = [];
  const note = (times: readonly string[]): void => {
    const now = Date.now();
    for (const time of times) waits.push(now - Date.parse(time));
  };
  const socket = await subscribe(url, 1, () => null, note);
  await appendFor(log, ms);
  await delay(1_000);
  socket.terminate();
  const p95 = percentile(waits, 0.95);
  return {
    name: 'live.latency',
    value: p95,
    unit: 'ms, p95',
    baseline: null,
    ratio: null,
    target: 'append to client p95 ≤ 500 ms',
    ok: p95 <= 500,
    detail: {
      flows: waits.length,
      p50: percentile(waits, 0.5),
      max: percentile(waits, 1),
      durability: 'disk',
    },
  };
}

async function idle(url: string, child: ChildProcess, log: EmbeddedLog, ms: number): Promise<Result> {
  // No two alike: equal filters are asked once for all, which would be too easy.
  const silent = (name: string): object => ({ allow: [{ sourcePod: [`nobody/${name}`] }] });
  const before = await usage(child);
  const sockets = await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, connection) =>
      subscribe(
        url,
        PER_CONNECTION,
        (id) => silent(`${connection}-${id}`),
        () => undefined,
      ),
    ),
  );
  const quiet = await load(child, () => delay(ms));
  const busy = await load(child, () => appendFor(log, ms));
  const after = await usage(child);
  for (const socket of sockets) socket.terminate();
  const count = CONNECTIONS * PER_CONNECTION;
  const bytes = (after.rss - before.rss) / count;
  return {
    name: 'live.idle',
    value: round(bytes / 1024),
    unit: 'KiB a subscription',
    baseline: null,
    ratio: null,
    target: 'thousands cheap: ≤ 64 KiB each, ≤ 0.2 cores while flows pass by',
    ok: bytes <= 64 * 1024 && busy <= 0.2,
    detail: {
      subscriptions: count,
      connections: CONNECTIONS,
      differentFilters: count,
      coresWithoutFlows: round(quiet),
      coresWithFlows: round(busy),
      flowsPerSecond: Math.round((FLOWS_PER_RECORD * 1000) / RECORD_EVERY_MS),
    },
  };
}

async function run({ quick, say }: BenchSize): Promise<readonly Result[]> {
  const directory = await mkdtemp(join(tmpdir(), 'flowledger-bench-live-'));
  const place = join(directory, 'log');
  const log = await openEmbeddedLog({ directory: place, mode: 'writer', partitions: 2, durability: 'disk' });
  const child = fork(PROCESS, { stdio: 'inherit' });
  try {
    child.send({ directory: place });
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    const ms = quick ? 4_000 : 15_000;
    say('live: latency of one subscription');
    const first = await latency(url, log, ms);
    say(`live: ${CONNECTIONS * PER_CONNECTION} subscriptions that match nothing`);
    return [first, await idle(url, child, log, ms)];
  } finally {
    child.disconnect();
    await log.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** What a live subscription costs and how late it is. */
export const liveCase: BenchCase = {
  name: 'live',
  figures: ['live.latency', 'live.idle'],
  notInQuick: true,
  run,
};
