import { afterAll, beforeAll } from 'vitest';
import { checkDrops } from './truth/drop-checks.js';
import { checkMap } from './truth/map-checks.js';
import { checkRed } from './truth/red-checks.js';
import { SCENARIOS, SETUP_MS } from './truth/scenarios.js';
import { startTruthPipeline, type TruthPipeline } from './truth/truth-pipeline.js';

/** Each kind of trouble alone; all of them at once are in `truth-at-worst`. */
const ALONE = SCENARIOS.slice(0, -1);

let pipeline: TruthPipeline;

beforeAll(async () => {
  pipeline = await startTruthPipeline(ALONE);
}, SETUP_MS);

afterAll(() => pipeline?.stop());

for (const scenario of ALONE) {
  checkRed(scenario, () => pipeline);
  checkDrops(scenario, () => pipeline);
  checkMap(scenario, () => pipeline);
}
