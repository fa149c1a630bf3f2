import { afterAll, beforeAll } from 'vitest';
import { checkDrops } from './truth/drop-checks.js';
import { checkMap } from './truth/map-checks.js';
import { checkRed } from './truth/red-checks.js';
import { SCENARIOS, SETUP_MS } from './truth/scenarios.js';
import { startTruthPipeline, type TruthPipeline } from './truth/truth-pipeline.js';

/** Everything goes wrong at once, in two clusters. A file of its own: it is fast, and most mutants must fail here. */
const WORST = SCENARIOS.slice(-1);

let pipeline: TruthPipeline;

beforeAll(async () => {
  pipeline = await startTruthPipeline(WORST);
}, SETUP_MS);

afterAll(() => pipeline?.stop());

for (const scenario of WORST) {
  checkRed(scenario, () => pipeline);
  checkDrops(scenario, () => pipeline);
  checkMap(scenario, () => pipeline);
}
