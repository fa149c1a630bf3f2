import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDrops } from './truth/drop-checks.js';
import { askDrops } from './truth/drop-question.js';
import { checkMap } from './truth/map-checks.js';
import { askMap } from './truth/map-truth.js';
import { checkRed } from './truth/red-checks.js';
import { askRed } from './truth/red-question.js';
import { RED_GROUPINGS } from './truth/red-truth.js';
import { SCENARIOS, SETUP_MS, windowInput, type Scenario } from './truth/scenarios.js';
import { startTruthPipeline, type TruthPipeline } from './truth/truth-pipeline.js';

const CHOSEN = SCENARIOS.filter(({ name }) => /aggregates/.test(name));

let pipeline: TruthPipeline;

beforeAll(async () => {
  pipeline = await startTruthPipeline(CHOSEN, 'json');
}, SETUP_MS);

afterAll(() => pipeline?.stop());

describe('an imported export file', () => {
  for (const scenario of CHOSEN) {
    checkRed(scenario, () => pipeline);
    checkDrops(scenario, () => pipeline);
    checkMap(scenario, () => pipeline);
  }
});

/** Answers to every question about a scenario, without what may differ: how long it took and how much was read. */
async function answersAbout(scenario: Scenario): Promise<unknown> {
  const { fromNs, toNs } = scenario;
  const window = { fromNs: fromNs + 1n, toNs: toNs - 1n };
  const rest = `query Rest($window: WindowInput) {
    nodes(window: $window) { cluster name flowsPerSecond eventsLost lastSeen }
    namespaces(window: $window) { cluster name flows drops lastSeen }
    coverage(window: $window) { status gaps { from to } eventsLostUpstream unaccounted watermark oldestKept }
    flows(window: $window, first: 500) { nodes { id uuid time weight summary } totalCount { value } }
  }`;
  return {
    red: await askRed(pipeline, { window, groupBy: RED_GROUPINGS.EDGE, step: '5m' }),
    drops: await askDrops(pipeline, { window, step: '5m' }),
    map: await askMap(pipeline, { window, collapse: 'WORKLOAD' }),
    rest: await pipeline.ask(rest, { window: windowInput(window) }),
  };
}

async function eventsInLog(): Promise<number> {
  let events = 0n;
  for (let partition = 0; partition < pipeline.log.partitions; partition++)
    events += (await pipeline.log.bounds(partition)).eventsBeforeEnd;
  return Number(events);
}

/** Ways to bring the same events once more; each says how many of them reach the log again. */
const AGAIN: readonly { readonly how: string; readonly bring: (scenario: Scenario) => Promise<number> }[] = [
  {
    how: 'as the same file',
    bring: async (scenario) => (await pipeline.importJson(pipeline.played(scenario).events)).appended,
  },
  { how: 'by the relay', bring: (scenario) => pipeline.feed(pipeline.played(scenario).events) },
  {
    how: 'by the relay, to a loader that has just started',
    bring: async (scenario) => {
      await pipeline.restartLoader();
      return pipeline.feed(pipeline.played(scenario).events);
    },
  },
  {
    how: 'as the same file, of which nothing is remembered',
    bring: async (scenario) =>
      (await pipeline.importJson(pipeline.played(scenario).events, { forget: true })).appended,
  },
];

describe.each(CHOSEN)('events that come again when $name', (scenario) => {
  it.each(AGAIN)('change no answer: $how', async ({ how, bring }) => {
    const before = await answersAbout(scenario);
    const logged = await eventsInLog();
    const sent = pipeline.played(scenario).events.length;
    expect(await bring(scenario)).toBe(how === 'as the same file' ? 0 : sent);
    await pipeline.loaded();
    expect((await eventsInLog()) - logged).toBe(how === 'as the same file' ? 0 : sent);
    expect(await answersAbout(scenario)).toEqual(before);
  });
});
