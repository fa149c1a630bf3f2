import { describe, expect, it } from 'vitest';
import { lossesOf, outagesOf } from './inventory-truth.js';
import { linesIn, type Line } from './record-truth.js';
import { MINUTE_NS, timeNs, windowInput, windowsOf, type Scenario, type Span } from './scenarios.js';
import type { TruthPipeline } from './truth-pipeline.js';

/** The pipeline, and what was fed into it as lines of export files. */
export interface Facts {
  readonly pipeline: TruthPipeline;
  readonly lines: ReadonlyMap<Scenario, readonly Line[]>;
}

interface Coverage {
  readonly status: string;
  readonly gaps: readonly {
    readonly from: string;
    readonly to: string;
    readonly cluster: string;
    readonly node: string | null;
    readonly cause: string;
    readonly lost: number | null;
  }[];
  readonly watermark: string;
  readonly eventsLostUpstream: number;
  readonly nodesReporting: number;
  readonly unaccounted: number;
  readonly repairing: boolean;
}

async function coverage(pipeline: TruthPipeline, window: Span): Promise<Coverage> {
  const query = `query Coverage($window: WindowInput) {
    coverage(window: $window) {
      status gaps { from to cluster node cause lost } watermark eventsLostUpstream nodesReporting unaccounted repairing
    }
  }`;
  const answer = await pipeline.ask<{ coverage: Coverage }>(query, { window: windowInput(window) });
  return answer.coverage;
}

/** What `coverage` must say about a scenario. */
export function checkCoverage(scenario: Scenario, facts: () => Facts): void {
  describe(`coverage when ${scenario.name}`, () => {
    it('tells what was lost, when and where, and that the rest is accounted for', async () => {
      const { pipeline, lines } = facts();
      for (const window of windowsOf(scenario).slice(0, 2)) {
        const known = linesIn(lines.get(scenario) ?? [], window);
        const answer = await coverage(pipeline, window);
        const losses = lossesOf(known);
        const lost = losses.reduce((sum, one) => sum + one.count, 0);
        expect(answer).toMatchObject({ eventsLostUpstream: lost, unaccounted: 0, repairing: false });
        const gaps = answer.gaps.filter(({ cause }) => cause === 'RING_BUFFER_LOST');
        expect(gaps.reduce((sum, gap) => sum + (gap.lost ?? 0), 0)).toBe(lost);
        for (const loss of losses) {
          const covers = gaps.some(
            (gap) =>
              `${gap.cluster}/${gap.node}` === loss.node &&
              timeNs(gap.from) <= loss.firstNs &&
              loss.lastNs < timeNs(gap.to),
          );
          expect(covers, `${loss.node} ${loss.firstNs}`).toBe(true);
        }
        if (scenario.name.includes('nothing')) expect(answer).toMatchObject({ status: 'COMPLETE', gaps: [] });
        else expect(answer.status).toBe('PARTIAL');
      }
    });

    it('tells which nodes were out of reach, and when', async () => {
      const { pipeline, lines } = facts();
      const answer = await coverage(pipeline, scenario);
      const gaps = answer.gaps
        .filter(({ cause }) => cause === 'NODE_UNAVAILABLE')
        .map((gap) => `${gap.cluster}/${gap.node} ${timeNs(gap.from)} ${timeNs(gap.to)}`);
      const outages = outagesOf(linesIn(lines.get(scenario) ?? [], scenario)).map(
        ({ node, fromNs, toNs }) => `${node} ${fromNs} ${toNs ?? scenario.toNs}`,
      );
      expect(gaps.toSorted()).toEqual(outages.toSorted());
      if (/reach|everything/.test(scenario.name)) expect(outages.length).toBeGreaterThan(2);
    });
  });
}

/** What `coverage` must say about the newest flows of all. */
export function checkReach(scenarios: readonly Scenario[], facts: () => Facts): void {
  describe('coverage of everything', () => {
    it('tells how far the flows reach', async () => {
      const { pipeline, lines } = facts();
      const all = [...lines.values()].flat().filter(({ flow }) => flow !== undefined);
      const newest = all.reduce((max, { timeNs: at }) => (at > max ? at : max), 0n);
      const last = scenarios.at(-1);
      if (last === undefined) throw new Error('no scenario');
      const answer = await coverage(pipeline, last);
      expect(timeNs(answer.watermark)).toBe(newest);
      const tail = { fromNs: last.toNs - 15n * MINUTE_NS, toNs: last.toNs };
      const nodes = linesIn(lines.get(last) ?? [], tail).filter(({ flow }) => flow !== undefined);
      expect(answer.nodesReporting).toBe(new Set(nodes.map(({ node }) => node)).size);
    });
  });
}
