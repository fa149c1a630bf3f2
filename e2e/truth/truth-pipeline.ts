import { startTestPipeline, type TestPipeline } from '@flowledger/testkit';
import { AFTERWARDS_MS, play, type Played, type Scenario } from './scenarios.js';

/** A pipeline that holds scenarios, and what really happened in them. */
export interface TruthPipeline extends TestPipeline {
  /** What was played of a scenario. */
  played(scenario: Scenario): Played;
}

/** Starts a pipeline and loads scenarios into it, as a relay sends them or as export files. */
export async function startTruthPipeline(
  scenarios: readonly Scenario[],
  source: 'wire' | 'json' = 'wire',
): Promise<TruthPipeline> {
  const pipeline = await startTestPipeline({ nowMs: AFTERWARDS_MS });
  try {
    const runs = await load(pipeline, scenarios, source);
    return {
      ...pipeline,
      played: (scenario) => {
        const run = runs.get(scenario);
        if (run === undefined) throw new Error(`${scenario.name} was not loaded`);
        return run;
      },
    };
  } catch (error) {
    await pipeline.stop();
    throw error;
  }
}

async function load(
  pipeline: TestPipeline,
  scenarios: readonly Scenario[],
  source: 'wire' | 'json',
): Promise<ReadonlyMap<Scenario, Played>> {
  const runs = new Map<Scenario, Played>();
  for (const scenario of scenarios) {
    const run = play(scenario);
    runs.set(scenario, run);
    if (source === 'wire') await pipeline.feed(run.events);
    else await pipeline.importJson(run.events);
  }
  await pipeline.loaded();
  return runs;
}
