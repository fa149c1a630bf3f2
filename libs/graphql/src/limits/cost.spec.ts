import { buildSchema, getOperationAST, parse, type FragmentDefinitionNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { SCALARS } from '../scalars/scalars.js';
import { schemaText } from '../schema-text.js';
import { requestedCost } from './cost.js';
import { DEFAULT_LIMITS } from './limits.js';

const BOUNDS = { rowsPerHour: 1_000_000, rawHours: 720, windowHours: 9600 };

const schema = buildSchema(schemaText());
for (const scalar of Object.values(SCALARS)) Object.assign(schema.getType(scalar.name) ?? {}, scalar);

function cost(text: string, variables: Record<string, unknown> = {}): number {
  const document = parse(text);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('no operation');
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const d of document.definitions) if (d.kind === 'FragmentDefinition') fragments[d.name.value] = d;
  return requestedCost(
    { schema, operation, fragments, variables, nowNs: 1_800_000_000_000_000_000n },
    BOUNDS,
  );
}

describe('requestedCost', () => {
  it('grows with the page, the fields and the window', () => {
    const small = cost('{ flows(first: 10) { nodes { id } } }');
    expect(cost('{ flows(first: 1000) { nodes { id } } }')).toBeGreaterThan(small);
    expect(cost('{ flows(first: 10) { nodes { id time verdict summary } } }')).toBeGreaterThan(small);
    expect(cost('{ flows(first: 10, window: { last: "7d" }) { nodes { id } } }')).toBeGreaterThan(small);
  });

  it('counts page × fields exactly when no rows are estimated', () => {
    const none = { ...BOUNDS, rowsPerHour: 0 };
    const document = parse('{ flows(first: 100) { nodes { id time } pageInfo { hasNextPage } } }');
    const operation = getOperationAST(document);
    if (!operation) throw new Error('no operation');
    expect(requestedCost({ schema, operation, fragments: {}, variables: {}, nowNs: 0n }, none)).toBe(300);
  });

  it('reads page sizes and windows from variables', () => {
    const text = 'query ($n: Int, $w: WindowInput) { flows(first: $n, window: $w) { nodes { id } } }';
    const week = { last: 604_800_000_000_000n };
    expect(cost(text, { n: 1000, w: week })).toBeGreaterThan(
      cost(text, { n: 1000, w: { last: 3_600_000_000_000n } }),
    );
    expect(cost(text, { n: 1000, w: week })).toBeGreaterThan(cost(text, { n: 10, w: week }));
  });

  it('counts every alias and every spread of a fragment', () => {
    const one = cost('{ a: nodes { name } }');
    expect(cost('{ a: nodes { name } b: nodes { name } }')).toBe(2 * one);
    expect(
      cost(
        '{ ...F ...G } fragment F on Query { a: nodes { name } } fragment G on Query { b: nodes { name } }',
      ),
    ).toBe(2 * one);
  });

  it('refuses what a fine step over a month would answer with many groups', () => {
    const series =
      '{ redMetrics(window: { last: "30d" }, step: "1s", limit: 1000, groupBy: [{ dimension: POD }]) { groups { series { requests errors } } } }';
    expect(cost(series)).toBeGreaterThan(DEFAULT_LIMITS.cost);
  });

  it('counts a filter by the raw flows it may have to read, as far back as they are kept', () => {
    const ask = (args: string): number => cost(`{ redMetrics(${args}) { groupCount } }`);
    const filters = 'filters: { allow: [{ httpStatusCode: ["5+"] }] }';
    expect(ask(`window: { last: "1d" }, ${filters}`)).toBeGreaterThan(ask('window: { last: "1d" }'));
    expect(ask(`window: { last: "90d" }, ${filters}`)).toBeLessThan(DEFAULT_LIMITS.cost);
  });

  it('leaves a window that is too wide to the planner, which names it', () => {
    expect(cost('{ flows(window: { last: "3650d" }) { nodes { id } } }')).toBeLessThan(DEFAULT_LIMITS.cost);
  });

  it('lets the questions of the start page over a day pass', () => {
    const map =
      '{ serviceMap(window: { last: "24h" }) { edges { id client server drops red { requests errors p: quantilesMs(q: [0.95]) } } } }';
    expect(cost(map)).toBeLessThan(DEFAULT_LIMITS.cost);
  });
});
