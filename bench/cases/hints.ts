import type { ColumnStore } from '@flowledger/column-store';
import {
  DEFAULT_LIMITS,
  searchHints,
  type FlowFilters,
  type HintRow,
  type HintsPlan,
  type HintsRequest,
  type QueryContext,
} from '@flowledger/query';
import { DAY_MS, FROM_MS, openHistoryStore, type HistoryStore } from '../history-store.js';
import { percentile, round, type BenchCase, type BenchSize, type Result } from '../result.js';

const TARGET_MS = 1500;
const RUNS = 11;
const NS = 1_000_000n;
const KEPT_NS = BigInt(20_000 * DAY_MS) * NS;
const CONTEXT: QueryContext = {
  tenant: 'default',
  nowNs: BigInt(FROM_MS + DAY_MS) * NS,
  limits: DEFAULT_LIMITS,
  retention: { rawNs: KEPT_NS, minuteNs: KEPT_NS, hourNs: KEPT_NS },
};
const WINDOW = { fromNs: BigInt(FROM_MS) * NS, toNs: BigInt(FROM_MS + DAY_MS) * NS };

interface Question {
  readonly name: string;
  readonly field: string;
  readonly filters: FlowFilters | null;
}

/** What somebody types into: without other filters, and under one that few flows pass. */
const QUESTIONS: readonly Question[] = [
  { name: 'verdict', field: 'verdict', filters: null },
  { name: 'pod', field: 'sourcePod', filters: null },
  { name: 'pod_of_drops', field: 'sourcePod', filters: { allow: [{ verdict: ['DROPPED'] }] } },
  { name: 'port_of_namespace', field: 'destinationPort', filters: { allow: [{ sourcePod: ['team-12/'] }] } },
];

/** One list of values as the API asks for it; tells which part of the day was read. */
async function hints(store: ColumnStore, request: HintsRequest): Promise<number> {
  const searched = await searchHints(request, CONTEXT, ({ plan }) => store.query<HintRow>(plan));
  if (!searched.ok) throw new Error(`refused: ${JSON.stringify(searched.error)}`);
  const width = ({ window }: HintsPlan): number => Number(window.toNs - window.fromNs);
  return width(searched.value.plan) / width(searched.value.whole);
}

async function ask({ reader, flows }: HistoryStore, { name, field, filters }: Question): Promise<Result> {
  const millis: number[] = [];
  let part = 1;
  for (let n = 0; n < RUNS; n++) {
    const began = performance.now();
    part = await hints(reader, { field, filters, window: WINDOW });
    millis.push(performance.now() - began);
  }
  const value = percentile(millis.slice(1), 0.95);
  return {
    name: `hints.${name}`,
    value: round(value),
    unit: 'ms p95',
    baseline: null,
    ratio: null,
    target: `p95 <= ${TARGET_MS} ms, while somebody types`,
    ok: value <= TARGET_MS,
    detail: { flows, p50: round(percentile(millis.slice(1), 0.5)), partOfDay: round(part), runs: RUNS },
  };
}

async function run(size: BenchSize): Promise<readonly Result[]> {
  const say = (line: string): void => size.say(`hints: ${line}`);
  const history = await openHistoryStore({ ...size, say });
  try {
    const results: Result[] = [];
    for (const question of QUESTIONS) {
      say(question.name);
      results.push(await ask(history, question));
    }
    return results;
  } finally {
    await history.close();
  }
}

/** Values of a filter field under the current filters (`filterHints`), over a day. */
export const hintsCase: BenchCase = {
  name: 'hints',
  figures: QUESTIONS.map(({ name }) => `hints.${name}`),
  notInQuick: true,
  run,
};
