import { describe, expect, it } from 'vitest';
import {
  askRed,
  askUnknownLatencyShare,
  byKey,
  exactPart,
  QUANTILES,
  RAW_ONLY,
  type RedQuestion,
  type StatsAnswer,
} from './red-question.js';
import {
  exactQuantileMs,
  exactStats,
  RED_GROUPINGS,
  RED_KEYS,
  redGroups,
  redTotal,
  reporters,
  type RedTruth,
} from './red-truth.js';
import { MINUTE_NS, spansOf, timeText, windowsOf, type Scenario, type Span } from './scenarios.js';
import type { TruthPipeline } from './truth-pipeline.js';

/** What the histogram may be off by: base 2^(1/16), worst case (base - 1) / (base + 1). */
const QUANTILE_ERROR = 0.022;
const GROUPINGS = Object.keys(RED_KEYS) as readonly (keyof typeof RED_KEYS)[];
const RULES = ['SERVER_FAULT', 'ANY_FAILURE'] as const;

function expectQuantiles(stats: StatsAnswer, truth: RedTruth, about: string): void {
  for (const [index, q] of QUANTILES.entries()) {
    const exact = exactQuantileMs(truth, q);
    const given = stats.quantilesMs[index] ?? null;
    if (exact === null || given === null) expect(given, `${about} q${q}`).toBe(exact);
    else
      expect(Math.abs(given - exact) / exact, `${about} q${q}: ${given} for ${exact}`).toBeLessThan(
        QUANTILE_ERROR,
      );
  }
}

function startOf(stepNs: bigint): (span: Span) => bigint {
  return ({ fromNs }) => fromNs - (fromNs % stepNs);
}

/** What RED must say about a scenario. */
export function checkRed(scenario: Scenario, pipeline: () => TruthPipeline): void {
  describe(`RED when ${scenario.name}`, () => {
    const calls = () => pipeline().played(scenario).calls;

    it('says the truth about all calls together, in any window, from rollups and from raw rows', async () => {
      for (const [index, window] of windowsOf(scenario).entries()) {
        const truth = redTotal(calls(), window);
        for (const rule of index < 2 ? RULES : RULES.slice(0, 1)) {
          const expected = exactStats(truth, rule, window);
          for (const filters of [undefined, RAW_ONLY]) {
            const question: RedQuestion = { window, rule, ...(filters === undefined ? {} : { filters }) };
            const { total, answered } = await askRed(pipeline(), question);
            const about = `${timeText(window.fromNs)} ${rule} ${answered.table}`;
            expect(exactPart(total), about).toEqual(expected);
            expectQuantiles(total, truth, about);
            expect(answered.exact, about).toBe(true);
            if (filters !== undefined) expect(answered.table).toBe('flows');
          }
        }
      }
      expect(redTotal(calls(), scenario).requests).toBeGreaterThan(500);
    });

    it.each(GROUPINGS)('says the truth about every group by %s', async (by) => {
      for (const window of windowsOf(scenario).slice(1, 2)) {
        const truth = redGroups(calls(), window, by);
        const expected = new Map(
          [...truth].map(([key, one]) => [key, exactStats(one, 'SERVER_FAULT', window)]),
        );
        for (const filters of [undefined, RAW_ONLY]) {
          const groupBy = RED_GROUPINGS[by];
          const answer = await askRed(pipeline(), {
            window,
            groupBy,
            ...(filters === undefined ? {} : { filters }),
          });
          const groups = byKey(answer);
          expect(new Map([...groups].map(([key, stats]) => [key, exactPart(stats)]))).toEqual(expected);
          for (const [key, stats] of groups)
            expectQuantiles(stats, truth.get(key) ?? redTotal([], window), key);
          expect(answer.other).toBeNull();
          expect(answer.groupCount).toBe(truth.size);
          if (by === 'EDGE') {
            const given = new Map([...groups].map(([key, { reporter }]) => [key, reporter]));
            expect(given).toEqual(reporters(calls(), truth));
          }
        }
      }
    });

    it('discloses the share of answers whose latency nobody knows', async () => {
      for (const window of windowsOf(scenario).slice(1, 3)) {
        const { requests, unknownLatency } = redTotal(calls(), window);
        const share = await askUnknownLatencyShare(pipeline(), window);
        expect(share).toBeCloseTo(unknownLatency / requests, 12);
        expect(unknownLatency).toBeGreaterThan(0);
      }
    });

    it('says the truth about every bucket of a series', async () => {
      const [, window] = windowsOf(scenario);
      if (window === undefined) throw new Error('no window');
      for (const [step, stepNs] of [
        ['5m', 5n * MINUTE_NS],
        ['1h', 60n * MINUTE_NS],
      ] as const) {
        const { buckets, groups } = await askRed(pipeline(), { window, step });
        const spans = spansOf(window, stepNs);
        expect(buckets.map((text) => BigInt(Date.parse(text)) * 1_000_000n)).toEqual(
          spans.map(startOf(stepNs)),
        );
        const truths = spans.map((span) => redTotal(calls(), span));
        const [line] = groups;
        expect(line?.series?.requests).toEqual(truths.map((truth) => truth.requests));
        expect(line?.series?.errors).toEqual(truths.map((truth) => truth.faults));
        for (const [index, truth] of truths.entries()) {
          const exact = exactQuantileMs(truth, 0.5) ?? Number.NaN;
          const given = line?.series?.median[index] ?? Number.NaN;
          expect(Math.abs(given - exact) / exact, buckets[index]).toBeLessThan(QUANTILE_ERROR);
        }
      }
    });
  });
}
