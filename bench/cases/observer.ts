import { setTimeout as delay } from 'node:timers/promises';
import { makeFlows, REALISTIC } from '../flows/made-flows.js';
import { openHistoryStore } from '../history-store.js';
import { openBenchLog, startStore } from '../log-store.js';
import { costOf, residentMiB } from '../machine.js';
import { RawClient, request, startProcess, type FilterTexts } from '../observer-client.js';
import { following } from './observer-follow.js';
import { percentile, round, type BenchCase, type BenchSize, type Result } from '../result.js';

const DAY_MS = 86_400_000;
const FIRST_ROW_MS = 200;
const STREAM_RATE = 25_000;
const RUNS = 41;
/** Flows that a client reads before it stops, how long it is watched then, and what it may cost. */
const STOP_AFTER = 30_000;
const STOPPED_S = 5;
const STOPPED_MIB = 128;

/** Selective filters beside the plain last twenty: a rare pod, a status, an address range that some pod has. */
function filters(cidr: string): Readonly<Record<string, FilterTexts | undefined>> {
  return { last_20: undefined, pod: { 2: 'team-12/service-87-' }, status: { 9: '503' }, cidr: { 3: cidr } };
}

const SMALL_CIDR = '10.3.2.0/28';

async function firstRows(client: RawClient, flows: number, cidr: string): Promise<Result[]> {
  const results: Result[] = [];
  for (const [name, filter] of Object.entries(filters(cidr))) {
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

/** What the server's process grows by for a client that reads the start of a long answer and then no more. */
async function stopped(client: RawClient, pid: number, flows: number): Promise<Result> {
  const before = residentMiB([pid]);
  const stream = client.flows(request(BigInt(flows), undefined));
  stream.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    let came = 0;
    stream.on('data', () => {
      if (++came !== STOP_AFTER) return;
      stream.pause();
      resolve();
    });
  });
  let most = 0;
  for (let n = 0; n < STOPPED_S * 10; n++) {
    await delay(100);
    most = Math.max(most, residentMiB([pid]));
  }
  stream.cancel();
  const value = Math.max(0, most - before);
  return {
    name: 'observer.stopped_client',
    value: Math.round(value),
    unit: 'MiB more',
    baseline: null,
    ratio: null,
    target: `<= ${STOPPED_MIB} MiB however much was asked for`,
    ok: value <= STOPPED_MIB,
    detail: { asked: flows, read: STOP_AFTER, beforeMiB: Math.round(before), seconds: STOPPED_S },
  };
}

/** First rows and streaming from the store of `--store`, which no log belongs to. */
async function ofHistory(size: BenchSize): Promise<readonly Result[]> {
  const say = (line: string): void => size.say(`observer: ${line}`);
  const history = await openHistoryStore({ ...size, say });
  try {
    const { reader, server, flows, pid } = history;
    const sql = `SELECT replaceOne(IPv6NumToString(dst_ip), '::ffff:', '') AS address FROM flows WHERE is_reply = 1 LIMIT 1`;
    const plan = { name: 'bench_observer', sql, params: {}, settings: {} };
    const address = (await reader.query<{ readonly address: string }>(plan)).rows[0]?.address ?? '';
    const observer = await startProcess(server);
    const client = new RawClient(observer.address);
    try {
      const rows = await firstRows(client, flows, `${address}/28`);
      return [...rows, await streaming(client, [pid, observer.pid], flows)];
    } finally {
      client.close();
      observer.stop();
    }
  } finally {
    await history.close();
  }
}

async function run(size: BenchSize): Promise<readonly Result[]> {
  if (size.store !== undefined) return ofHistory(size);
  const { quick, say } = size;
  const flows = quick ? 300_000 : 10_000_000;
  const server = await startStore();
  const bench = await openBenchLog();
  try {
    say(`observer: ${flows} flows of 24 hours into log and store`);
    // Up to now, because a stream without bounds ends now.
    const span = { fromMs: Date.now() - DAY_MS, spanMs: DAY_MS };
    await bench.fill(makeFlows({ ...REALISTIC, flows, ...span }));
    await bench.load(server.store(), 'committed');
    const observer = await startProcess(server);
    const client = new RawClient(observer.address);
    try {
      const rows = await firstRows(client, flows, SMALL_CIDR);
      // Before the streaming, which leaves the process as large as it ever gets.
      say('observer: a client that stops reading');
      const held = await stopped(client, observer.pid, flows);
      say('observer: streaming');
      const stream = await streaming(client, [server.server.pid, observer.pid], flows);
      say('observer: following');
      return [...rows, stream, held, ...(await following(bench, server))];
    } finally {
      client.close();
      observer.stop();
    }
  } finally {
    await bench.close();
    await server.stop();
  }
}

/** The speeds of the Observer API; with `--store` first rows and streaming of as many flows as are there. */
export const observerCase: BenchCase = {
  name: 'observer',
  figures: [
    ...Object.keys(filters(SMALL_CIDR)).map((name) => `observer.first_row_${name}`),
    'observer.stream',
    'observer.stopped_client',
    'observer.first_follower',
    'observer.follow',
  ],
  notInQuick: true,
  run,
};
