import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ColumnStore, QueryPlan } from '@flowledger/column-store';
import type { ApiServer } from './server/api-server.js';
import { ask, codesOf, startApiFixture, type ApiFixture } from './testing/api-fixture.js';
import { at, httpAnswer, insertFlows, POLICY_DROP } from './testing/flow-rows.js';

const WINDOW = `{ from: "${at(0)}", to: "${at(3600)}" }`;

let api: ApiFixture;
let server: ApiServer;

beforeAll(async () => {
  api = await startApiFixture();
  server = await api.serve();
  await insertFlows(api.writer, [
    ...[1, 2, 3, 4].map((i) => ({ seconds: i * 60, cells: httpAnswer(200, 10) })),
    { seconds: 301, cells: httpAnswer(503, 80) },
    { seconds: 302, cells: { ...httpAnswer(503, 80), weight: '7', src_workloads: '[]' } },
    { seconds: 400, cells: POLICY_DROP },
    { seconds: 402, cells: { ...httpAnswer(404, 1), tenant: "'other'" } },
  ]);
});
afterAll(() => api.stop());

const hints = (args: string) => `{ filterHints(window: ${WINDOW}, ${args}) {
  hints { value flows } truncated answered { table exact } coverage { from } } }`;

describe('filterHints', () => {
  it('lists the values of a field with the flows that hold them, of the tenant alone', async () => {
    const { data, errors } = await ask(server, hints('field: httpStatusCode'));
    expect(errors).toEqual([]);
    expect(data?.['filterHints']).toEqual({
      hints: [
        { value: '503', flows: 8 },
        { value: '200', flows: 4 },
      ],
      truncated: false,
      answered: { table: 'flows', exact: true },
      coverage: { from: at(0) },
    });
  });

  it('counts under the filters and narrows by prefix and limit', async () => {
    const { data } = await ask(
      server,
      hints('field: sourcePod, prefix: "shop/", limit: 1, filters: { allow: [{ protocol: ["http"] }] }'),
    );
    expect(data?.['filterHints']).toMatchObject({
      hints: [{ value: 'shop/api-1', flows: 12 }],
      truncated: false,
    });
  });

  it('looks at the newest part when the whole takes too long, and says so', async () => {
    const asked: QueryPlan[] = [];
    const real = api.store.store('reader');
    // The first statement runs out of time with nothing to show, as the engine does it.
    const query: ColumnStore['query'] = async (plan, signal) => {
      if (plan.name !== 'filter-hints') return real.query(plan, signal);
      asked.push(plan);
      const result = await real.query<never>(plan, signal);
      return asked.length === 1 ? { ...result, rows: [], elapsedMs: 1001 } : result;
    };
    const slow = await api.serve({
      store: new Proxy(real, {
        get: (store, key) => {
          const value: unknown = Reflect.get(store, key);
          return key === 'query' ? query : typeof value === 'function' ? value.bind(store) : value;
        },
      }),
    });
    const { data } = await ask(slow, hints('field: verdict'));
    expect(asked).toHaveLength(2);
    expect(data?.['filterHints']).toMatchObject({
      hints: [],
      answered: { exact: false },
      coverage: { from: at(0) },
    });
    const [whole, part] = asked.map((plan) =>
      Object.values(plan.params).filter((value) => typeof value === 'bigint'),
    );
    expect(part).not.toEqual(whole);
  });

  it.each([
    ['a field without hints', hints('field: uuid'), 'BAD_REQUEST'],
    ['too long a list', hints('field: verdict, limit: 1001'), 'TOO_COSTLY'],
    ['a bad filter', hints('field: verdict, filters: { allow: [{ sourcePod: [""] }] }'), 'BAD_FILTER'],
  ])('refuses %s', async (_, query, code) => {
    expect(codesOf(await ask(server, query))).toEqual([code]);
  });
});

describe('FlowConnection.matches', () => {
  const flows = (inferred: string, upTo: string) => `{ flows(window: ${WINDOW}, filters: {
    allow: [{ sourceWorkload: [{ name: "api" }], matchInferred: ${inferred} }] }) { totalCount { value } matches${upTo} { exact inferred capped } } }`;

  it('tells flows that match as sent from those that match by inference', async () => {
    const { data } = await ask(server, flows('true', ''));
    expect(data?.['flows']).toEqual({
      totalCount: { value: 6 },
      matches: { exact: 5, inferred: 1, capped: false },
    });
  });

  it('is null when nothing is to be inferred, and refuses a cap beyond a million', async () => {
    const { data } = await ask(server, flows('false', ''));
    expect(data?.['flows']).toEqual({ totalCount: { value: 5 }, matches: null });
    expect(codesOf(await ask(server, flows('true', '(upTo: 1000001)')))).toEqual(['BAD_REQUEST']);
  });
});
