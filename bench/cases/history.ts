import type { ColumnStore, QueryResult } from '@flowledger/column-store';
import {
  DEFAULT_LIMITS,
  planDrops,
  planRed,
  planServiceMap,
  redOfEdges,
  type EdgeRow,
  type FlowFilters,
  type QueryContext,
  type QueryPlan,
  type Result as Planned,
} from '@flowledger/query';
import { gzippedBytes } from '../flows/export-lines.js';
import { makeFlows } from '../flows/made-flows.js';
import { DAY_MS, FROM_MS, openHistoryStore, ROLLUPS, type HistoryStore } from '../history-store.js';
import { costDetail } from '../machine.js';
import { percentile, round, type BenchCase, type BenchSize, type Result } from '../result.js';

const HOUR_NS = 3_600_000_000_000n;
const KEPT_NS = 20_000n * 24n * HOUR_NS;
const SMALL_TARGET_MS = 150;
const LARGE_TARGET_MS = 300;
/** The targets are for 10 M flows and for 100 M; what is between has the one of 100 M. */
const targetMs = (flows: number): number => (flows > 15_000_000 ? LARGE_TARGET_MS : SMALL_TARGET_MS);
const STORED_TARGET = 60;
const LOGGED_TARGET = 150;

/** Every made flow meets this and no rollup holds it, so the planner must answer from raw rows: one cheap column more. */
const RAW_ONLY: FlowFilters = { allow: [{ ipVersion: ['IPv4'] }] };

const CONTEXT: QueryContext = {
  tenant: 'default',
  nowNs: BigInt(FROM_MS + DAY_MS) * 1_000_000n,
  limits: DEFAULT_LIMITS,
  retention: { rawNs: KEPT_NS, minuteNs: KEPT_NS, hourNs: KEPT_NS },
};
const WINDOW = { fromNs: BigInt(FROM_MS) * 1_000_000n, toNs: BigInt(FROM_MS + DAY_MS) * 1_000_000n };

function must<T>(planned: Planned<T>): T {
  if (!planned.ok) throw new Error(`refused: ${JSON.stringify(planned.error)}`);
  return planned.value;
}

type Read = (plan: QueryPlan) => Promise<QueryResult<object>>;

/** A question of the targets: its statements, planned and asked as by the API; resolves with their answers. */
interface Question {
  readonly name: string;
  readonly ask: (filters: FlowFilters | null, read: Read) => Promise<readonly QueryResult<object>[]>;
}

const HOURS = { stepNs: HOUR_NS, limit: 50 };

const QUESTIONS: readonly Question[] = [
  {
    name: 'query.red',
    ask: async (filters, read) => {
      const groupBy = [{ dimension: 'WORKLOAD', side: 'SERVER' }] as const;
      return [await read(must(planRed({ window: WINDOW, filters, groupBy, ...HOURS }, CONTEXT)).plan)];
    },
  },
  {
    name: 'query.drops',
    ask: async (filters, read) => {
      const groupBy = [{ dimension: 'DROP_REASON' }, { dimension: 'WORKLOAD', side: 'CLIENT' }] as const;
      return [await read(must(planDrops({ window: WINDOW, filters, groupBy, ...HOURS }, CONTEXT)).plan)];
    },
  },
  {
    name: 'query.service_map',
    ask: async (filters, read) => {
      const { now } = must(planServiceMap({ window: WINDOW, filters }, CONTEXT));
      const edges = await read(now.edges);
      const red = must(redOfEdges(now, edges.rows as readonly EdgeRow[], CONTEXT));
      // Unranked, since the groups of a map are few.
      return [edges, await read(red.unranked?.plan ?? red.plan)];
    },
  },
];

interface Timed {
  readonly millis: readonly number[];
  readonly answer: string;
  readonly rowsRead: number;
}

/** Asks the same question again and again, without the condition cache. */
async function time(
  store: ColumnStore,
  question: Question,
  filters: FlowFilters | null,
  times: number,
): Promise<Timed> {
  const read: Read = (plan) => {
    // Raw rows of 100 M flows may take longer than a request.
    const settings = { ...plan.settings, use_query_condition_cache: 0, max_execution_time: 120 };
    return store.query<object>({ ...plan, settings });
  };
  const millis: number[] = [];
  let [answer, rowsRead] = ['', 0];
  for (let n = 0; n < times; n++) {
    const began = performance.now();
    const results = await question.ask(filters, read);
    millis.push(performance.now() - began);
    // Not every statement has an order.
    answer = JSON.stringify(results.map(({ rows }) => rows.map((row) => JSON.stringify(row)).toSorted()));
    rowsRead = results.reduce((sum, result) => sum + result.rowsRead, 0);
  }
  return { millis, answer, rowsRead };
}

async function ask(
  { reader, flows }: HistoryStore,
  question: Question,
  times: readonly [number, number],
): Promise<Result> {
  const rollup = await time(reader, question, null, times[0]);
  const raw = await time(reader, question, RAW_ONLY, times[1]);
  const target = targetMs(flows);
  // The first run finds cold marks and columns; it is told apart.
  const [mine, theirs] = [rollup, raw].map(({ millis }) => percentile(millis.slice(1), 0.95));
  const [value, baseline] = [mine ?? Number.NaN, theirs ?? Number.NaN];
  return {
    name: question.name,
    value: round(value),
    unit: 'ms p95',
    baseline: round(baseline),
    ratio: round(baseline / value),
    target: `p95 <= ${target} ms (${target === SMALL_TARGET_MS ? 10 : 100} M flows)`,
    ok: value <= target && rollup.answer === raw.answer,
    detail: {
      flows,
      hours: 24,
      p50: round(percentile(rollup.millis.slice(1), 0.5)),
      firstMs: round(rollup.millis[0] ?? Number.NaN),
      baselineP50: round(percentile(raw.millis.slice(1), 0.5)),
      baselineFirstMs: round(raw.millis[0] ?? Number.NaN),
      runs: times[0],
      baselineRuns: times[1],
      rowsRead: rollup.rowsRead,
      baselineRowsRead: raw.rowsRead,
      sameAnswer: rollup.answer === raw.answer,
    },
  };
}

interface TableSize {
  readonly name: string;
  readonly bytes: string;
  readonly rows: string;
}

async function sizes(store: ColumnStore): Promise<readonly TableSize[]> {
  const sql = `SELECT table AS name, toString(sum(bytes_on_disk)) AS bytes, toString(sum(rows)) AS rows FROM system.parts
    WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table`;
  return (await store.query<TableSize>({ name: 'bench_sizes', sql, params: {}, settings: {} })).rows;
}

async function storage({ writer, flows, logged, logBytes, shape }: HistoryStore): Promise<readonly Result[]> {
  const tables = await sizes(writer);
  const perFlow = (names: readonly string[]): number =>
    tables.reduce((sum, { name, bytes }) => sum + (names.includes(name) ? Number(bytes) : 0), 0) / flows;
  const total = perFlow(tables.map(({ name }) => name));
  const gzip = await gzippedBytes(makeFlows({ ...shape, flows: Math.min(flows, 50_000) }));
  const detail = Object.fromEntries(
    tables.map(({ name, bytes, rows }) => [name, `${round(Number(bytes) / flows)} B/flow in ${rows} rows`]),
  );
  const figure = (name: string, value: number, target: number, more: Result['detail']): Result => ({
    name,
    value: round(value),
    unit: 'bytes/flow',
    baseline: round(gzip),
    ratio: round(gzip / value),
    target: `<= ${target}`,
    ok: value <= target,
    detail: { flows, baseline: 'gzip -6 of the export file', ...more },
  });
  return [
    figure('size.store', total, STORED_TARGET, {
      raw: round(perFlow(['flows'])),
      rollups: round(perFlow(ROLLUPS)),
      ...detail,
    }),
    figure('size.log', logBytes / logged, LOGGED_TARGET, { flows: logged }),
  ];
}

/** The loader over all of the day, in this run or in the one that filled the store. */
function sustained({ shape, logged, loading }: HistoryStore): Result {
  const { nodes, workloads, callsOut } = shape;
  return {
    name: 'load.sustained',
    value: round(logged / loading.seconds),
    unit: 'flows/s',
    baseline: null,
    ratio: null,
    target: '-',
    ok: true,
    detail: {
      flows: logged,
      hours: 24,
      nodes,
      workloads,
      edges: workloads * callsOut,
      ...costDetail(loading),
    },
  };
}

/** Raw rows of 100 M flows take seconds each time. */
function runsOf({ flows }: HistoryStore, { quick }: BenchSize): readonly [number, number] {
  if (targetMs(flows) === LARGE_TARGET_MS) return [31, 2];
  return quick ? [21, 7] : [61, 21];
}

async function run(size: BenchSize): Promise<readonly Result[]> {
  const say = (line: string): void => size.say(`history: ${line}`);
  const history = await openHistoryStore({ ...size, say });
  try {
    const figures = [...(await storage(history))];
    for (const question of QUESTIONS) {
      say(question.name);
      figures.push(await ask(history, question, runsOf(history, size)));
    }
    return [sustained(history), ...figures];
  } finally {
    await history.close();
  }
}

/** Rows 8 and 9: what a day of flows takes on disk, and what a question about it costs. */
export const historyCase: BenchCase = {
  name: 'history',
  figures: ['load.sustained', 'size.store', 'size.log', ...QUESTIONS.map(({ name }) => name)],
  run,
};
