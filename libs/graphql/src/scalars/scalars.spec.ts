import fc from 'fast-check';
import { GraphQLError, parseValue } from 'graphql';
import { describe, expect, it } from 'vitest';
import { formatGoDuration, parseGoDuration } from './duration.js';
import { SCALARS } from './scalars.js';
import { MAX_TIME_NS } from './time.js';

function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error instanceof GraphQLError ? error.extensions['code'] : error;
  }
  return 'no error';
}

describe('Duration', () => {
  it.each([
    ['90s', 90_000_000_000n],
    ['1h30m', 5_400_000_000_000n],
    ['7d', 604_800_000_000_000n],
    ['1w', 604_800_000_000_000n],
    ['1.5h', 5_400_000_000_000n],
    ['250ms', 250_000_000n],
    ['1us', 1_000n],
    ['1µs', 1_000n],
    ['0s', 0n],
  ])('reads %s exactly', (text, ns) => {
    expect(SCALARS.Duration.parseValue(text)).toBe(ns);
  });

  it.each([
    '5',
    '5 minutes',
    '-1s',
    '',
    's',
    '1h 30m',
    '1h30',
    '1e3s',
    '+1s',
    '1y',
    '9999999999w',
    '٣s',
    '1h\u0000',
  ])('refuses %j as a bad window', (text) => {
    expect(codeOf(() => SCALARS.Duration.parseValue(text))).toBe('BAD_WINDOW');
  });

  it.each([5, null, true, {}, ['1h']])('refuses %j, which is not text', (value) => {
    expect(codeOf(() => SCALARS.Duration.parseValue(value))).toBe('BAD_WINDOW');
  });

  it('reads back everything it writes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 9_223_372_036_854_775_807n }), (ns) => {
        expect(parseGoDuration(formatGoDuration(ns))).toBe(ns);
      }),
    );
  });
});

describe('Time', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0n],
    ['2026-01-31T23:59:59.123456789Z', 1_769_903_999_123_456_789n],
    ['2026-02-01T01:59:59.5+02:00', 1_769_903_999_500_000_000n],
  ])('reads %s exactly', (text, ns) => {
    expect(SCALARS.Time.parseValue(text)).toBe(ns);
  });

  it.each([
    '2026-02-30T00:00:00Z',
    '2026-01-31',
    '2026-01-31T00:00:00',
    '1769903999',
    'yesterday',
    '1969-12-31T23:59:59Z',
    '2300-01-01T00:00:00Z',
    '2026-01-31T00:00:00.1234567890Z',
  ])('refuses %s as a bad window', (text) => {
    expect(codeOf(() => SCALARS.Time.parseValue(text))).toBe('BAD_WINDOW');
  });

  it('refuses a number, because ms and ns cannot be told apart', () => {
    expect(codeOf(() => SCALARS.Time.parseValue(1_769_903_999_000))).toBe('BAD_WINDOW');
  });

  it('reads back everything it writes, to the nanosecond', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: MAX_TIME_NS }), (ns) => {
        expect(SCALARS.Time.parseValue(SCALARS.Time.serialize(ns))).toBe(ns);
      }),
    );
  });
});

describe('UInt64 and Count', () => {
  it('keep identifiers beyond 2^53 exact, as text', () => {
    expect(SCALARS.UInt64.parseValue('18446744073709551615')).toBe(18_446_744_073_709_551_615n);
    expect(SCALARS.UInt64.parseLiteral(parseValue('9007199254740993'))).toBe(9_007_199_254_740_993n);
    expect(SCALARS.UInt64.serialize(9_007_199_254_740_993n)).toBe('9007199254740993');
  });

  it.each(['18446744073709551616', '-1', '1.5', '0x10', '', 1.5, Number.MAX_SAFE_INTEGER + 1])(
    'refuses %j as an identifier',
    (value) => {
      expect(codeOf(() => SCALARS.UInt64.parseValue(value))).toBe('BAD_REQUEST');
    },
  );

  it('writes a count up to 2^53-1 as a number and never rounds a larger one', () => {
    expect(SCALARS.Count.serialize(9_007_199_254_740_991n)).toBe(9_007_199_254_740_991);
    expect(codeOf(() => SCALARS.Count.serialize(9_007_199_254_740_992n))).toBe('WINDOW_TOO_WIDE');
  });
});
