import {
  quantileMs,
  type Missing,
  type RedGroup,
  type RedSeries,
  type RedStats,
  type Window,
} from '@flowledger/query';
import { requestError } from '../errors/request-error.js';
import { exactCount } from './counts.js';

const MAX_QUANTILES = 20;

/** `RedStats` of the schema; `confidence` is worked out from the coverage of `window` when asked for. */
export function statsView(stats: RedStats, path: string, missing: Missing[], window: Window) {
  return {
    requests: stats.requests,
    denied: stats.denied,
    ratePerSecond: stats.ratePerSecond,
    errors: exactCount(stats.errors, `${path}.errors`, missing),
    errorRatio: stats.errorRatio,
    avgMs: stats.avgMs,
    maxMs: stats.maxMs,
    reporter: stats.reporter,
    stats,
    window,
    histogram: stats.histogram,
  };
}

/** `RedSeries` of the schema. */
export function seriesView(series: RedSeries, path: string, missing: Missing[]) {
  return {
    requests: series.requests.map((value) => exactCount(value, `${path}.requests`, missing)),
    errors: series.errors.map((value) => exactCount(value, `${path}.errors`, missing)),
    histograms: series.histograms,
  };
}

/** `RedGroup` of the schema. */
export function redGroupView(group: RedGroup, path: string, missing: Missing[], window: Window) {
  return {
    key: group.key,
    id: group.id,
    stats: statsView(group.stats, `${path}.stats`, missing, window),
    series: group.series === null ? null : seriesView(group.series, `${path}.series`, missing),
  };
}

/** Quantiles of a histogram, ms; null where no duration is known. Throws BAD_REQUEST outside 0..1. */
export function quantiles(
  histogram: RedStats['histogram'],
  wanted: readonly number[],
): readonly (number | null)[] {
  if (wanted.length > MAX_QUANTILES || wanted.some((q) => !(q >= 0 && q <= 1))) {
    throw requestError('BAD_REQUEST', `q: at most ${MAX_QUANTILES} numbers from 0 to 1`, { field: 'q' });
  }
  return wanted.map((q) => quantileMs(histogram, q));
}
