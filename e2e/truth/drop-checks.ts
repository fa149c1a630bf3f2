import { describe, expect, it } from 'vitest';
import { askDrops, dropsByKey } from './drop-question.js';
import { countedIn, DROP_GROUPINGS, DROP_KEYS, dropGroups, weightOf } from './drop-truth.js';
import { RAW_ONLY } from './red-question.js';
import { MINUTE_NS, spansOf, timeText, windowsOf, type Scenario } from './scenarios.js';
import type { TruthPipeline } from './truth-pipeline.js';

const GROUPINGS = Object.keys(DROP_KEYS) as readonly (keyof typeof DROP_KEYS)[];

/** What `drops` must say about a scenario. */
export function checkDrops(scenario: Scenario, pipeline: () => TruthPipeline): void {
  describe(`drops when ${scenario.name}`, () => {
    const calls = () => pipeline().played(scenario).calls;

    it('counts dropped and audited packets once, in any window, from rollups and from raw rows', async () => {
      for (const window of windowsOf(scenario)) {
        const drops = countedIn(calls(), window, 'drop');
        const audited = weightOf(countedIn(calls(), window, 'audit'));
        for (const filters of [{}, { filters: RAW_ONLY }]) {
          const answer = await askDrops(pipeline(), { window, ...filters });
          const about = `${timeText(window.fromNs)} ${answer.answered.table}`;
          expect({ total: answer.total, audited: answer.audited, other: answer.other }, about).toEqual({
            total: weightOf(drops),
            audited,
            other: 0,
          });
          expect(dropsByKey(answer), about).toEqual(dropGroups(drops, 'REASON'));
          const wholeMinute = window.toNs - window.fromNs > 2n * MINUTE_NS;
          expect(answer.answered.table.includes('drops_1m'), about).toBe(
            wholeMinute && !('filters' in filters),
          );
        }
      }
      expect(weightOf(countedIn(calls(), scenario, 'drop'))).toBeGreaterThan(100);
      expect(weightOf(countedIn(calls(), scenario, 'audit'))).toBeGreaterThan(10);
      // What must not be counted was there: policy verdicts beside refused packets, and requests refused by proxies.
      expect(weightOf(countedIn(calls(), scenario, 'denied-verdict'))).toBeGreaterThan(50);
      expect(weightOf(countedIn(calls(), scenario, 'l7-denied'))).toBeGreaterThan(10);
    });

    it.each(GROUPINGS)('says the truth about every group by %s', async (by) => {
      for (const window of windowsOf(scenario).slice(1, 2)) {
        const truth = dropGroups(countedIn(calls(), window, 'drop'), by);
        for (const filters of [{}, { filters: RAW_ONLY }]) {
          const answer = await askDrops(pipeline(), { window, groupBy: DROP_GROUPINGS[by], ...filters });
          expect(dropsByKey(answer)).toEqual(truth);
          expect(answer.groupCount).toBe(truth.size);
        }
      }
    });

    it('says the truth about every bucket of a series', async () => {
      for (const window of windowsOf(scenario).slice(1, 2)) {
        const { groups } = await askDrops(pipeline(), { window, step: '5m' });
        const spans = spansOf(window, 5n * MINUTE_NS);
        const truth = spans.map((span) => dropGroups(countedIn(calls(), span, 'drop'), 'REASON'));
        for (const { key, series } of groups) {
          const text = JSON.stringify(key.map((part) => part.value));
          expect(series, text).toEqual(truth.map((bucket) => bucket.get(text)?.count ?? 0));
        }
        expect(groups.length).toBeGreaterThan(3);
      }
    });
  });
}
