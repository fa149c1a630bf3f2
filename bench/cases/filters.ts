import type { ColumnStore } from '@flowledger/column-store';
import {
  DEFAULT_LIMITS,
  planFlows,
  searchPage,
  type FlowFilter,
  type FlowsPlan,
  type FlowsRequest,
  type QueryContext,
  type QueryPlan,
  type Result as Planned,
} from '@flowledger/query';
import { command, DAY_MS, FROM_MS, openHistoryStore, settled, type HistoryStore } from '../history-store.js';
import { costOf } from '../machine.js';
import { questions, rareRows, type Example, type Question } from './filter-questions.js';
import { percentile, round, type BenchCase, type BenchSize, type Result } from '../result.js';

const KEPT_NS = BigInt(20_000 * DAY_MS) * 1_000_000n;
const INDEXED_MS = 100;
const INDEXED_LARGE_MS = 200;
const OTHER_MS = 300;
/** From here on the targets are those of 100 M flows, and a day is not one part. */
const MERGED_BELOW = 15_000_000;
/** Below, a quick run. */
const SMALL_BELOW = 5_000_000;
const RUNS = 21;
const FEW_RUNS = 11;
const BASELINE_RUNS = 11;
const FEW_BASELINE_RUNS = 5;
/** Whole scans of 100 M flows take seconds. */
const LARGE_SCANS = 3;
const LARGE_BASELINE_RUNS = 2;
/** What a search may take, so that its answer is there in 300 ms. */
const BUDGET_MS = 250;

const CONTEXT: QueryContext = {
  tenant: 'default',
  nowNs: BigInt(FROM_MS + DAY_MS) * 1_000_000n,
  limits: DEFAULT_LIMITS,
  retention: { rawNs: KEPT_NS, minuteNs: KEPT_NS, hourNs: KEPT_NS },
};
const WINDOW = { fromNs: BigInt(FROM_MS) * 1_000_000n, toNs: BigInt(FROM_MS + DAY_MS) * 1_000_000n };

const requestOf = (filter: FlowFilter, clusters: readonly string[]): FlowsRequest => ({
  window: WINDOW,
  filters: { allow: [filter] },
  last: 20,
  clusters,
});

/** As it is read, but for the condition cache. */
function uncached({ plan }: FlowsPlan): QueryPlan {
  return { ...plan, settings: { ...plan.settings, use_query_condition_cache: 0 } };
}

function granted<T>(planned: Planned<T>): T {
  if (!planned.ok) throw new Error(`refused: ${JSON.stringify(planned.error)}`);
  return planned.value;
}

function planOf(filter: FlowFilter, plain: boolean): QueryPlan {
  const plan = uncached(granted(planFlows(requestOf(filter, plain ? [] : ['prod-1']), CONTEXT)));
  const sql = plain ? plan.sql.replace(/ORDER BY [^\n]*/g, 'ORDER BY bucket_time DESC') : plan.sql;
  // Over 100 M flows a whole scan may last longer than a request.
  return { ...plan, sql, settings: { ...plan.settings, max_execution_time: 120 } };
}

interface Timed {
  readonly millis: readonly number[];
  readonly ids: string;
  readonly rowsRead: number;
}

interface IdRow {
  readonly bucket_ns: string;
}

async function time(store: ColumnStore, plan: QueryPlan, times: number): Promise<Timed> {
  const millis: number[] = [];
  let [ids, rowsRead] = ['', 0];
  for (let n = 0; n < times; n++) {
    const began = performance.now();
    const result = await store.query<IdRow>(plan);
    millis.push(performance.now() - began);
    ids = result.rows.map((row) => row.bucket_ns).join();
    rowsRead = result.rowsRead;
  }
  return { millis, ids, rowsRead };
}

/** A search with a time budget: ms until its page or its cursor is there, and how far it came. */
interface Searched {
  readonly p50: number;
  readonly p95: number;
  readonly found: number;
  readonly hours: number;
}

async function timeSearch(store: ColumnStore, filter: FlowFilter, times: number): Promise<Searched> {
  const millis: number[] = [];
  let [found, hours] = [0, 24];
  for (let n = 0; n < times; n++) {
    const began = performance.now();
    const clock = { budgetMs: BUDGET_MS, now: () => performance.now() };
    const read = async (plan: FlowsPlan) => (await store.query<IdRow>(uncached(plan))).rows;
    const page = granted(await searchPage(requestOf(filter, ['prod-1']), CONTEXT, clock, read));
    millis.push(performance.now() - began);
    found = Math.min(page.rows.length, 20);
    hours = page.unsearched === undefined ? 24 : Number(WINDOW.toNs - page.unsearched.toNs) / 3.6e12;
  }
  return { p95: percentile(millis.slice(1), 0.95), p50: percentile(millis.slice(1), 0.5), found, hours };
}

async function one<Row>(store: ColumnStore, sql: string): Promise<Row> {
  const { rows } = await store.query<Row>({ name: 'bench_filters', sql, params: {}, settings: {} });
  const [row] = rows;
  if (row === undefined) throw new Error(`no row: ${sql}`);
  return row;
}

async function hitRate(store: ColumnStore, plan: QueryPlan, flows: number): Promise<number> {
  const where = /WHERE [\s\S]*?(?=\nORDER BY)/.exec(plan.sql)?.[0] ?? '';
  const counted = { ...plan, sql: `SELECT toString(count()) AS hits FROM flows ${where}` };
  const { rows } = await store.query<{ hits: string }>(counted);
  return Number(rows[0]?.hits ?? 0) / flows;
}

const warm = ({ millis }: Timed, share: number): number => percentile(millis.slice(1), share);

function searchDetail({ found, hours }: Searched, whole: Timed): Result['detail'] {
  return {
    found,
    hoursSearched: round(hours),
    wholeP50: round(warm(whole, 0.5)),
    wholeP95: round(warm(whole, 0.95)),
  };
}

/** How often to ask, and how often by time alone. */
function runsOf(flows: number, indexed: boolean): readonly [number, number] {
  if (flows >= MERGED_BELOW) return [indexed ? FEW_RUNS : LARGE_SCANS, LARGE_BASELINE_RUNS];
  return flows >= SMALL_BELOW ? [RUNS, BASELINE_RUNS] : [FEW_RUNS, FEW_BASELINE_RUNS];
}

/** Indexed filters are read as one statement, others are searched in stretches with a cursor to go on. */
async function ask(
  { reader, writer, pid, flows }: HistoryStore,
  { name, filter, indexed }: Question,
): Promise<Result> {
  const large = flows >= MERGED_BELOW;
  const [runs, baselineRuns] = runsOf(flows, indexed);
  const [ours, plain] = [planOf(filter, false), planOf(filter, true)];
  for (const cache of ['MARK', 'UNCOMPRESSED']) await command(writer, `SYSTEM DROP ${cache} CACHE`);
  const cost = await costOf([pid], () => time(reader, ours, runs));
  const baselineCost = await costOf([pid], () => time(reader, plain, baselineRuns));
  const search = indexed
    ? undefined
    : await timeSearch(reader, filter, flows >= SMALL_BELOW ? RUNS : FEW_RUNS);
  const [mine, theirs] = [cost.result, baselineCost.result];
  const [value, baseline] = [search?.p95 ?? warm(mine, 0.95), warm(theirs, 0.95)];
  const target = !indexed ? OTHER_MS : large ? INDEXED_LARGE_MS : INDEXED_MS;
  return {
    name: `filter.${name}`,
    value: round(value),
    unit: indexed ? 'ms p95' : 'ms p95 to the page or a cursor',
    baseline: round(baseline),
    ratio: round(baseline / value),
    target: `p95 <= ${target} ms (${large ? 100 : 10} M flows)`,
    ok: value <= target && mine.ids === theirs.ids,
    detail: {
      flows,
      hitRate: round(await hitRate(reader, ours, flows)),
      coldMs: round(mine.millis[0] ?? Number.NaN),
      p50: round(search?.p50 ?? warm(mine, 0.5)),
      ...(search === undefined ? {} : searchDetail(search, mine)),
      baselineP50: round(warm(theirs, 0.5)),
      rowsRead: mine.rowsRead,
      baselineRowsRead: theirs.rowsRead,
      runs,
      processorMs: round((1000 * cost.cpuSeconds) / runs),
      baselineProcessorMs: round((1000 * baselineCost.cpuSeconds) / baselineRuns),
      othersBusyCores: round(cost.othersBusyCores),
      sameAnswer: mine.ids === theirs.ids,
    },
  };
}

async function example({ reader }: HistoryStore): Promise<Example> {
  const middle = `bucket_time BETWEEN fromUnixTimestamp64Milli(${FROM_MS + DAY_MS / 2}, 'UTC') AND fromUnixTimestamp64Milli(${FROM_MS + DAY_MS}, 'UTC')`;
  const sql = `SELECT toString(uuid) AS uuid, trace_id, replaceOne(IPv6NumToString(dst_ip), '::ffff:', '') AS server FROM flows WHERE ${middle} AND trace_id != '' ORDER BY bucket_time LIMIT 1`;
  return one<Example>(reader, sql);
}

async function run(size: BenchSize): Promise<readonly Result[]> {
  const say = (line: string): void => size.say(`filters: ${line}`);
  const history = await openHistoryStore({ ...size, say });
  try {
    const { reader, writer } = history;
    const { made } = await one<{ made: string }>(
      reader,
      "SELECT toString(count()) AS made FROM flows WHERE trace_id != ''",
    );
    // A store that was kept has them already.
    if (made === '0') for (let hour = 0; hour < 24; hour++) await command(writer, rareRows(hour));
    if (history.flows < MERGED_BELOW) await command(writer, 'OPTIMIZE TABLE flows FINAL');
    await settled(writer);
    const results: Result[] = [];
    for (const question of questions(await example(history))) {
      say(question.name);
      results.push(await ask(history, question));
    }
    return results;
  } finally {
    await history.close();
  }
}

/** Row 10: the last 20 flows of a day that pass one filter, beside the same statement ordered by time alone. */
export const filtersCase: BenchCase = {
  name: 'filters',
  figures: questions({ uuid: '', trace_id: '', server: '' }).map(({ name }) => `filter.${name}`),
  run,
};
