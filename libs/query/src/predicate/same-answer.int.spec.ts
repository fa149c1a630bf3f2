import { Simulation } from '@flowledger/simulator';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileFilters } from '../filter/compile-filters.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import type { FlowPredicate, LabelledFlow } from '../live/live-flows.js';
import { ParamBinder } from '../param-binder.js';
import { decodeFlows, storeFlows } from '../testing/decoded-flows.js';
import type { SentEvents } from '../testing/decoded-flows.js';
import { oddFlows } from '../testing/odd-flows.js';
import { CONTEXT, DAY_S, must, startQueryFixture } from '../testing/query-fixture.js';
import type { QueryFixture } from '../testing/query-fixture.js';
import { CEL_CONDITIONS, randomCel } from '../testing/random-cel.js';
import { FILTER_VALUES, randomFilters } from '../testing/random-filters.js';
import { recordedText } from '../testing/recorded-data.js';
import { compilePredicate } from './compile-predicate.js';

const START_NS = BigInt(DAY_S + 36_000) * 1_000_000_000n;
const TIME = new Date(Number(START_NS / 1_000_000n)).toISOString();
const FILTERS_A_QUERY = 40;
/** Each test is seconds of work; a busy machine may take many times that. */
const PATIENCE_MS = 180_000;

function simulated(): SentEvents {
  const simulation = new Simulation({
    seed: 11,
    from: START_NS,
    to: START_NS + 60_000_000_000n,
    callsPerSecond: 3,
    scenario: 'test',
  });
  const flows = [...simulation.events()].filter((event) => event.kind === 'flow');
  return { codec: 'hubble.get_flows_response', events: flows.slice(0, 800).map((event) => event.bytes) };
}

function lines(flows: readonly unknown[]): SentEvents {
  const encoder = new TextEncoder();
  return {
    codec: 'hubble.export_json',
    events: flows.map((flow) => encoder.encode(JSON.stringify({ flow }))),
  };
}

/** Recorded flows as of the test day; every sixth, since they repeat each other. */
function recorded(): readonly unknown[] {
  const text = recordedText('hubble/flows-hubble-otel-2021.jsonl') ?? '';
  return text
    .split('\n')
    .filter((line, index) => line !== '' && index % 6 === 0)
    .map((line) => ({ ...JSON.parse(line).flow, time: TIME }));
}

describe('a predicate and the SQL of the same filters', { timeout: PATIENCE_MS }, () => {
  const decoded = decodeFlows(
    [simulated(), lines(oddFlows(1000, 5, TIME)), lines(recorded())],
    Number(START_NS / 1_000_000n) + 60_000,
  );
  const place = { fromNs: 0n, toNs: CONTEXT.nowNs, target: 'record', tenant: '{tenant:String}' } as const;
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    await storeFlows(fixture, decoded);
  });
  afterAll(() => fixture.stop());

  /** For each flow, the numbers of the filters that let it pass; all filters in one statement. */
  async function passing(filters: readonly FlowFilters[]): Promise<ReadonlyMap<string, readonly number[]>> {
    const binder = new ParamBinder();
    binder.name('tenant', 'default');
    const conditions = filters.map((one) => must(compileFilters(one, { ...place, binder })) ?? 'refused');
    const numbers = conditions.map((condition, index) => `if(${condition}, ${index}, -1)`);
    const rows = await fixture.run<{ _lo: string; _li: number; found: readonly number[] }>({
      name: 'test_filters',
      sql: `SELECT toString(_lo) AS _lo, _li, arrayFilter(n -> n >= 0, [${numbers.join(', ')}]) AS found FROM flows WHERE tenant = {tenant:String}`,
      params: binder.usedBy(conditions.join(' ') + '{tenant:String}'),
      settings: {},
    });
    return new Map(rows.map(({ _lo, _li, found }) => [`${_lo}/${_li}`, found]));
  }

  function accepted(filters: FlowFilters): boolean {
    const compiled = compileFilters(filters, { ...place, binder: new ParamBinder() });
    const predicate = compilePredicate(filters, { history: decoded.history });
    expect(predicate.ok ? undefined : predicate.error).toEqual(compiled.ok ? undefined : compiled.error);
    return compiled.ok;
  }

  /** Requires the same flows of both; returns how many passed. `refusals` may be refused, by both, with one reason. */
  async function compare(all: readonly FlowFilters[], refusals = Infinity): Promise<number> {
    const filters = all.filter(accepted);
    expect(all.length - filters.length).toBeLessThanOrEqual(refusals);
    const stored = await passing(filters);
    const predicates = filters.map((one) => must(compilePredicate(one, { history: decoded.history })));
    expect(stored.size).toBe(decoded.flows.length);
    let passed = 0;
    for (const flow of decoded.flows) {
      const { offset, index } = flow.flow.position;
      const found = predicates.flatMap((predicate, number) => (predicate(flow) ? [number] : []));
      const other = found.find((number) => !fulfils(flow, predicates[number]));
      if (other !== undefined)
        expect.fail(`${JSON.stringify(filters[other])} passes what it does not require`);
      const wanted = stored.get(`${offset}/${index}`) ?? [];
      passed += found.length;
      if (found.join() === wanted.join()) continue;
      const number = [...found, ...wanted].find((one) => found.includes(one) !== wanted.includes(one)) ?? 0;
      expect.fail(
        `${found.includes(number) ? 'only the predicate' : 'only the SQL'} passes ${JSON.stringify(filters[number])}: ${text(flow)}`,
      );
    }
    return passed;
  }

  it('pass the same flows for every field alone', async () => {
    for (const [field, value] of Object.entries(FILTER_VALUES)) {
      const values = fc.sample<unknown>(value, { numRuns: 25, seed: 7 });
      const filters = values.map((one): FlowFilters => ({ allow: [{ [field]: [one] }] }));
      const passed = await compare(filters);
      expect(passed, `no filter on ${field} passes any flow`).toBeGreaterThan(0);
    }
  });

  it('pass the same flows for every field of CEL', async () => {
    const texts = Object.entries(CEL_CONDITIONS).flatMap(([path, condition]) =>
      fc.sample(condition, { numRuns: path === 'has()' ? 60 : 5, seed: 3 }),
    );
    for (let at = 0; at < texts.length; at += 2 * FILTERS_A_QUERY)
      await compare(texts.slice(at, at + 2 * FILTERS_A_QUERY).map(celFilter), 0);
  });

  it('pass the same flows for random conditions of CEL, errors included', async () => {
    const texts = fc.sample(randomCel, { numRuns: 4 * FILTERS_A_QUERY, seed: 20_261_122 });
    for (let at = 0; at < texts.length; at += FILTERS_A_QUERY)
      await compare(texts.slice(at, at + FILTERS_A_QUERY).map(celFilter), 4);
  });

  it('pass the same flows for random lists of random filters', async () => {
    const batches = fc.array(randomFilters, { minLength: FILTERS_A_QUERY, maxLength: FILTERS_A_QUERY });
    await fc.assert(
      fc.asyncProperty(batches, async (filters) => {
        await compare(filters);
      }),
      { numRuns: 10, seed: 20_261_122, endOnFailure: true },
    );
  });
});

function fulfils(flow: LabelledFlow, predicate: FlowPredicate | undefined): boolean {
  const requires = predicate?.requires;
  return requires === undefined || requires.values.has(requires.fact(flow));
}

function celFilter(expression: string): FlowFilters {
  return { allow: [{ celExpression: [expression] }] };
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}
