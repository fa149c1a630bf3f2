import type { ClientReadableStream } from '@grpc/grpc-js';
import { LOADER_GROUP } from '@flowledger/event-log';
import { openLiveFlows } from '@flowledger/live';
import { createObserverServer } from '@flowledger/observer';
import { silentLog } from '@flowledger/platform';
import type { OpenLiveFlows } from '@flowledger/query';
import { Simulation } from '@flowledger/simulator';
import { storedKeys } from '@flowledger/sink';
import type { TestStore } from '@flowledger/testkit';
import type { MadeFlow } from '../flows/made-flows.js';
import { fillLog, type BenchLog } from '../log-store.js';
import { RawClient, request } from '../observer-client.js';
import { percentile, round, type Result } from '../result.js';

const KEPT_DAYS = 20_000;
const FOLLOW_MS = 500;
const FOLLOWED = 60;
const FIRST_FOLLOWER_MS = 2000;

/** From the append to the client, in one process: log, tail, server and client share it. */
export async function following(bench: BenchLog, server: TestStore): Promise<readonly Result[]> {
  const store = server.store('reader');
  const { log } = bench;
  const live = openLiveFlows({
    log,
    group: LOADER_GROUP,
    tenant: 'default',
    rawTtlDays: KEPT_DAYS,
    keys: storedKeys(store),
  });
  const first = await firstFollower(live);
  const nobody = { token: '', username: '', password: '' };
  const place = { host: '127.0.0.1', port: 0, insecure: false, tenant: 'default', version: 'bench' };
  const observer = await createObserverServer({
    ...place,
    store,
    live,
    credentials: nobody,
    matchInferred: false,
    log: silentLog,
  });
  const client = new RawClient(observer.address);
  const stream = client.flows(request(0n, undefined, true));
  stream.on('error', () => undefined);
  const millis: number[] = [];
  try {
    for (const flow of later(FOLLOWED)) {
      const came = firstData(stream);
      const began = performance.now();
      await fillLog(log, [flow]);
      // What is appended before the follower has found the end of the log is history to it.
      if (await came) millis.push(performance.now() - began);
    }
  } finally {
    stream.cancel();
    client.close();
    await observer.close();
  }
  const value = percentile(millis.slice(1), 0.95);
  const follow: Result = {
    name: 'observer.follow',
    value: round(value),
    unit: 'ms p95',
    baseline: null,
    ratio: null,
    target: `append to client p95 <= ${FOLLOW_MS} ms`,
    ok: value <= FOLLOW_MS,
    detail: {
      appends: millis.length,
      firstMs: round(millis[0] ?? 0),
      p50: round(percentile(millis.slice(1), 0.5)),
    },
  };
  return [first, follow];
}

/** How long a follower waits that comes when nobody followed before, until it has what the log holds. */
async function firstFollower(live: OpenLiveFlows): Promise<Result> {
  const { epoch, partitions } = await live.end();
  // One record back, so that there is something to wait for.
  const after = {
    epoch,
    partitions: partitions.map(({ offset }) => ({ offset: offset > 0n ? offset - 1n : 0n, event: 0 })),
  };
  const began = performance.now();
  const bounds = { maxBufferedBytes: 2 ** 26, signal: AbortSignal.timeout(60_000) };
  for await (const { kind } of live.tail({ after, matches: () => true, ...bounds }))
    if (kind === 'caught_up') break;
  const value = performance.now() - began;
  return {
    name: 'observer.first_follower',
    value: Math.round(value),
    unit: 'ms',
    baseline: null,
    ratio: null,
    target: `<= ${FIRST_FOLLOWER_MS} ms, with a process that was not warm`,
    ok: value <= FIRST_FOLLOWER_MS,
    detail: { partitions: partitions.length },
  };
}

/** Whether something came within two seconds. */
function firstData(stream: ClientReadableStream<Buffer>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(false), 2000);
    const done = (came: boolean): void => {
      clearTimeout(timer);
      stream.off('data', onData);
      resolve(came);
    };
    const onData = (): void => done(true);
    stream.once('data', onData);
    stream.resume();
  });
}

/** Flows of now that the store does not have yet. */
function* later(count: number): Generator<MadeFlow> {
  const from = BigInt(Math.floor(Date.now() / 1000)) * 1_000_000_000n;
  const simulation = new Simulation({ seed: 77, from, to: from + 60_000_000_000n, callsPerSecond: 5 });
  let left = count;
  for (const event of simulation.events()) {
    if (event.kind !== 'flow') continue;
    if (left-- === 0) return;
    yield event;
  }
}
