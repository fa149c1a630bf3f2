import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ColumnStore } from '@flowledger/column-store';
import type { TestStore } from '@flowledger/testkit';
import { jsonRow } from '../baselines/json-rows.js';
import { protoLoaderDeserializer } from '../baselines/proto-loader.js';
import { writeProtobufFile, writeSchema } from '../baselines/protobuf-file.js';
import { FLOW_EXPRESSIONS, structure } from '../baselines/reader-columns.js';
import { answer, startChild } from '../child.js';
import { makeFlows, REALISTIC, type MadeFlow } from '../flows/made-flows.js';
import type { LoadOrder } from '../load-process.js';
import { openBenchLog, startStore } from '../log-store.js';
import { costDetail, costOf, type Cost } from '../machine.js';
import { round, type BenchCase, type BenchSize, type Result } from '../result.js';

const BATCH_ROWS = 50_000;
const RATE_TARGET = 100_000;
const SAMPLE_FLOWS = 20_000;
/** What a worker has loaded when V8 has compiled all of it: measured, most at 20,000, the ends of batches later. */
const WARM_UP_FLOWS = 150_000;

/** Totals that every way into the tables must agree about. */
interface Totals {
  readonly flows: string;
  readonly requests: string;
  readonly faults: string;
  readonly drops: string;
  readonly connections: string;
  readonly edges: string;
}

interface Loaded {
  readonly cost: Cost<void>;
  readonly totals: Totals;
}

async function totalsOf(store: ColumnStore): Promise<Totals> {
  const sql = `SELECT (SELECT toString(count()) FROM flows) AS flows,
    (SELECT toString(sum(requests)) FROM red_1m) AS requests, (SELECT toString(sum(faults)) FROM red_1h) AS faults,
    (SELECT toString(sum(drops)) FROM drops_1m) AS drops, (SELECT toString(sum(connections)) FROM edges_1m) AS connections,
    (SELECT toString(uniqExact(server_namespace, server_workload, client_namespace, client_workload)) FROM edges_1m) AS edges`;
  const { rows } = await store.query<Totals>({ name: 'bench_totals', sql, params: {}, settings: {} });
  const [totals] = rows;
  if (totals === undefined) throw new Error('no totals');
  return totals;
}

async function ours(server: TestStore, flows: readonly MadeFlow[], worker: ChildProcess): Promise<Loaded> {
  const bench = await openBenchLog();
  const { url, database } = server;
  const store = { url, database, user: 'writer', password: server.password('writer') };
  try {
    await bench.fill(flows);
    const work = async (): Promise<void> => {
      const loaded = answer(worker);
      worker.send({ directory: bench.directory, store } satisfies LoadOrder);
      await loaded;
    };
    // This process holds the made flows and waits: it is no part of the product.
    const cost = await costOf([server.server.pid, worker.pid ?? 0], work, []);
    return { cost, totals: await totalsOf(server.store()) };
  } finally {
    await bench.close();
  }
}

/** What a Kafka table engine does, without Kafka: ClickHouse reads the messages and fills the tables itself. */
async function clickhouse(server: TestStore, flows: readonly MadeFlow[]): Promise<Loaded> {
  const store = server.store();
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-bench-'));
  try {
    const file = join(directory, 'flows.pb');
    writeProtobufFile(
      file,
      flows.map(({ bytes }) => bytes),
    );
    const columns = Object.keys(FLOW_EXPRESSIONS).join(', ');
    const expressions = Object.entries(FLOW_EXPRESSIONS)
      .map(([column, sql]) => `${sql} AS ${column}`)
      .join(', ');
    const sql = `INSERT INTO flows (${columns}) SELECT ${expressions} FROM file('${file}', 'Protobuf', '${structure()}')`;
    const settings = { format_schema: writeSchema(directory), parallel_view_processing: 1 };
    const cost = await costOf([server.server.pid], () =>
      store.command({ name: 'bench', sql, params: {}, settings }),
    );
    return { cost, totals: await totalsOf(store) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Objects by proto-loader, rows as JSON text, one insert under way while the next batch is made. */
async function jsonEachRow(server: TestStore, flows: readonly MadeFlow[]): Promise<Loaded> {
  const store = server.store();
  const deserialize = protoLoaderDeserializer('numbers');
  const query = encodeURIComponent('INSERT INTO flows FORMAT JSONEachRow');
  const url = `${server.url}/?database=${server.database}&query=${query}&async_insert=0&parallel_view_processing=1&input_format_import_nested_json=0`;
  const credentials = Buffer.from(`writer:${server.password('writer')}`).toString('base64');
  const send = async (body: string): Promise<void> => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}` },
      body,
    });
    if (!answer.ok) throw new Error((await answer.text()).slice(0, 500));
    await answer.arrayBuffer();
  };
  const cost = await costOf([server.server.pid], async () => {
    let underWay = Promise.resolve();
    for (let at = 0; at < flows.length; at += BATCH_ROWS) {
      const lines = flows
        .slice(at, at + BATCH_ROWS)
        .map(({ bytes }) =>
          jsonRow(deserialize(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).flow),
        );
      const body = lines.join('\n');
      await underWay;
      underWay = send(body);
    }
    await underWay;
  });
  return { cost, totals: await totalsOf(store) };
}

/** A baseline that stores something else is no baseline. */
function mustAgree(what: string, mine: Totals, theirs: Totals): void {
  if (JSON.stringify(mine) !== JSON.stringify(theirs))
    throw new Error(`${what} made other tables: ${JSON.stringify(theirs)}, ours ${JSON.stringify(mine)}`);
}

type Way = (server: TestStore, flows: readonly MadeFlow[]) => Promise<Loaded>;

/** One worker for all rounds, so that the last one finds it warm, as a worker that runs for days is. */
async function withWorker<T>(work: (ours: Way) => Promise<T>): Promise<T> {
  const worker = startChild('load-process');
  try {
    return await work((server, flows) => ours(server, flows, worker));
  } finally {
    worker.kill();
  }
}

/** A store of its own each time, so that nobody pays for another one's merges. */
async function onStoreOfItsOwn(way: Way, flows: readonly MadeFlow[]): Promise<Loaded> {
  const server = await startStore();
  try {
    return await way(server, flows);
  } finally {
    await server.stop();
  }
}

async function run({ quick, say }: BenchSize): Promise<readonly Result[]> {
  const [count, fewer] = quick ? [300_000, 60_000] : [1_000_000, 200_000];
  const shape = { ...REALISTIC, flows: count, fromMs: 1_790_000_000_000, spanMs: 3_600_000 };
  say(`load: ${count} flows of one hour`);
  const flows = [...makeFlows(shape)];
  // First a few, which shows that all three agree.
  const sample = flows.slice(0, SAMPLE_FLOWS);
  const { totals, mine } = await withWorker(async (way) => {
    const first = await onStoreOfItsOwn(way, sample);
    await onStoreOfItsOwn(way, flows.slice(0, WARM_UP_FLOWS));
    say('load: ours');
    return { totals: first.totals, mine: await onStoreOfItsOwn(way, flows) };
  });
  mustAgree('the Protobuf reader', totals, (await onStoreOfItsOwn(clickhouse, sample)).totals);
  mustAgree('JSONEachRow', totals, (await onStoreOfItsOwn(jsonEachRow, sample)).totals);
  say('load: ClickHouse reads the same messages');
  const reader = await onStoreOfItsOwn(clickhouse, flows);
  mustAgree('the Protobuf reader', mine.totals, reader.totals);
  say('load: proto-loader and JSONEachRow');
  const json = await onStoreOfItsOwn(jsonEachRow, flows.slice(0, fewer));
  return results(mine, reader, json);
}

function results(mine: Loaded, reader: Loaded, json: Loaded): readonly Result[] {
  const rate = ({ cost, totals }: Loaded): number => Number(totals.flows) / cost.seconds;
  const perCpu = ({ cost, totals }: Loaded): number => Number(totals.flows) / cost.cpuSeconds;
  const own = {
    flows: Number(mine.totals.flows),
    edges: Number(mine.totals.edges),
    ...costDetail(mine.cost),
    flowsPerCpuSecond: round(perCpu(mine)),
  };
  const against = (name: string, theirs: Loaded, wanted: number, target: string): Result => {
    const ratio = rate(mine) / rate(theirs);
    return {
      name,
      value: round(rate(mine)),
      unit: 'flows/s',
      baseline: round(rate(theirs)),
      ratio: round(ratio),
      target,
      ok: ratio >= wanted,
      detail: {
        ...own,
        baselineFlows: Number(theirs.totals.flows),
        ...costDetail(theirs.cost, 'baseline'),
        baselineFlowsPerCpuSecond: round(perCpu(theirs)),
        ratioPerCpu: round(perCpu(mine) / perCpu(theirs)),
      },
    };
  };
  const plain = {
    name: 'load.rate',
    value: round(rate(mine)),
    unit: 'flows/s',
    baseline: null,
    ratio: null,
    target: `>= ${RATE_TARGET.toLocaleString('en-US')}`,
    ok: rate(mine) >= RATE_TARGET,
    detail: own,
  };
  return [
    plain,
    against('load.clickhouse_reader', reader, 1, '>= 1.0x, aim 1.2x'),
    against('load.json_each_row', json, 5, '>= 5x'),
  ];
}

/** Rows 2 and 3: from the log into flows and every rollup of the embedded store. */
export const loadCase: BenchCase = {
  name: 'load',
  figures: ['load.rate', 'load.clickhouse_reader', 'load.json_each_row'],
  run,
};
