import { startTestPipeline, type TestPipeline } from '@flowledger/testkit';
import type { SimulatedEvent } from '@flowledger/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askDrops, dropsByKey } from './truth/drop-question.js';
import { countedIn, DROP_GROUPINGS, dropGroups, weightOf } from './truth/drop-truth.js';
import { askMap, mapTruth } from './truth/map-truth.js';
import { maskFarEnd } from './truth/masked-ends.js';
import { RAW_ONLY } from './truth/red-question.js';
import { AFTERWARDS_MS, play, SCENARIOS, SETUP_MS, windowsOf, type Played } from './truth/scenarios.js';

const [SCENARIO] = SCENARIOS.filter(({ name }) => name.includes('nothing'));
if (SCENARIO === undefined) throw new Error('no scenario without faults');

let pipeline: TestPipeline;
let played: Played;
let masked = 0;

/** Every third event of a pod that runs elsewhere names it by its address only. */
function* partlyMasked(events: Iterable<SimulatedEvent>): Generator<SimulatedEvent> {
  let far = 0;
  for (const event of events) {
    const without = maskFarEnd(event);
    if (without === undefined || ++far % 3 !== 0) yield event;
    else {
      masked++;
      yield without;
    }
  }
}

beforeAll(async () => {
  played = play(SCENARIO);
  pipeline = await startTestPipeline({ nowMs: AFTERWARDS_MS });
  await pipeline.feed(partlyMasked(played.events));
  await pipeline.loaded();
}, SETUP_MS);

afterAll(() => pipeline?.stop());

describe('workloads of pods that a third of the flows name by address only', () => {
  it('are the groups of drops that really happened, in any window, from rollups and from raw rows', async () => {
    expect(masked).toBeGreaterThan(1000);
    const tables = new Set<string>();
    for (const window of windowsOf(SCENARIO)) {
      const truth = countedIn(played.calls, window, 'drop');
      for (const filters of [{}, { filters: RAW_ONLY }]) {
        const answer = await askDrops(pipeline, { window, groupBy: DROP_GROUPINGS.WORKLOADS, ...filters });
        expect(dropsByKey(answer)).toEqual(dropGroups(truth, 'WORKLOADS'));
        expect(answer.total).toBe(weightOf(truth));
        tables.add(answer.answered.table);
      }
    }
    expect(tables).toContain('drops_1m+flows+endpoints');
  });

  it('are the ends of the edges that there really were, with their drops', async () => {
    const dropsOf = (edges: ReadonlyMap<string, { readonly drops: number }>) =>
      new Map([...edges].map(([edge, { drops }]) => [edge, drops]));
    const truth = mapTruth(played.calls, SCENARIO, 'WORKLOAD');
    for (const filters of [{}, { filters: RAW_ONLY }]) {
      const { edges, table } = await askMap(pipeline, { window: SCENARIO, collapse: 'WORKLOAD', ...filters });
      expect(table).toBe('filters' in filters ? 'flows+endpoints' : 'edges_1h+edges_1m+flows+endpoints');
      expect(dropsOf(edges)).toEqual(dropsOf(truth));
    }
  });
});
