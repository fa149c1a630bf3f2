import * as fc from 'fast-check';
import { it } from 'vitest';
import { logLives } from '../testing/log-lives.js';
import { LogModel } from '../testing/log-model.js';

it('keeps its promises through eight thousand random lives', async () => {
  const property = fc.asyncProperty(logLives, (life) => LogModel.run(life));
  await fc.assert(property, { numRuns: 8_000 });
}, 300_000);
