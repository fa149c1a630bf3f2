import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFlows } from '../flows/read-flows.js';
import { planFlows } from '../flows/plan-flows.js';
import type { FlowRow } from '../flows/flow-record.js';
import { compilePredicate } from '../predicate/compile-predicate.js';
import { decodeFlows, storeFlows } from '../testing/decoded-flows.js';
import { toFlowFilter } from '../testing/filter-cases.js';
import type { FilterCase } from '../testing/filter-cases.js';
import { CONTEXT, must, startQueryFixture } from '../testing/query-fixture.js';
import type { QueryFixture } from '../testing/query-fixture.js';
import { recordedText } from '../testing/recorded-data.js';

const text = recordedText('hubble/filter-cases.json');
const cases: readonly FilterCase[] = text === undefined ? [] : JSON.parse(text).cases;

/** Events on which we differ from Hubble, and why. The test demands that they do differ. */
const DIFFERENT: Readonly<Record<string, { readonly events: readonly number[]; readonly why: string }>> = {
  'nodename/TestNodeFilter/everything': {
    events: [2],
    why: 'a stored flow always has a node: the sender of the stream when the flow names none',
  },
};

function filtersOf(one: FilterCase) {
  const filters = one.filters.map(toFlowFilter);
  return one.mode === 'match_one' ? { allow: filters } : { deny: filters };
}

describe('upstream filter cases', () => {
  const receivedMs = Number(CONTEXT.nowNs / 1_000_000n) - 60_000;
  const time = new Date(receivedMs).toISOString();
  const decoded = decodeFlows(
    cases.map((one) => ({
      codec: 'hubble.export_json',
      events: one.events.map((event) => {
        const value = typeof event.value === 'object' ? event.value : {};
        return new TextEncoder().encode(JSON.stringify({ flow: { time, ...value } }));
      }),
    })),
    receivedMs,
  );
  const evaluated = { sql: 0, predicate: 0 };
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    await storeFlows(fixture, decoded);
  });

  afterAll(() => fixture.stop());

  function requireWanted(one: FilterCase, matched: ReadonlySet<number>): number {
    const different = DIFFERENT[one.id]?.events ?? [];
    const flows = [...one.events.entries()].filter(([, event]) => event.kind === 'flow');
    for (const [index, event] of flows) {
      const want = different.includes(index) ? !event.want : event.want;
      expect(matched.has(index), `event ${index}: ${JSON.stringify(event.value)}`).toBe(want);
    }
    return flows.length;
  }

  it.each(cases.map((one) => [one.id, one] as const))('%s in SQL', async (_, one) => {
    const planned = planFlows({ filters: filtersOf(one), first: 1000 }, CONTEXT);
    if (one.want_error) {
      expect(planned).toMatchObject({ ok: false, error: { code: 'BAD_FILTER' } });
      return;
    }
    const plan = must(planned);
    const page = readFlows(await fixture.run<FlowRow>(plan.plan), plan);
    const offset = BigInt(cases.indexOf(one));
    const found = page.flows.filter((flow) => flow.position.offset === offset);
    evaluated.sql += requireWanted(one, new Set(found.map((flow) => flow.position.index)));
  });

  it.each(cases.map((one) => [one.id, one] as const))('%s in memory', (_, one) => {
    const predicate = compilePredicate(filtersOf(one));
    if (one.want_error) {
      expect(predicate).toMatchObject({ ok: false, error: { code: 'BAD_FILTER' } });
      return;
    }
    const matches = must(predicate);
    const offset = BigInt(cases.indexOf(one));
    const own = decoded.flows.filter(({ flow }) => flow.position.offset === offset);
    const found = own.filter(matches);
    evaluated.predicate += requireWanted(one, new Set(found.map(({ flow }) => flow.position.index)));
  });

  it.runIf(cases.length > 0)('are all evaluated', () => {
    const wanted = cases
      .filter((one) => !one.want_error)
      .flatMap((one) => one.events.filter((event) => event.kind === 'flow')).length;
    expect(evaluated).toEqual({ sql: wanted, predicate: wanted });
    process.stdout.write(`filter cases: ${cases.length} run, ${wanted} evaluations on flows, each twice\n`);
  });

  it('says loudly when the recorded cases are missing', () => {
    expect(text === undefined ? cases.length === 0 : cases.length > 100).toBe(true);
  });
});
