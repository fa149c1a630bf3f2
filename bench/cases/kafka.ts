import { openKafkaLog, type AppendRecord, type EventLog } from '@flowledger/event-log';
import { findKafka, startTestKafka, type TestKafka, type TestStore } from '@flowledger/testkit';
import { makeFlows, REALISTIC } from '../flows/made-flows.js';
import { packRecords } from '../flows/pack-records.js';
import { appendAll, loadLog, openBenchLog, startStore } from '../log-store.js';
import { costDetail, costOf, type Cost } from '../machine.js';
import { round, type BenchCase, type BenchSize, type Result } from '../result.js';

const RATE_TARGET = 60_000;
const PARTITIONS = 4;
const READ = { maxBytes: 4 * 2 ** 20, maxWaitMs: 0 };
const WARM_UP_FLOWS = 20_000;

/** What one log took for its three parts. */
interface Through {
  readonly append: Cost<number>;
  readonly read: Cost<number>;
  readonly load: Cost<void>;
  readonly rows: number;
}

async function readAll(log: EventLog): Promise<number> {
  let events = 0;
  for (let partition = 0; partition < log.partitions; partition++) {
    for (let next = 0n; ;) {
      const { records } = await log.read(partition, next, READ);
      if (records.length === 0) break;
      for (const record of records) events += record.events;
      next += BigInt(records.length);
    }
  }
  return events;
}

async function through(
  log: EventLog,
  server: TestStore,
  pids: readonly number[],
  records: readonly AppendRecord[],
): Promise<Through> {
  const store = server.store();
  const append = await costOf(pids, () => appendAll(log, records));
  const read = await costOf(pids, () => readAll(log));
  if (read.result !== append.result)
    throw new Error(`${append.result} events were appended, ${read.result} read`);
  const load = await costOf([...pids, server.server.pid], () => loadLog(log, store));
  const plan = {
    name: 'bench_rows',
    sql: 'SELECT toString(count()) AS n FROM flows',
    params: {},
    settings: {},
  };
  const { rows } = await store.query<{ n: string }>(plan);
  return { append, read, load, rows: Number(rows[0]?.n ?? 0) };
}

async function throughKafka(
  kafka: TestKafka,
  records: readonly AppendRecord[],
  topic: string,
): Promise<Through> {
  const server = await startStore();
  const log = await openKafkaLog({
    brokers: kafka.brokers,
    mode: 'writer',
    topic,
    partitions: PARTITIONS,
    replicationFactor: 1,
    minInSyncReplicas: 1,
    retentionMs: 86_400_000,
    retentionBytes: 2 ** 40,
    strict: false,
  });
  try {
    const broker = kafka.process === undefined ? [] : [kafka.process.pid];
    return await through(log, server, broker, records);
  } finally {
    await log.close();
    await server.stop();
  }
}

async function throughFiles(records: readonly AppendRecord[]): Promise<Through> {
  const server = await startStore();
  const bench = await openBenchLog(PARTITIONS);
  try {
    return await through(bench.log, server, [], records);
  } finally {
    await bench.close();
    await server.stop();
  }
}

function result(kafka: Through, files: Through, flows: number): Result {
  const seconds = ({ append, load }: Through): number => append.seconds + load.seconds;
  const cpuSeconds = ({ append, load }: Through): number => append.cpuSeconds + load.cpuSeconds;
  const rate = flows / seconds(kafka);
  const baseline = flows / seconds(files);
  const perCpu = flows / cpuSeconds(kafka);
  return {
    name: 'kafka.rate',
    value: round(rate),
    unit: 'flows/s',
    baseline: round(baseline),
    ratio: round(rate / baseline),
    target: `>= ${RATE_TARGET.toLocaleString('en-US')}`,
    ok: rate >= RATE_TARGET,
    detail: {
      flows,
      rows: kafka.rows,
      sameRows: kafka.rows === files.rows,
      appendPerSecond: round(flows / kafka.append.seconds),
      readPerSecond: round(flows / kafka.read.seconds),
      loadPerSecond: round(flows / kafka.load.seconds),
      ...costDetail(kafka.append, 'append'),
      ...costDetail(kafka.load, 'load'),
      flowsPerCpuSecond: round(perCpu),
      baselineAppendPerSecond: round(flows / files.append.seconds),
      baselineReadPerSecond: round(flows / files.read.seconds),
      baselineLoadPerSecond: round(flows / files.load.seconds),
      baselineFlowsPerCpuSecond: round(flows / cpuSeconds(files)),
      ratioPerCpu: round(perCpu / (flows / cpuSeconds(files))),
    },
  };
}

async function run({ quick, say }: BenchSize): Promise<readonly Result[]> {
  const source = await findKafka();
  if (source.kind === 'none') throw new Error(source.reason);
  const count = quick ? 200_000 : 1_000_000;
  say(`kafka: ${count} flows through a real Kafka, then through the embedded log`);
  // Records, not flows: a million objects that live meanwhile would be marked again and again at everybody's expense.
  const made = (flows: number): AppendRecord[] => {
    const spanMs = (flows / RATE_TARGET) * 1000;
    return packRecords(makeFlows({ ...REALISTIC, flows, fromMs: Date.now() - spanMs, spanMs }), PARTITIONS);
  };
  const kafka = await startTestKafka(source);
  try {
    await throughKafka(kafka, made(WARM_UP_FLOWS), `warm-${process.pid}`);
    const records = made(count);
    const mine = await throughKafka(kafka, records, `bench-${process.pid}`);
    return [result(mine, await throughFiles(records), count)];
  } finally {
    await kafka.stop();
  }
}

/** Row 6: appended to the log, read back and loaded into all tables; through a real Kafka and through the embedded log. */
export const kafkaCase: BenchCase = { name: 'kafka', figures: ['kafka.rate'], run };
