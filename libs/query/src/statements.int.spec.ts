import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planFlows } from './flows/plan-flows.js';
import { planDrops } from './drops/plan-drops.js';
import { CONTEXT, must, startQueryFixture } from './testing/query-fixture.js';
import type { QueryFixture } from './testing/query-fixture.js';
import { EVERY_FIELD, SAMPLE_PLANS } from './testing/sample-plans.js';

/** One filter a field, so that no condition hides behind another. */
const ONE_BY_ONE = (EVERY_FIELD.allow ?? []).flatMap((filter) =>
  Object.entries(filter)
    .filter(([name]) => name !== 'matchInferred')
    .map(([name, values]): [string, unknown] => [name, Object.fromEntries([[name, values]])]),
);

describe('every statement on the real engine', () => {
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
  });

  afterAll(() => fixture.stop());

  it.each(Object.keys(SAMPLE_PLANS))('%s runs for the reading user', async (name) => {
    const plan = SAMPLE_PLANS[name]?.();
    if (plan === undefined) throw new Error(name);
    await expect(fixture.run(plan)).resolves.toBeInstanceOf(Array);
  });

  it.each(ONE_BY_ONE)('the filter %s runs on records and on calls', async (_, filter) => {
    const filters = { allow: [JSON.parse(JSON.stringify(filter))] };
    const plans = [must(planFlows({ filters }, CONTEXT)).plan, must(planDrops({ filters }, CONTEXT)).plan];
    for (const plan of plans) await expect(fixture.run(plan)).resolves.toBeInstanceOf(Array);
  });
});
