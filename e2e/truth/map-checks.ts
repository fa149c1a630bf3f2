import { describe, expect, it } from 'vitest';
import { askMap, mapTruth } from './map-truth.js';
import { RAW_ONLY } from './red-question.js';
import { timeText, windowsOf, type Scenario } from './scenarios.js';
import type { TruthPipeline } from './truth-pipeline.js';

/** What the service map must say about a scenario. */
export function checkMap(scenario: Scenario, pipeline: () => TruthPipeline): void {
  describe(`the service map when ${scenario.name}`, () => {
    it.each(['WORKLOAD', 'NAMESPACE'] as const)(
      'says the truth about connections, RED and drops of every edge between %ss',
      async (collapse) => {
        const { calls } = pipeline().played(scenario);
        for (const window of windowsOf(scenario).slice(0, collapse === 'WORKLOAD' ? 3 : 1)) {
          const truth = mapTruth(calls, window, collapse);
          for (const filters of [{}, { filters: RAW_ONLY }]) {
            const { edges, table } = await askMap(pipeline(), { window, collapse, ...filters });
            expect(edges, `${timeText(window.fromNs)} ${table}`).toEqual(truth);
            expect(table.includes('edges_1')).toBe(!('filters' in filters));
          }
        }
      },
    );
  });
}
