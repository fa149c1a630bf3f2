import type { ScalarType } from './schema.js';

/** A 64-bit two's complement number in halves; what {@link parseInteger} leaves behind. */
export const integer = { lo: 0, hi: 0 };

const PLAIN = /^-?\d{1,15}$/;
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** What became of a text as an integer. */
export type IntegerResult = 'ok' | 'out_of_range' | 'not_integer';

/**
 * Reads the text of a JSON number (or of a string that holds one) into {@link integer}, exactly: `9007199254740993`
 * and `"9007199254740993"` are the same number. `1.0` and `1e3` are integers, as protobuf JSON has it; `1.5` and
 * `1e400` are not.
 */
export function parseInteger(text: string, type: ScalarType): IntegerResult {
  const range = RANGES[type];
  if (range === undefined) return 'not_integer';
  const value = PLAIN.test(text) ? BigInt(text) : exactInteger(text);
  if (value === undefined) return 'not_integer';
  if (value < range[0] || value > range[1]) return 'out_of_range';
  integer.lo = Number(BigInt.asUintN(32, value));
  integer.hi = Number(BigInt.asUintN(32, value >> 32n));
  return 'ok';
}

function exactInteger(text: string): bigint | undefined {
  const match = NUMBER.exec(text);
  if (match === null || !Number.isFinite(Number(text))) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const shift = Number(exponent) - fraction.length;
  if (Math.abs(shift) > 400 || whole.length > 400) return undefined;
  const digits = BigInt(whole + fraction);
  const scale = 10n ** BigInt(Math.abs(shift));
  if (shift < 0 && digits % scale !== 0n) return undefined;
  const value = shift < 0 ? digits / scale : digits * scale;
  return sign === '-' ? -value : value;
}
