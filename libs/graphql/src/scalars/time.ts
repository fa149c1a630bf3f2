const SECOND = 1_000_000_000n;
/** Last ns of the range that 64-bit nanoseconds since 1970 can hold, in the year 2262. */
export const MAX_TIME_NS = 9_223_372_036_854_775_807n;

/**
 * RFC 3339 text in UTC of a time in ns since 1970, exact. The fraction has 0, 3, 6 or 9 digits, as protobuf's JSON
 * mapping writes it.
 */
export function formatTime(ns: bigint): string {
  const seconds = ns / SECOND;
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const fraction = (ns % SECOND).toString().padStart(9, '0');
  return `${date}${trimmed(fraction)}Z`;
}

function trimmed(fraction: string): string {
  if (fraction === '000000000') return '';
  if (fraction.endsWith('000000')) return `.${fraction.slice(0, 3)}`;
  return fraction.endsWith('000') ? `.${fraction.slice(0, 6)}` : `.${fraction}`;
}
