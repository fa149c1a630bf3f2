import { afterAll, beforeAll } from 'vitest';
import { checkDrops } from './truth/drop-checks.js';
import { checkMap } from './truth/map-checks.js';
import { checkRed } from './truth/red-checks.js';
import { SCENARIOS, SETUP_MS } from './truth/scenarios.js';
import { startTruthPipeline, type TruthPipeline } from './truth/truth-pipeline.js';

let pipeline: TruthPipeline;

beforeAll(async () => {
  pipeline = await startTruthPipeline(SCENARIOS);
}, SETUP_MS);

afterAll(() => pipeline?.stop());

for (const scenario of SCENARIOS) {
  checkRed(scenario, () => pipeline);
  checkDrops(scenario, () => pipeline);
  checkMap(scenario, () => pipeline);
}
