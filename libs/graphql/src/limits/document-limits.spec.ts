import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { schemaText } from '../schema-text.js';
import { documentLimits, measureDocument } from './document-limits.js';
import { DEFAULT_LIMITS } from './limits.js';

const schema = buildSchema(schemaText());

function codes(document: string): unknown[] {
  return validate(schema, parse(document), [documentLimits(DEFAULT_LIMITS)]).map((e) => e.extensions['code']);
}

/** Fragments that each spread the next one twice: 2^n fields from n lines. */
function bomb(levels: number): string {
  const lines = [`query { ...F0 }`];
  for (let i = 0; i < levels; i++) {
    lines.push(`fragment F${i} on Query { __typename ...F${i + 1} ...F${i + 1} }`);
  }
  return [...lines, `fragment F${levels} on Query { nodes { name } }`].join('\n');
}

describe('documentLimits', () => {
  it('passes the queries of the start page', () => {
    expect(
      codes('{ drops { total groups { key { value } samples { source { workload { name } } } } } }'),
    ).toEqual([]);
  });

  it('refuses 50 levels of fields as too deep', () => {
    const deep = `${'{ flows '.repeat(50)}{ x }${' }'.repeat(50)}`;
    expect(codes(deep)).toEqual(['TOO_DEEP']);
  });

  it('counts depth through fragments', () => {
    const chain = Array.from({ length: 12 }, (_, i) => `fragment F${i} on Query { flows { ...F${i + 1} } }`);
    expect(codes(`query { ...F0 } ${chain.join(' ')} fragment F12 on Query { nodes { name } }`)).toEqual([
      'TOO_DEEP',
    ]);
  });

  it('refuses 1,000 aliases, 10,000 directives and 1,000 fragments as too costly', () => {
    const aliases = Array.from({ length: 1000 }, (_, i) => `a${i}: __typename`).join(' ');
    expect(codes(`{ ${aliases} }`)).toContain('TOO_COSTLY');
    expect(codes(`{ __typename ${'@skip(if: true) '.repeat(10_000)} }`)).toContain('TOO_COSTLY');
    const fragments = Array.from({ length: 1000 }, (_, i) => `fragment F${i} on Query { __typename }`).join(
      ' ',
    );
    expect(codes(`{ __typename } ${fragments}`)).toContain('TOO_COSTLY');
  });

  it('measures a fragment bomb without unfolding it', () => {
    const size = measureDocument(parse(bomb(45)));
    expect(size.fields).toBe(2 ** 46);
    expect(codes(bomb(45))).toContain('TOO_COSTLY');
  });

  it('ends on circular fragments', () => {
    expect(
      measureDocument(
        parse('{ ...A } fragment A on Query { nodes { name } ...B } fragment B on Query { ...A }'),
      ).fields,
    ).toBe(2);
  });

  it('names what is too much and the bound', () => {
    const [error] = validate(schema, parse(`${'{ a '.repeat(11)}{ b }${' }'.repeat(11)}`), [
      documentLimits(DEFAULT_LIMITS),
    ]);
    expect(error?.message).toBe('the query has 12 levels of fields, 10 are allowed');
  });
});
