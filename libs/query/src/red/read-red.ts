import { groupId, keyParts } from '../group/dimensions.js';
import type { KeyPart } from '../group/dimensions.js';
import type { Missing } from '../missing.js';
import { bucketIndex } from '../series.js';
import type { LatencyHistogram } from './latency-histogram.js';
import type { ErrorRule, RedPlan } from './plan-red.js';
import { addSums, sumsOf, sumsOfRows } from './red-sums.js';
import type { Sums } from './red-sums.js';

/** A row of the RED statement: one group (rank 0 = all others) and one step. */
export interface RedRow {
  readonly group_rank: number | string;
  readonly step_number: string;
  readonly last_position: number | string;
  readonly requests: string;
  readonly denied: string;
  readonly faults: string;
  readonly failures: string;
  readonly server_requests: string;
  readonly http_requests: string;
  readonly latency_known: string;
  readonly latency_sum_ns: string;
  readonly latency_max_ns: string;
  /** 1 when a report of neither side is among them. */
  readonly unsided: number;
  readonly histogram_buckets: readonly number[];
  readonly histogram_counts: readonly string[];
  readonly [key: `shown_key_${number}`]: string;
  readonly [inferred: `shown_inferred_${number}`]: number | undefined;
  readonly [unnamed: `shown_unnamed_${number}`]: number | undefined;
}

/** Numbers of a set of calls. Null = unknown, 0 = measured zero. */
export interface RedStats {
  readonly requests: bigint;
  readonly denied: bigint;
  readonly errors: bigint;
  /** Errors by calls of the rule; null without calls. */
  readonly errorRatio: number | null;
  readonly ratePerSecond: number;
  /** Over known latencies only; null when none is known. */
  readonly avgMs: number | null;
  readonly maxMs: number | null;
  /** For `quantileMs`. */
  readonly histogram: LatencyHistogram;
  /** Share of answers without latency; null without answers. */
  readonly unknownLatencyShare: number | null;
  /** Share of HTTP answers with latency; null without HTTP answers. */
  readonly knownLatencyShare: number | null;
  /** Which side's reports were counted: `server`, `client`, `mixed`, or `none`. */
  readonly reporter: string;
}

/** Parallel arrays, one value a bucket; null in buckets that have not begun. */
export interface RedSeries {
  readonly requests: readonly (bigint | null)[];
  readonly errors: readonly (bigint | null)[];
  readonly histograms: readonly LatencyHistogram[];
}

/** One group, best first. */
export interface RedGroup {
  readonly key: readonly KeyPart[];
  readonly id: string;
  readonly stats: RedStats;
  readonly series: RedSeries | null;
}

/** Answer to a RED question: total = sum of groups + other, and every group = sum of its buckets. */
export interface RedAnswer {
  readonly stepNs: bigint | null;
  readonly buckets: readonly bigint[];
  readonly total: RedStats;
  readonly groups: readonly RedGroup[];
  /** Null when no group was left out. */
  readonly other: RedStats | null;
  readonly groupCount: number;
  readonly missing: readonly Missing[];
}

function errorsOf(sums: Sums, rule: ErrorRule): bigint {
  return rule === 'SERVER_FAULT' ? sums.faults : sums.failures + sums.denied;
}

function reporterOf(sums: Sums): string {
  if (sums.requests === 0n) return 'none';
  if (sums.serverRequests === 0n) return 'client';
  return sums.serverRequests === sums.requests ? 'server' : 'mixed';
}

/** Length of the window as far as it has happened; a window that lies ahead counts whole. */
function elapsedSeconds({ window, nowNs }: RedPlan): number {
  const ahead = nowNs <= window.fromNs || nowNs >= window.toNs;
  return Number((ahead ? window.toNs : nowNs) - window.fromNs) / 1e9;
}

/** Adds the sums of rows and derives the numbers that people read. */
export function redStats(rows: readonly RedRow[], planned: RedPlan): RedStats {
  return statsOf(sumsOfRows(rows), planned);
}

function statsOf(sums: Sums, planned: RedPlan): RedStats {
  const errors = errorsOf(sums, planned.errorRule);
  const calls = planned.errorRule === 'ANY_FAILURE' ? sums.requests + sums.denied : sums.requests;
  const known = Number(sums.latencyKnown);
  return {
    requests: sums.requests,
    denied: sums.denied,
    errors,
    errorRatio: calls === 0n ? null : Number(errors) / Number(calls),
    ratePerSecond: Number(sums.requests) / elapsedSeconds(planned),
    avgMs: known === 0 ? null : Number(sums.latencySumNs) / known / 1e6,
    maxMs: known === 0 ? null : Number(sums.latencyMaxNs) / 1e6,
    histogram: sums.histogram,
    unknownLatencyShare: sums.requests === 0n ? null : 1 - known / Number(sums.requests),
    knownLatencyShare: sums.httpRequests === 0n ? null : Math.min(1, known / Number(sums.httpRequests)),
    reporter: reporterOf(sums),
  };
}

function seriesOf(rows: readonly RedRow[], planned: RedPlan): RedSeries | null {
  const { grid } = planned;
  if (grid === null) return null;
  const begun = (index: number): boolean => (grid.starts[index] ?? 0n) < planned.nowNs;
  const requests = grid.starts.map((_, index): bigint | null => (begun(index) ? 0n : null));
  const errors = [...requests];
  const histograms = grid.starts.map((): LatencyHistogram => new Map());
  for (const row of rows) {
    const index = bucketIndex(grid, BigInt(row.step_number));
    const sums = sumsOf(row);
    requests[index] = sums.requests;
    errors[index] = errorsOf(sums, planned.errorRule);
    histograms[index] = sums.histogram;
  }
  return { requests, errors, histograms };
}

/** Why a set of answers has no latency; undefined when it has one, or no answers. */
function noLatency(path: string, sums: Sums): Missing | undefined {
  if (sums.requests === 0n)
    return { path, reason: 'NO_DATA_IN_BUCKET', hint: 'all calls were denied, so none was answered' };
  if (sums.latencyKnown !== 0n) return undefined;
  return sums.httpRequests === 0n
    ? { path, reason: 'PROTOCOL_HAS_NONE', hint: 'Hubble never measures the latency of DNS and Kafka' }
    : {
        path,
        reason: 'NOT_MEASURED_BY_SOURCE',
        hint: 'Hubble measures HTTP latency only where requests carry X-Request-Id',
      };
}

function missingOf(total: Sums, groups: readonly Sums[]): readonly Missing[] {
  if (total.requests === 0n)
    return [
      {
        path: 'total',
        reason: 'NO_L7_VISIBILITY',
        hint: 'no L7 answers in the window: enable L7 visibility by an L7 policy, Ingress or Gateway, or widen the window or the filters',
      },
    ];
  const found = [
    noLatency('total.quantilesMs', total),
    ...groups.map((sums, index) => noLatency(`groups[${index}].stats.quantilesMs`, sums)),
  ];
  return found.filter((one) => one !== undefined);
}

function groupRows(rows: readonly RedRow[]): ReadonlyMap<number, readonly RedRow[]> {
  const byRank = new Map<number, RedRow[]>();
  for (const row of rows) {
    const rank = Number(row.group_rank);
    const list = byRank.get(rank);
    if (list === undefined) byRank.set(rank, [row]);
    else list.push(row);
  }
  return byRank;
}

function redGroup(rows: readonly RedRow[], sums: Sums, planned: RedPlan): RedGroup {
  const texts = planned.keys.map((_, index) => rows[0]?.[`shown_key_${index + 1}`] ?? '');
  return {
    key: keyParts(planned.keys, texts, rows),
    id: groupId(texts),
    stats: statsOf(sums, planned),
    series: seriesOf(rows, planned),
  };
}

/** Whether reports of neither side were found by a statement that does not reckon with them. */
export function isUnsided({ question }: RedPlan, rows: readonly RedRow[]): boolean {
  return question.unsided !== true && rows.some((row) => row.unsided === 1);
}

/** Turns the rows of a planned RED question into its answer. Throws when `refineRed` was not asked and would have planned again. */
export function readRed(rows: readonly RedRow[], planned: RedPlan): RedAnswer {
  if (isUnsided(planned, rows)) throw new TypeError('reports of neither side: ask refineRed first');
  const all = [...groupRows(rows)].map(([rank, list]) => ({ rank, list, sums: sumsOfRows(list) }));
  const ranked = all.filter(({ rank }) => rank !== 0).toSorted((a, b) => a.rank - b.rank);
  const total = addSums(all.map(({ sums }) => sums));
  const other = all.find(({ rank }) => rank === 0);
  return {
    stepNs: planned.grid?.stepNs ?? null,
    buckets: planned.grid?.starts ?? [],
    total: statsOf(total, planned),
    groups: ranked.map(({ list, sums }) => redGroup(list, sums, planned)),
    other: other === undefined ? null : statsOf(other.sums, planned),
    groupCount: rows.reduce((count, row) => Math.max(count, Number(row.last_position)), 0),
    missing: missingOf(
      total,
      ranked.map(({ sums }) => sums),
    ),
  };
}
