import { encodeEnvelope, Projection } from '@flowledger/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFlows } from '../flows/read-flows.js';
import { planFlows } from '../flows/plan-flows.js';
import type { FlowRow } from '../flows/flow-record.js';
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

const UNSUPPORTED = cases.filter((one) => JSON.stringify(one.filters).includes('cel_expression'));

function filtersOf(one: FilterCase) {
  const filters = one.filters.map(toFlowFilter);
  return one.mode === 'match_one' ? { allow: filters } : { deny: filters };
}

describe('upstream filter cases', () => {
  const receivedMs = Number(CONTEXT.nowNs / 1_000_000n) - 60_000;
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    const projection = new Projection({
      logEpoch: 1n,
      partition: 0,
      rawTtlMs: 30 * 86_400_000,
      isDuplicate: () => false,
    });
    for (const [index, one] of cases.entries()) {
      const time = new Date(receivedMs).toISOString();
      const lines = one.events.map((event) => {
        const value = typeof event.value === 'object' ? event.value : {};
        return new TextEncoder().encode(JSON.stringify({ flow: { time, ...value } }));
      });
      const header = {
        version: 1,
        tenant: 'default',
        cluster: 'default',
        stream: 'node-1',
        source: 'test',
        codec: 'hubble.export_json',
        count: lines.length,
        receivedMs,
      } as const;
      projection.add({ offset: BigInt(index), value: encodeEnvelope(header, lines) });
    }
    const batches = projection.take();
    for (const batch of [batches.labelSets, batches.endpoints, batches.flows]) {
      if (batch.rows > 0) await fixture.writer.insert(batch, { token: batch.table });
    }
  });

  afterAll(() => fixture.stop());

  it.each(cases.filter((one) => !UNSUPPORTED.includes(one)).map((one) => [one.id, one] as const))(
    '%s',
    async (_, one) => {
      const planned = planFlows({ filters: filtersOf(one), first: 1000 }, CONTEXT);
      if (one.want_error) {
        expect(planned).toMatchObject({ ok: false, error: { code: 'BAD_FILTER' } });
        return;
      }
      const plan = must(planned);
      const page = readFlows(await fixture.run<FlowRow>(plan.plan), plan);
      const offset = BigInt(cases.indexOf(one));
      const found = page.flows.filter((flow) => flow.position.offset === offset);
      const matched = new Set(found.map((flow) => flow.position.index));
      const different = DIFFERENT[one.id]?.events ?? [];
      for (const [index, event] of one.events.entries()) {
        if (event.kind !== 'flow') continue;
        const want = different.includes(index) ? !event.want : event.want;
        expect(matched.has(index), `event ${index}: ${JSON.stringify(event.value)}`).toBe(want);
      }
    },
  );

  it.runIf(cases.length > 0)('refuses the cases with CEL expressions, naming the field', () => {
    for (const one of UNSUPPORTED) {
      const planned = planFlows({ filters: filtersOf(one) }, CONTEXT);
      expect(planned).toMatchObject({ ok: false, error: { code: 'BAD_FILTER' } });
      if (!planned.ok) expect(planned.error.field).toContain('celExpression');
    }
    const evaluations = cases
      .filter((one) => !UNSUPPORTED.includes(one))
      .flatMap((one) => one.events.filter((event) => event.kind === 'flow'));
    process.stdout.write(
      `filter cases: ${cases.length - UNSUPPORTED.length} of ${cases.length} run, ${evaluations.length} evaluations on flows, ${UNSUPPORTED.length} refused (CEL)\n`,
    );
    expect(UNSUPPORTED.length).toBeLessThan(5);
  });

  it('says loudly when the recorded cases are missing', () => {
    expect(text === undefined ? cases.length === 0 : cases.length > 100).toBe(true);
  });
});
