import type { ErrorRule, ExactStats } from './red-truth.js';
import { windowInput, type Span } from './scenarios.js';

/** Quantiles that every question asks for. */
export const QUANTILES = [0.5, 0.9, 0.95, 0.99, 1] as const;

const STATS = `requests denied errors errorRatio ratePerSecond avgMs maxMs reporter
  quantilesMs(q: [${QUANTILES.join(', ')}])`;

const QUESTION = `query Red($window: WindowInput, $filters: FlowFilters, $groupBy: [GroupBy!]!, $step: Duration,
  $limit: Int, $rule: ErrorRule!) {
  redMetrics(window: $window, filters: $filters, groupBy: $groupBy, step: $step, limit: $limit, errorRule: $rule) {
    step buckets groupCount
    total { ${STATS} }
    other { ${STATS} }
    groups { key { dimension side value } stats { ${STATS} } series { requests errors median: quantileMs(q: 0.5) } }
    answered { table exact resolution }
  }
}`;

/** One `RedStats` as asked for. */
export interface StatsAnswer extends ExactStats {
  readonly reporter: string;
  readonly quantilesMs: readonly (number | null)[];
}

/** The answer. */
export interface RedAnswer {
  readonly step: string | null;
  readonly buckets: readonly string[];
  readonly groupCount: number;
  readonly total: StatsAnswer;
  readonly other: StatsAnswer | null;
  readonly groups: readonly {
    readonly key: readonly { readonly value: string | null }[];
    readonly stats: StatsAnswer;
    readonly series: {
      readonly requests: readonly (number | null)[];
      readonly errors: readonly (number | null)[];
      readonly median: readonly (number | null)[];
    } | null;
  }[];
  readonly answered: { readonly table: string; readonly exact: boolean; readonly resolution: string | null };
}

/** A filter that every flow passes and no rollup can answer: which forces the raw rows. */
export const RAW_ONLY = { allow: [{ ipVersion: ['IP_NOT_USED', 'IPv4', 'IPv6'] }] };

/** What to ask. */
export interface RedQuestion {
  readonly window: Span;
  readonly filters?: object;
  readonly groupBy?: readonly object[];
  readonly step?: string;
  readonly limit?: number;
  readonly rule?: ErrorRule;
}

/** Whoever answers GraphQL. */
export interface Asked {
  ask<Data>(query: string, variables?: Readonly<Record<string, unknown>>): Promise<Data>;
}

/** Asks `redMetrics`. */
export async function askRed(api: Asked, question: RedQuestion): Promise<RedAnswer> {
  const { window, filters, groupBy = [], step, limit = 1000, rule = 'SERVER_FAULT' } = question;
  const variables = { window: windowInput(window), filters, groupBy, step, limit, rule };
  const { redMetrics } = await api.ask<{ redMetrics: RedAnswer }>(QUESTION, variables);
  return redMetrics;
}

/** Asks how many of a window's answers have no latency, as a share; null without answers. */
export async function askUnknownLatencyShare(api: Asked, window: Span): Promise<number | null> {
  const question = `query Unknown($window: WindowInput) {
    redMetrics(window: $window) { coverage { unknownLatencyShare } }
  }`;
  interface Answer {
    readonly redMetrics: { readonly coverage: { readonly unknownLatencyShare: number | null } };
  }
  const { redMetrics } = await api.ask<Answer>(question, { window: windowInput(window) });
  return redMetrics.coverage.unknownLatencyShare;
}

/** The numbers of an answer that must be equal to the truth. */
export function exactPart(stats: StatsAnswer): ExactStats {
  const { requests, denied, errors, errorRatio, ratePerSecond, avgMs, maxMs } = stats;
  return { requests, denied, errors, errorRatio, ratePerSecond, avgMs, maxMs };
}

/** Groups by the JSON text of their key values. */
export function byKey(answer: RedAnswer): ReadonlyMap<string, StatsAnswer> {
  return new Map(
    answer.groups.map(({ key, stats }) => [JSON.stringify(key.map((part) => part.value)), stats]),
  );
}
