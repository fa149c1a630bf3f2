import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFilters } from '../filter/parse-filters.js';
import { parseCel } from './cel-syntax.js';

/** The refusal of one expression; undefined when it is taken. */
function hint(text: string): string | undefined {
  const parsed = parseFilters({ allow: [{ celExpression: [text] }] }, { calls: false, history: undefined });
  return parsed.ok ? undefined : parsed.error.hint;
}

describe('parseCel', () => {
  it('binds as CEL does: member, not, comparison, and, or, choice', () => {
    const name = (text: string) => ({ kind: 'name', name: text });
    expect(parseCel('!a || b && c ? d : e')).toEqual({
      kind: 'choice',
      when: {
        kind: 'binary',
        operator: '||',
        left: { kind: 'not', of: name('a') },
        right: { kind: 'binary', operator: '&&', left: name('b'), right: name('c') },
      },
      yes: name('d'),
      no: name('e'),
    });
  });

  it.each<[string, bigint | string | boolean | null]>([
    ['12', 12n],
    ['0xFFu', 255n],
    ['-7', -7n],
    ["'a\\n\\x41\\u00e4\\'\"'", 'a\nAä\'"'],
    ['r"a\\d"', 'a\\d'],
    ['null', null],
    [' true // what follows is a comment', true],
  ])('reads the literal %s', (text, value) => {
    expect(parseCel(text)).toEqual({ kind: 'literal', value });
  });
});

describe('celExpression', () => {
  it.each([
    "_flow.IP.source == '1.1.1.1' || _flow.IP.destination == '8.8.8.8'",
    'has(_flow.l4.TCP) && _flow.l4.TCP.destination_port == 80u',
    '_flow.verdict == Verdict.DROPPED || _flow.verdict == flow.Verdict.AUDIT',
    "_flow.source.labels.exists(l, l.startsWith('k8s:app='))",
    "'k8s:app=web' in _flow.destination.labels",
    "_flow.source.workloads.exists(w, w.kind == 'Deployment' && w.name.matches('^web'))",
    '_flow.is_reply == null || !_flow.is_reply',
    "_flow.destination.pod_name in ['a', 'b']",
    "size(_flow.source_names) > 0 && _flow.source_names[0].endsWith('.com')",
    "_flow.l7.http.headers.all(h, h.key != 'X-Id')",
    '_flow.source.identity == _flow.destination.identity',
    "(_flow.reply ? _flow.source.namespace : _flow.destination.namespace) == 'shop'",
  ])('takes %s', (text) => {
    expect(hint(text)).toBeUndefined();
  });

  it.each<[string, RegExp]>([
    ['_flow', /`_flow` alone/],
    ['something-invalid', /arithmetic \(`-`\)/],
    ['_flow.nothing == 1', /`_flow\.nothing` is not a field/],
    ['_flow.time > _flow.time', /`_flow\.time`/],
    ["_flow.source.identity == 'a'", /`==` between a int and a string/],
    ['_flow.source.identity', /a condition is due where there is a int/],
    ['_flow.source.identity + 1 == 2', /arithmetic/],
    ['_flow.l4.TCP.source_port == 80.5', /fraction/],
    ['_flow.verdict == Verdict.GONE', /flow\.Verdict has no value GONE/],
    ["_flow.source.pod_name.lowerAscii() == 'a'", /`lowerAscii` is not supported/],
    ["_flow.source.labels.map(l, l) == ['a']", /`map` is not supported/],
    ["_flow.source.pod_name.matches('(')", /RE2/],
    ['_flow.source.pod_name.matches(_flow.source.namespace)', /literal text/],
    ['_flow.source.labels[0] == _flow.source.pod_name', /literals only/],
    ['has(_flow.source)', /`_flow\.source` was sent is not kept/],
    ["_flow.source.namespace == 'a' &&", /ends too early/],
    ["_flow.source.namespace = 'a'", /not part of an expression/],
    ['other == 1', /`other` is not known/],
    ['['.repeat(200), /levels of nesting/],
    ['!'.repeat(200) + 'true', /levels of nesting/],
    ['{}', /maps/],
    ['99999999999999999999 == 1', /64 bits/],
  ])('refuses %s', (text, reason) => {
    expect(hint(text)).toMatch(reason);
  });

  it('refuses what would grow without end', () => {
    let text = 'true';
    for (let depth = 0; depth < 30; depth++) text = `(${text}?true:false)`;
    expect(hint(text)).toMatch(/too large/);
  });

  it('never throws, whatever the text', () => {
    const part = fc.constantFrom(
      '_flow',
      '.',
      'source',
      'labels',
      '[',
      ']',
      '(',
      ')',
      '0',
      "'a'",
      '&&',
      '!',
      'has',
      ' in ',
      '==',
      'exists',
      ',',
      '?',
      ':',
      '"',
      '\\',
      'ü',
    );
    const texts = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.array(part, { maxLength: 20 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(() => hint(text)).not.toThrow();
      }),
      { numRuns: 5000 },
    );
  });
});
