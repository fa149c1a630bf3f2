import { parseRfc3339 } from '../rfc3339.js';

/** A `google.protobuf.Timestamp`: seconds in two's complement halves, nanos; what {@link parseInstant} leaves behind. */
export const instant = { secondsLo: 0, secondsHi: 0, nanos: 0 };

const TWO_32 = 0x1_0000_0000;
/** Days before each month of a year that is no leap year. */
const DAYS_BEFORE = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/**
 * Reads RFC 3339 text at `bytes[start, end)` into {@link instant}; false when it is no time. Nearly all times end in Z
 * and lie after 1970: those are read from the bytes, the others through {@link parseRfc3339}.
 */
export function parseInstant(bytes: Uint8Array, start: number, end: number): boolean {
  if (parseCommon(bytes, start, end)) return true;
  const ns = parseRfc3339(String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 64))));
  if (ns === undefined || end - start > 64) return false;
  const nanos = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = BigInt.asUintN(64, (ns - nanos) / 1_000_000_000n);
  instant.secondsLo = Number(seconds & 0xffff_ffffn);
  instant.secondsHi = Number(seconds >> 32n);
  instant.nanos = Number(nanos);
  return true;
}

/** `YYYY-MM-DDThh:mm:ss[.fraction]Z` from 1970 on; false leaves the decision to the full parser. */
function parseCommon(bytes: Uint8Array, start: number, end: number): boolean {
  const shape = bytes[start + 4] === 0x2d && bytes[start + 7] === 0x2d && bytes[start + 10] === 0x54;
  if (end - start < 20 || !shape || bytes[end - 1] !== 0x5a) return false;
  if (bytes[start + 13] !== 0x3a || bytes[start + 16] !== 0x3a) return false;
  const year = digits(bytes, start, start + 4);
  const month = digits(bytes, start + 5, start + 7);
  const day = digits(bytes, start + 8, start + 10);
  const hour = digits(bytes, start + 11, start + 13);
  const minute = digits(bytes, start + 14, start + 16);
  const second = digits(bytes, start + 17, start + 19);
  // Days 29 to 31 are left to the full parser, which knows which months have them.
  const plain = year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= 28;
  if (!plain || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false;
  const nanos = end - start === 20 ? 0 : fraction(bytes, start + 19, end - 1);
  if (nanos < 0) return false;
  const seconds = daysSince1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
  instant.secondsHi = Math.floor(seconds / TWO_32);
  instant.secondsLo = seconds - instant.secondsHi * TWO_32;
  instant.nanos = nanos;
  return true;
}

function digits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** `.` and one to nine digits as ns, or -1. */
function fraction(bytes: Uint8Array, start: number, end: number): number {
  const count = end - start - 1;
  if (bytes[start] !== 0x2e || count < 1 || count > 9) return -1;
  let value = digits(bytes, start + 1, end);
  if (value < 0) return -1;
  for (let i = count; i < 9; i++) value *= 10;
  return value;
}

function daysSince1970(year: number, month: number, day: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const before = year - 1;
  const leaps = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 477;
  return (year - 1970) * 365 + leaps + (DAYS_BEFORE[month - 1] ?? 0) + (leap && month > 2 ? 1 : 0) + day - 1;
}
