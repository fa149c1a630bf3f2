import { readRanked } from '../group/ranked-groups.js';
import type { RankedAnswer, RankedRow } from '../group/ranked-groups.js';
import type { RankedPlan } from '../group/ranked-question.js';
import type { Missing } from '../missing.js';
import { addHistograms } from '../red/latency-histogram.js';
import type { LatencyHistogram } from '../red/latency-histogram.js';

const NO_ERROR = 0;
const SERVER_FAILURE = 2;
const NAME_ERROR = 3;

/** Numbers of a set of DNS queries. */
export interface DnsStats {
  /** Queries that a proxy let pass. */
  readonly queries: bigint;
  readonly answers: bigint;
  readonly nxdomain: bigint;
  readonly servfail: bigint;
  /** Answers with any other error. */
  readonly otherErrors: bigint;
  /** Queries that a DNS policy refused. */
  readonly denied: bigint;
  /** Queries without an answer until five seconds after the window. */
  readonly unanswered: bigint;
  /** Answers by response code. */
  readonly rcodes: ReadonlyMap<number, bigint>;
  /** Latencies that the source knew; empty with Hubble, which measures none for DNS. */
  readonly histogram: LatencyHistogram;
}

/** Answer to a DNS question: total = sum of groups + other. */
export interface DnsAnswer extends RankedAnswer<DnsStats> {
  readonly missing: readonly Missing[];
}

function sum(rows: readonly RankedRow[], column: string): bigint {
  return rows.reduce((total, row) => total + BigInt(String(row[column] ?? '0')), 0n);
}

function mapOf(row: RankedRow, keys: string, values: string): ReadonlyMap<number, bigint> {
  const [numbers, counts] = [row[keys], row[values]];
  if (!Array.isArray(numbers) || !Array.isArray(counts)) return new Map();
  return new Map(numbers.map((number, index) => [Number(number), BigInt(String(counts[index] ?? '0'))]));
}

function statsOf(rows: readonly RankedRow[]): DnsStats {
  const rcodes = addHistograms(rows.map((row) => mapOf(row, 'rcode_numbers', 'rcode_counts')));
  const of = (rcode: number): bigint => rcodes.get(rcode) ?? 0n;
  const answers = sum(rows, 'answers');
  return {
    queries: sum(rows, 'queries'),
    answers,
    nxdomain: of(NAME_ERROR),
    servfail: of(SERVER_FAILURE),
    otherErrors: answers - of(NO_ERROR) - of(NAME_ERROR) - of(SERVER_FAILURE),
    denied: sum(rows, 'denied'),
    unanswered: sum(rows, 'unanswered'),
    rcodes,
    histogram: addHistograms(rows.map((row) => mapOf(row, 'histogram_buckets', 'histogram_counts'))),
  };
}

/** Turns the rows of a planned DNS question into its answer. */
export function readDns(rows: readonly RankedRow[], planned: RankedPlan): DnsAnswer {
  const answer = readRanked(rows, planned.keys, statsOf);
  const unknown = answer.total.answers > 0n && answer.total.histogram.size === 0;
  const missing: readonly Missing[] = unknown
    ? [
        {
          path: 'total.latencyMs',
          reason: 'NOT_MEASURED_BY_SOURCE',
          hint: 'Hubble measures no latency of DNS (hubble note 1.6)',
        },
      ]
    : [];
  return { ...answer, missing };
}
