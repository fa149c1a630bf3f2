import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlowFilter, FlowFilters } from '../filter/flow-filter.js';
import { infers, planMatchCounts, readMatchCounts } from '../flows/plan-match-counts.js';
import type { LabelledFlow } from '../live/live-flows.js';
import { compilePredicate } from '../predicate/compile-predicate.js';
import { decodeFlows, storeFlows } from '../testing/decoded-flows.js';
import { oddFlows } from '../testing/odd-flows.js';
import { CONTEXT, DAY_S, must, startQueryFixture } from '../testing/query-fixture.js';
import type { QueryFixture } from '../testing/query-fixture.js';
import { HINT_FIELDS } from './hint-fields.js';
import { newestPart, planHints } from './plan-hints.js';
import type { HintsRequest } from './plan-hints.js';
import { ranOut, readHints } from './read-hints.js';
import type { HintRow } from './read-hints.js';

const START_NS = BigInt(DAY_S + 36_000) * 1_000_000_000n;
const WINDOW = { fromNs: START_NS - 1n, toNs: START_NS + 60_000_000_000n };

/** The filter that a hint offers, as the field takes it. */
function filterOf(field: string, value: string): FlowFilter {
  const [first = '', second = ''] = value.split(/\/(.*)/s);
  const [key = '', ...rest] = value.split(': ');
  if (field.endsWith('Workload')) return { [field]: [{ kind: first, name: second }] };
  if (field.endsWith('Identity')) return { [field]: [Number(value)] };
  if (field === 'interface') return { interface: [{ name: value }] };
  if (field === 'eventType') return { eventType: [{ type: Number(value) }] };
  if (field === 'httpHeader') return { httpHeader: [{ key, value: rest.join(': ') }] };
  if (/^(dnsQuery|httpUrl|httpPath)$/.test(field))
    return { [field]: [`^${value.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')}$`] };
  return { [field]: [value] };
}

/** Fields of which a value also matches more than itself: prefixes, globs, letter case, any type 0. */
const WIDER = /^(source|destination)(Pod|Service)$|^httpMethod$|^eventType$/;

/** A selector looks at the first label with its key, a hint at all. */
const LABELS: Readonly<Record<string, (flow: LabelledFlow) => readonly string[]>> = {
  sourceLabel: (flow) => flow.sourceLabels,
  destinationLabel: (flow) => flow.destinationLabels,
  nodeLabels: (flow) => flow.nodeLabels,
};

describe('filter hints on the real engine', () => {
  const lines = oddFlows(1200, 21, new Date(Number(START_NS / 1_000_000n)).toISOString());
  const events = lines.map((flow) => new TextEncoder().encode(JSON.stringify({ flow })));
  const decoded = decodeFlows(
    [{ codec: 'hubble.export_json', events }],
    Number(START_NS / 1_000_000n) + 1000,
  );
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    await storeFlows(fixture, decoded);
  });
  afterAll(() => fixture.stop());

  async function hints(request: Omit<HintsRequest, 'window'>, elapsedMs = 1) {
    const planned = must(planHints({ window: WINDOW, ...request }, CONTEXT));
    return readHints(await fixture.run<HintRow>(planned.plan), planned, elapsedMs);
  }

  function passing(filters: FlowFilters): number {
    return decoded.flows.filter(must(compilePredicate(filters))).length;
  }

  /** Flows with a value; undefined where no filter can name it, as a DNS name in capitals. */
  function holding(field: string, value: string): number | undefined {
    const labels = LABELS[field];
    if (labels !== undefined) return decoded.flows.filter((flow) => labels(flow).includes(value)).length;
    const predicate = compilePredicate({ allow: [filterOf(field, value)] });
    const lowered = /Fqdn$|^nodeName$/.test(field) && /[A-Z]/.test(value);
    return predicate.ok && !lowered ? decoded.flows.filter(predicate.value).length : undefined;
  }

  it.each(Object.keys(HINT_FIELDS))(
    'offers values of %s that match as many flows as they say',
    async (field) => {
      const found = await hints({ field, limit: 1000 });
      expect(found).toMatchObject({ exact: true, truncated: false });
      expect(found.hints.length).toBeGreaterThan(1);
      let accepted = 0;
      for (const { value, flows } of found.hints) {
        const matched = holding(field, value);
        if (matched === undefined) continue;
        accepted++;
        const wider = WIDER.test(field) || /^\/|\/$/.test(value);
        if (wider) expect(matched, value).toBeGreaterThanOrEqual(Number(flows));
        else expect(matched, value).toBe(Number(flows));
      }
      expect(accepted).toBeGreaterThan(found.hints.length / 2);
    },
  );

  it('counts under the filters, most frequent first', async () => {
    const filters: FlowFilters = { allow: [{ verdict: ['DROPPED'] }], deny: [{ protocol: ['udp'] }] };
    const found = await hints({ field: 'verdict', filters });
    expect(found.hints).toEqual([{ value: 'DROPPED', flows: BigInt(passing(filters)) }]);
    const pods = await hints({ field: 'sourcePod', limit: 1000 });
    const counts = pods.hints.map((hint) => Number(hint.flows));
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
  });

  it('narrows by the start of the value and says when there is more', async () => {
    const web = await hints({ field: 'sourcePod', prefix: 'shop/web', limit: 1000 });
    expect(web.hints.length).toBeGreaterThan(1);
    expect(web.hints.every((hint) => hint.value.startsWith('shop/web'))).toBe(true);
    const two = await hints({ field: 'sourcePod', prefix: 'shop/web', limit: 2 });
    expect(two).toEqual({ hints: web.hints.slice(0, 2), truncated: true, exact: true });
    expect((await hints({ field: 'verdict', prefix: 'DRO' })).hints.map((hint) => hint.value)).toEqual([
      'DROPPED',
    ]);
    expect((await hints({ field: 'sourceFqdn', prefix: 'api.' })).hints.map((hint) => hint.value)).toEqual([
      'api.example.com',
    ]);
    expect(
      (await hints({ field: 'sourceLabel', prefix: 'k8s:app' })).hints.map((hint) => hint.value),
    ).toEqual(['k8s:app=web']);
    expect((await hints({ field: 'protocol', prefix: 'nothing' })).hints).toEqual([]);
  });

  it('says that counts are lower bounds when time or rows ran out', async () => {
    expect(await hints({ field: 'verdict' }, 1000)).toMatchObject({ exact: false });
    const planned = must(planHints({ field: 'verdict', window: WINDOW }, CONTEXT));
    const cut = { ...planned.plan, params: { ...planned.plan.params, cap: 100 } };
    const [row] = await fixture.run<HintRow>(cut);
    expect(Number(row?.seen)).toBe(100);
    const many = { value: '1', flow_total: '1', seen: '2000001', distinct_values: '1' };
    expect(readHints([many], planned, 1).exact).toBe(false);
    expect([ranOut([], 1000), ranOut([], 999), ranOut([many], 1000)]).toEqual([true, false, false]);
    expect(newestPart({ fromNs: 0n, toNs: 800n })).toEqual({ fromNs: 700n, toNs: 800n });
    expect(readHints([{ ...many, seen: '1', distinct_values: '100000' }], planned, 1).exact).toBe(false);
  });

  it.each<[HintsRequest, string, string]>([
    [{ field: 'uuid' }, 'BAD_FILTER', 'field'],
    [{ field: 'toString' }, 'BAD_FILTER', 'field'],
    [{ field: 'verdict', limit: 1001 }, 'TOO_COSTLY', 'limit'],
    [{ field: 'verdict', prefix: 'x'.repeat(1025) }, 'BAD_FILTER', 'prefix'],
    [
      { field: 'verdict', filters: { allow: [{ sourcePod: [''] }] } },
      'BAD_FILTER',
      'filters.allow[0].sourcePod',
    ],
  ])('refuses %j', (request, code, field) => {
    expect(planHints(request, CONTEXT)).toMatchObject({ ok: false, error: { code, field } });
  });

  it('tells flows that match as sent from those that match by inference', async () => {
    const filters: FlowFilters = { allow: [{ sourceWorkload: [{ name: 'web' }], matchInferred: true }] };
    const sent: FlowFilters = { allow: [{ sourceWorkload: [{ name: 'web' }] }] };
    const whole = decoded.flows.filter(must(compilePredicate(filters, { history: decoded.history }))).length;
    const count = async (upTo: number) => {
      const plan = must(planMatchCounts({ filters, window: WINDOW }, upTo, CONTEXT));
      return readMatchCounts(await fixture.run<{ sent: string; whole: string }>(plan), upTo);
    };
    expect(whole).toBeGreaterThan(passing(sent));
    expect(await count(100_000)).toEqual({
      exact: passing(sent),
      inferred: whole - passing(sent),
      capped: false,
    });
    const capped = await count(10);
    expect(capped).toMatchObject({ capped: true });
    expect(capped.exact + capped.inferred).toBe(10);
    expect([infers(filters), infers(sent), infers(null)]).toEqual([true, false, false]);
  });
});
