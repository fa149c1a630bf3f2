import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client, credentials, type ClientReadableStream } from '@grpc/grpc-js';
import { LOADER_GROUP } from '@flowledger/event-log';
import { openLiveFlows } from '@flowledger/live';
import { WireWriter } from '@flowledger/model';
import { createObserverServer } from '@flowledger/observer';
import { silentLog } from '@flowledger/platform';
import { Simulation } from '@flowledger/simulator';
import { storedKeys } from '@flowledger/sink';
import type { TestStore } from '@flowledger/testkit';
import { makeFlows, REALISTIC, type MadeFlow } from '../flows/made-flows.js';
import { fillLog, openBenchLog, startStore, type BenchLog } from '../log-store.js';
import { costOf } from '../machine.js';
import type { ObserverOrder } from '../observer-process.js';
import { percentile, round, type BenchCase, type BenchSize, type Result } from '../result.js';

const PROCESS = fileURLToPath(new URL('../observer-process.js', import.meta.url));
const DAY_MS = 86_400_000;
const KEPT_DAYS = 20_000;
const FIRST_ROW_MS = 200;
const STREAM_RATE = 25_000;
const FOLLOW_MS = 500;
const RUNS = 41;
const FOLLOWED = 60;

/** Texts of a FlowFilter by field number; hubble note, section 3. */
type FilterTexts = Readonly<Record<number, string>>;

function request(number: bigint, filter: FilterTexts | undefined, follow = false): Uint8Array {
  const out = new WireWriter();
  out.uint64Field(1, number);
  if (follow) out.uint32Field(3, 1);
  if (filter !== undefined) {
    const mark = out.open(6);
    for (const [field, text] of Object.entries(filter)) out.stringField(Number(field), text);
    out.close(mark);
  }
  return out.finish();
}

/** GetFlows without decoding: what is measured is the server. */
class RawClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  flows(body: Uint8Array): ClientReadableStream<Buffer> {
    const bytes = (value: Uint8Array): Buffer => Buffer.from(value);
    return this.#client.makeServerStreamRequest(
      '/observer.Observer/GetFlows',
      bytes,
      (raw: Buffer) => raw,
      body,
    );
  }

  /** Flows until the stream ends, and when the first came, ms. */
  async read(
    body: Uint8Array,
  ): Promise<{ readonly count: number; readonly firstMs: number; readonly bytes: number }> {
    const began = performance.now();
    let [count, firstMs, bytes] = [0, Number.NaN, 0];
    for await (const message of this.flows(body)) {
      if (count === 0) firstMs = performance.now() - began;
      count++;
      bytes += (message as Buffer).length;
    }
    return { count, firstMs, bytes };
  }

  close(): void {
    this.#client.close();
  }
}

async function startProcess(server: TestStore): Promise<{ pid: number; address: string; stop: () => void }> {
  const child = fork(PROCESS, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const order: ObserverOrder = {
    url: server.url,
    database: server.database,
    password: server.password('reader'),
  };
  child.send(order);
  const address = await new Promise<string>((resolve, reject) => {
    child.once('message', (said: { readonly address: string }) => resolve(said.address));
    child.once('exit', () => reject(new Error('the observer process ended')));
  });
  return { pid: child.pid ?? 0, address, stop: () => child.disconnect() };
}

/** Selective filters beside the plain last twenty: a rare pod, a status, an address range. */
const FILTERS: Readonly<Record<string, FilterTexts | undefined>> = {
  last_20: undefined,
  pod: { 2: 'team-12/service-87-' },
  status: { 9: '503' },
  cidr: { 3: '10.3.2.0/28' },
};

async function firstRows(client: RawClient, flows: number): Promise<Result[]> {
  const results: Result[] = [];
  for (const [name, filter] of Object.entries(FILTERS)) {
    const body = request(20n, filter);
    const millis: number[] = [];
    let count = 0;
    for (let n = 0; n < RUNS; n++) {
      const answer = await client.read(body);
      count = answer.count;
      millis.push(answer.firstMs);
    }
    const value = percentile(millis.slice(1), 0.95);
    results.push({
      name: `observer.first_row_${name}`,
      value: round(value),
      unit: 'ms p95',
      baseline: null,
      ratio: null,
      target: `p95 <= ${FIRST_ROW_MS} ms (100 M flows)`,
      ok: value <= FIRST_ROW_MS,
      detail: {
        flows,
        answered: count,
        coldMs: round(millis[0] ?? 0),
        p50: round(percentile(millis.slice(1), 0.5)),
      },
    });
  }
  return results;
}

async function streaming(client: RawClient, pids: readonly number[], flows: number): Promise<Result> {
  const number = BigInt(Math.min(flows / 2, 500_000));
  const cost = await costOf(pids, () => client.read(request(number, undefined)));
  const { count, bytes } = cost.result;
  const value = count / cost.seconds;
  return {
    name: 'observer.stream',
    value: Math.round(value),
    unit: 'flows/s',
    baseline: null,
    ratio: null,
    target: `>= ${STREAM_RATE} flows/s to one client, client included, on 2 cores`,
    ok: value >= STREAM_RATE && BigInt(count) === number,
    detail: {
      flows: count,
      bytesPerFlow: Math.round(bytes / count),
      seconds: round(cost.seconds),
      flowsPerProcessorSecond: Math.round(count / cost.cpuSeconds),
      clientProcessorSeconds: round(cost.ownCpuSeconds),
      peakMiB: Math.round(cost.peakMiB),
      othersBusyCores: round(cost.othersBusyCores),
    },
  };
}

/** From the append to the client, in one process: log, tail, server and client share it. */
async function following(bench: BenchLog, server: TestStore): Promise<Result> {
  const store = server.store('reader');
  const { log } = bench;
  const live = openLiveFlows({
    log,
    group: LOADER_GROUP,
    tenant: 'default',
    rawTtlDays: KEPT_DAYS,
    keys: storedKeys(store),
  });
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
  return {
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

async function run({ quick, say }: BenchSize): Promise<readonly Result[]> {
  const flows = quick ? 300_000 : 10_000_000;
  const server = await startStore();
  const bench = await openBenchLog();
  try {
    say(`observer: ${flows} flows of 24 hours into log and store`);
    // Up to now, because a stream without bounds ends now.
    const span = { fromMs: Date.now() - DAY_MS, spanMs: DAY_MS };
    await bench.fill(makeFlows({ ...REALISTIC, flows, ...span }));
    await bench.load(server.store());
    const observer = await startProcess(server);
    const client = new RawClient(observer.address);
    try {
      const rows = await firstRows(client, flows);
      say('observer: streaming');
      const stream = await streaming(client, [server.server.pid, observer.pid], flows);
      say('observer: following');
      return [...rows, stream, await following(bench, server)];
    } finally {
      client.close();
      observer.stop();
    }
  } finally {
    await bench.close();
    await server.stop();
  }
}

/** The speeds of the Observer API; the store holds 10 M flows here, which the targets' 100 M exceed ten times. */
export const observerCase: BenchCase = {
  name: 'observer',
  figures: [
    ...Object.keys(FILTERS).map((name) => `observer.first_row_${name}`),
    'observer.stream',
    'observer.follow',
  ],
  run,
};
