import { FILTER_FIELDS, FLOW_FIELDS, flowFilterSdl } from '@flowledger/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParamBinder } from '../param-binder.js';
import { addressText, inRange, parseAddressRange } from './address-range.js';
import { compileFilters } from './compile-filters.js';
import type { FilterTarget } from './filter-columns.js';
import type { FlowFilter } from './flow-filter.js';
import { parseLabelSelector } from './label-selector.js';
import { parseNameGlob } from './name-glob.js';
import { FIELD_PARSERS } from './parse-filters.js';
import { parseRegex } from './regex.js';

function compile(filter: FlowFilter, target: FilterTarget = 'record') {
  const place = { target, binder: new ParamBinder(), tenant: '{tenant:String}', fromNs: 0n, toNs: 1n };
  return compileFilters({ allow: [filter] }, place);
}

describe('the table of filter fields', () => {
  it('has exactly the fields that compile, and our extension', () => {
    const names = FILTER_FIELDS.map((field) => field.name).toSorted();
    expect(names).toEqual([...Object.keys(FIELD_PARSERS), 'matchInferred'].toSorted());
  });

  it('names each proto field number once', () => {
    const numbers = FILTER_FIELDS.flatMap((field) => (field.number === null ? [] : [field.number]));
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers.length).toBe(41);
  });

  it('agrees with the table of columns in both directions', () => {
    const columns = new Map(FLOW_FIELDS.map((field) => [field.column, field.filters ?? []]));
    for (const field of FILTER_FIELDS)
      for (const column of field.columns) expect([...columns.keys()]).toContain(column);
    const known = new Set(FILTER_FIELDS.map((field) => field.name));
    for (const [, filters] of columns) for (const filter of filters) expect(known).toContain(filter);
  });

  it('gives the GraphQL input', () => {
    const sdl = flowFilterSdl();
    for (const field of FILTER_FIELDS) expect(sdl).toContain(`  ${field.name}: ${field.input}\n`);
  });
});

describe('compileFilters', () => {
  const where = (filters: Parameters<typeof compileFilters>[0]) =>
    compileFilters(filters, {
      target: 'record',
      binder: new ParamBinder(),
      tenant: 't',
      fromNs: 0n,
      toNs: 1n,
    });

  it('matches everything without filters and with an empty filter', () => {
    expect(where(null)).toEqual({ ok: true, value: 'true' });
    expect(where({ allow: [{}] })).toEqual({ ok: true, value: 'true' });
    expect(where({ allow: [{ verdict: ['DROPPED'] }, {}] })).toEqual({ ok: true, value: 'true' });
    expect(where({ allow: [{ verdict: [], sourcePod: null }] })).toEqual({ ok: true, value: 'true' });
  });

  it('hides everything with an empty filter in the deny list', () => {
    expect(where({ deny: [{}] })).toEqual({ ok: true, value: 'NOT (true)' });
  });

  it('names the path of a bad value', () => {
    const bad = where({ allow: [{}], deny: [{}, { sourcePort: ['80', '70000'] }] });
    expect(bad).toMatchObject({ ok: false, error: { field: 'filters.deny[1].sourcePort' } });
  });

  it.each<[string, FlowFilter]>([
    ['an empty pod', { sourcePod: [''] }],
    ['an address with a zone', { sourceIp: ['fe80::1%eth0'] }],
    ['a port range', { destinationPort: ['80-90'] }],
    ['an unknown verdict', { verdict: ['GONE'] }],
    ['an unknown drop reason', { dropReasonDesc: ['NO_SUCH_REASON'] }],
    ['a status code that does not exist', { httpStatusCode: ['909'] }],
    ['http with an event type that is not L7', { httpMethod: ['GET'], eventType: [{ type: 4 }] }],
    ['a look-ahead', { httpPath: ['(?=a)'] }],
    ['a text over 1 KiB', { traceId: ['x'.repeat(1025)] }],
    ['a pattern of too many steps', { httpUrl: ['(\\pL|\\pN|\\pZ){1000}'] }],
    ['too many long patterns', { dnsQuery: Array.from({ length: 17 }, () => 'x'.repeat(1000)) }],
    ['a list over 500', { sourcePod: Array.from({ length: 501 }, () => 'a') }],
    ['an empty cluster name', { sourceClusterName: [''] }],
    ['a node with two slashes', { nodeName: ['a/b/c'] }],
    ['a uuid that is none', { uuid: ['abc'] }],
    ['a number over 64 bits', { ipTraceId: ['18446744073709551616'] }],
    ['a field that does not exist', { ...JSON.parse('{"sourcePodd":["a"]}') }],
  ])('refuses %s', (_, filter) => {
    expect(compile(filter)).toMatchObject({ ok: false, error: { code: 'BAD_FILTER' } });
  });

  it('lets a rollup answer only what its keys can decide', () => {
    const eligible = (filter: FlowFilter, target: FilterTarget) => {
      const compiled = compile(filter, target);
      return compiled.ok && compiled.value !== null;
    };
    expect(eligible({ destinationWorkload: [{ name: 'a' }], sourcePod: ['ns/'] }, 'red')).toBe(true);
    expect(eligible({ sourcePod: ['ns/a'] }, 'red')).toBe(false);
    expect(eligible({ sourceWorkload: [{ kind: 'Job' }] }, 'edges')).toBe(false);
    expect(eligible({ dropReasonDesc: ['133'], nodeName: ['n*'] }, 'drops')).toBe(true);
    expect(eligible({ verdict: ['DROPPED'] }, 'drops')).toBe(false);
    expect(eligible({ protocol: ['http'] }, 'red')).toBe(true);
    expect(eligible({ protocol: ['http'] }, 'drops')).toBe(false);
  });

  it('refuses a bad value even where a rollup could not have answered it', () => {
    expect(compile({ sourcePod: ['ns/a'], sourcePort: ['x'] }, 'red').ok).toBe(false);
  });

  it('never throws, whatever the texts', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 60 }),
        fc.constantFrom(...Object.keys(FIELD_PARSERS)),
        (text, name) => {
          const filter: FlowFilter = Object.fromEntries([[name, [text]]]);
          if (
            [
              'sourceWorkload',
              'destinationWorkload',
              'interface',
              'tcpFlags',
              'eventType',
              'httpHeader',
            ].includes(name)
          )
            return;
          expect(() => compile(filter)).not.toThrow();
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('parseAddressRange', () => {
  it.each([
    ['10.1.2.3', '::ffff:10.1.2.3', '::ffff:10.1.2.3'],
    ['10.1.2.3/8', '::ffff:10.0.0.0', '::ffff:10.255.255.255'],
    ['0.0.0.0/0', '::ffff:0.0.0.0', '::ffff:255.255.255.255'],
    ['::1', '0:0:0:0:0:0:0:1', '0:0:0:0:0:0:0:1'],
    ['f00d::/16', 'f00d:0:0:0:0:0:0:0', 'f00d:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['1:2:3:4:5:6:7:8/128', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4', '::ffff:1.2.3.4'],
  ])('%s', (value, first, last) => {
    const range = parseAddressRange(value);
    expect(range && [addressText(range.low), addressText(range.high)]).toEqual([first, last]);
  });

  it.each([
    '',
    '1.1.1',
    '320.1.1.1',
    '1.1.1.1/33',
    '::/129',
    '1.1.1.1/8/8',
    '1.1.1.1/',
    '::1/-1',
    'a',
    '1.1.1.1/08',
  ])('refuses %s', (value) => {
    expect(parseAddressRange(value)).toBeUndefined();
  });
});

describe('inRange', () => {
  const inside = (block: string, address: string) => {
    const range = parseAddressRange(block);
    return range !== undefined && inRange(range)(address);
  };

  it.each([
    ['10.0.0.0/8', '10.255.255.255'],
    ['0.0.0.0/0', '255.255.255.255'],
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['f00d::/16', 'f00d::a10:0:0:10'],
    ['::/0', 'ffff::'],
    ['::1', '::1'],
  ])('%s holds %s', (block, address) => {
    expect(inside(block, address)).toBe(true);
  });

  it.each([
    ['10.0.0.0/8', '11.0.0.0'],
    ['10.0.0.0/8', '::a00:1'],
    ['10.1.2.3', '10.1.2.30'],
    ['::/0', '10.0.0.1'],
    ['::fffe:0:0/95', '10.0.0.1'],
    ['::1', 'not an address'],
    ['0.0.0.0/0', '1.2.3'],
  ])('%s does not hold %s', (block, address) => {
    expect(inside(block, address)).toBe(false);
  });
});

describe('parseLabelSelector', () => {
  it('reads every operator', () => {
    const all =
      'a, !b, k8s:c=1, d==2, e!=3, f in (x, y), g notin (z), h > 4, i<5, any:j, cidr:10.0.0.0/8, k=';
    const wanted = parseLabelSelector(all)?.map(({ source, key, operator, values }) => [
      source,
      key,
      operator,
      ...values,
    ]);
    expect(wanted).toEqual([
      [undefined, 'a', 'exists'],
      [undefined, 'b', 'absent'],
      ['k8s', 'c', 'in', '1'],
      [undefined, 'd', 'in', '2'],
      [undefined, 'e', 'notin', '3'],
      [undefined, 'f', 'in', 'x', 'y'],
      [undefined, 'g', 'notin', 'z'],
      [undefined, 'h', 'gt', '4'],
      [undefined, 'i', 'lt', '5'],
      [undefined, 'j', 'exists'],
      ['cidr', '10.0.0.0/8', 'exists'],
      [undefined, 'k', 'in', ''],
    ]);
  });

  it.each(['=', '!', 'a b', 'a in', 'a in ()', 'a=b=c', ',', 'a,,b', 'a > x', '(a)'])(
    'refuses %s',
    (text) => {
      expect(parseLabelSelector(text)).toBeUndefined();
    },
  );
});

describe('parseNameGlob', () => {
  it('trims, lowers and anchors', () => {
    expect(parseNameGlob(' API.Example.com. ')).toEqual({ exact: 'api.example.com' });
    expect(parseNameGlob('*.example.com')).toMatchObject({
      regex: { pattern: '^[-.0-9a-z]*\\.example\\.com$' },
    });
  });

  it.each(['.', '', ' ', 'a|b', 'ä'])('refuses %j', (value) => {
    expect(parseNameGlob(value)).toBeUndefined();
  });
});

describe('parseRegex', () => {
  it.each([
    'a',
    '^/a/[0-9]+$',
    '(?i)a|b',
    '(?P<x>a)',
    '[]a]',
    '[^]a]',
    '[[:alpha:]]*',
    'a{2,3}?',
    '\\d\\.',
    '(a|b)*',
    'a{',
    '\\{',
    '(?:a)+',
  ])('accepts %s', (pattern) => {
    expect('fault' in parseRegex(pattern)).toBe(false);
  });

  it.each(['*', '(', ')', 'a**', '[a', 'a\\', '(?=a)', '(?<!a)', '\\1', 'a{1001}', '(?<', '|*', '(*a)'])(
    'refuses %s',
    (pattern) => {
      expect('fault' in parseRegex(pattern)).toBe(true);
    },
  );
});
