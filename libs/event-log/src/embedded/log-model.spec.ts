import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { logLives } from '../testing/log-lives.js';
import { LogModel } from '../testing/log-model.js';

/** Lives to lead; more with FLOWLEDGER-independent `vitest run log-model.int`. */
const LIVES = 1_000;

it('keeps its promises through kills, power cuts, full disks and failed fsyncs', async () => {
  await fc.assert(
    fc.asyncProperty(logLives, (life) => LogModel.run(life)),
    { numRuns: LIVES },
  );
  expect(LIVES).toBeGreaterThan(0);
}, 60_000);
