import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import type { ColumnStore } from '@flowledger/column-store';
import type { AppendRecord } from '@flowledger/event-log';
import { Projection } from '@flowledger/model';
import { startTestStore } from '@flowledger/testkit';
import { jsonRow } from '../baselines/json-rows.js';
import { protoLoaderDeserializer } from '../baselines/proto-loader.js';
import { PROTO, writeProtobufFile, writeSchema } from '../baselines/protobuf-file.js';
import { READ_COLUMNS, structure } from '../baselines/reader-columns.js';
import { makeFlows, REALISTIC, type MadeFlow } from '../flows/made-flows.js';
import { packRecords } from '../flows/pack-records.js';
import { costOf } from '../machine.js';
import { round, type BenchCase, type BenchSize, type Result } from '../result.js';

/** A rate in flows per second of processor time, so that other load on the machine does not count. */
interface Rate {
  readonly flowsPerSecond: number;
  readonly passes: number;
  readonly peakMiB: number;
}

/** Repeats `pass`, which handles all flows once, for as long as it takes a compiler that learns to have learnt. */
function warmUp(seconds: number, pass: () => void): void {
  const until = performance.now() + seconds * 1000;
  do pass();
  while (performance.now() < until);
}

/** Repeats `pass` for some seconds, after as many to warm up. */
async function rate(flows: number, seconds: number, pass: () => void): Promise<Rate> {
  warmUp(seconds, pass);
  let passes = 0;
  const { cpuSeconds, peakMiB } = await costOf([], () => {
    const until = performance.now() + seconds * 1000;
    while (performance.now() < until) {
      pass();
      passes++;
    }
  });
  return { flowsPerSecond: (passes * flows) / cpuSeconds, passes, peakMiB };
}

/** Takes records and no flows: a worker has none in its memory for the collector to look at. */
function ours(records: readonly AppendRecord[], flows: number): () => void {
  const projection = new Projection({
    logEpoch: 1n,
    partition: 0,
    rawTtlMs: 30 * 86_400_000,
    isDuplicate: () => false,
  });
  let offset = 0n;
  return () => {
    let rows = 0;
    for (const { value } of records) {
      projection.add({ offset: offset++, value });
      if (projection.rows >= 50_000) rows += projection.take().flows.rows;
    }
    rows += projection.take().flows.rows;
    if (rows !== flows) throw new Error(`${rows} of ${flows} flows became rows`);
  };
}

/** protobufjs in its fastest form: decoders generated from the schema, the code that `pbjs -t static` writes. */
async function protobufjs(flows: readonly MadeFlow[]): Promise<() => void> {
  const root = new protobuf.Root();
  const common = root.resolvePath.bind(root);
  root.resolvePath = (origin, target) =>
    target.startsWith('hubble/') ? join(PROTO, target) : common(origin, target);
  await root.load('hubble/observer.proto', { keepCase: true });
  const response = root.lookupType('observer.GetFlowsResponse');
  return () => {
    for (const { bytes } of flows) response.decode(bytes);
  };
}

function protoLoader(flows: readonly MadeFlow[]): () => void {
  const deserialize = protoLoaderDeserializer('names');
  const buffers = flows.map(({ bytes }) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  return () => {
    for (const bytes of buffers) deserialize(bytes);
  };
}

/** The same, made into rows with columns derived in the simplest way: what a pipeline on it has to do before an insert. */
function protoLoaderRows(flows: readonly MadeFlow[]): () => void {
  const deserialize = protoLoaderDeserializer('numbers');
  const buffers = flows.map(({ bytes }) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  return () => {
    let size = 0;
    for (const bytes of buffers) size += jsonRow(deserialize(bytes).flow).length;
    if (size === 0) throw new Error('no rows');
  };
}

const ONE_THREAD = { max_threads: 1, max_insert_threads: 1, input_format_parallel_parsing: 0 };

/** ClickHouse reads the same messages into a table that keeps nothing, on one thread. */
async function clickhouse(flows: readonly MadeFlow[], seconds: number): Promise<Rate> {
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-bench-'));
  const server = await startTestStore({ maxMemoryBytes: 3 * 2 ** 30 });
  try {
    const store = server.store();
    const file = join(directory, 'flows.pb');
    writeProtobufFile(
      file,
      flows.map(({ bytes }) => bytes),
    );
    const settings = { ...ONE_THREAD, format_schema: writeSchema(directory) };
    const run = (sql: string): Promise<void> => store.command({ name: 'bench', sql, params: {}, settings });
    await run(`CREATE TABLE nothing (${structure()}) ENGINE = Null`);
    const read = `INSERT INTO nothing SELECT * FROM file('${file}', 'Protobuf', '${structure()}')`;
    await run(read);
    await mustRead(store, file, settings, flows.length);
    let passes = 0;
    const until = performance.now() + seconds * 1000;
    const cost = await costOf([server.server.pid], async () => {
      while (performance.now() < until) {
        await run(read);
        passes++;
      }
    });
    return { flowsPerSecond: (passes * flows.length) / cost.cpuSeconds, passes, peakMiB: cost.peakMiB };
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A reader that skipped what it should read would look fast. */
async function mustRead(
  store: ColumnStore,
  file: string,
  settings: Readonly<Record<string, string | number>>,
  flows: number,
): Promise<void> {
  const sql = `SELECT toString(count()) AS read, toString(countIf(flow_source_pod_name != '' AND length(flow_destination_labels) = 6
    AND flow_IP_source != '' AND flow_uuid != toUUID('00000000-0000-0000-0000-000000000000'))) AS full
    FROM file('${file}', 'Protobuf', '${structure()}')`;
  const { rows } = await store.query<{ read: string; full: string }>({
    name: 'bench',
    sql,
    params: {},
    settings,
  });
  if (Number(rows[0]?.read) !== flows || Number(rows[0]?.full) !== flows)
    throw new Error(`the Protobuf reader read ${JSON.stringify(rows[0])} of ${flows} flows`);
}

async function run({ quick, say }: BenchSize): Promise<readonly Result[]> {
  const count = quick ? 50_000 : 100_000;
  const seconds = quick ? 2 : 10;
  const shape = { ...REALISTIC, flows: count, fromMs: 1_790_000_000_000, spanMs: 600_000 };
  say(`decode: ${count} flows`);
  const mine = await rate(count, seconds, ours(packRecords(makeFlows(shape), 1), count));
  const flows = [...makeFlows(shape)];
  const average = flows.reduce((sum, { bytes }) => sum + bytes.length, 0) / count;
  const detail = {
    flows: count,
    bytesPerFlow: Math.round(average),
    peakMiB: mine.peakMiB,
    measuredPer: 'second of processor time, one thread',
  };
  const compare = (name: string, theirs: Rate, wanted: number, target: string, what: string): Result => {
    const ratio = mine.flowsPerSecond / theirs.flowsPerSecond;
    return {
      name: `decode.${name}`,
      value: round(mine.flowsPerSecond),
      unit: 'flows/s',
      baseline: round(theirs.flowsPerSecond),
      ratio: round(ratio),
      target,
      ok: ratio >= wanted,
      detail: { ...detail, baseline: what, baselinePeakMiB: theirs.peakMiB },
    };
  };
  const reader = `ClickHouse Protobuf reader, ${READ_COLUMNS.length} columns, nothing derived or stored`;
  return [
    compare('clickhouse_reader', await clickhouse(flows, seconds), 1, '>= 1.0x', reader),
    compare(
      'proto_loader',
      await rate(count, seconds, protoLoader(flows)),
      5,
      '>= 5x',
      '@grpc/proto-loader objects (options of the gRPC guide), no columns',
    ),
    compare(
      'proto_loader_rows',
      await rate(count, seconds, protoLoaderRows(flows)),
      5,
      '>= 5x, like for like',
      '@grpc/proto-loader objects made into JSONEachRow lines with derived columns, as in load.json_each_row',
    ),
    compare(
      'protobufjs',
      await rate(count, seconds, await protobufjs(flows)),
      1,
      '>= 1.0x',
      'protobufjs generated decoders, objects, no columns',
    ),
  ];
}

/** Row 1 of the targets: log records to column batches, against decoders of the same bytes. */
export const decodeCase: BenchCase = {
  name: 'decode',
  figures: [
    'decode.clickhouse_reader',
    'decode.proto_loader',
    'decode.proto_loader_rows',
    'decode.protobufjs',
  ],
  run,
};
