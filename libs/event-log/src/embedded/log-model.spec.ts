import * as fc from 'fast-check';
import { it } from 'vitest';
import { logLives } from '../testing/log-lives.js';
import { LogModel } from '../testing/log-model.js';

it('keeps its promises through kills, power cuts, full disks and failed fsyncs', async () => {
  const property = fc.asyncProperty(logLives, (life) => LogModel.run(life));
  await fc.assert(property, { numRuns: 500 });
}, 60_000);
