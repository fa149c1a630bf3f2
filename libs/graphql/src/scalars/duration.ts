const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};
const WHOLE = /^(?:\d{1,18}(?:\.\d{1,9})?(?:ns|us|µs|μs|ms|s|m|h|d|w))+$/;
const PART = /(\d+)(?:\.(\d+))?(ns|us|µs|μs|ms|s|m|h|d|w)/g;
const MAX = 9_223_372_036_854_775_807n;

/**
 * Text in the form of Go's `time.ParseDuration`, plus d (24 h) and w (7 d), in ns. Undefined for anything else: no
 * sign, a unit on every number, nothing between the parts, at most 2^63-1 ns. A fraction below 1 ns is cut off.
 */
export function parseGoDuration(text: string): bigint | undefined {
  if (text.length > 64 || !WHOLE.test(text)) return undefined;
  let sum = 0n;
  for (const [, whole = '0', fraction = '', unit = ''] of text.matchAll(PART)) {
    const scale = UNITS[unit] ?? 0n;
    sum += BigInt(whole) * scale;
    if (fraction !== '') sum += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  return sum > MAX ? undefined : sum;
}

/** Shortest text of a duration that Go and {@link parseGoDuration} read back exactly: `1h30m`, `90s` is `1m30s`. */
export function formatGoDuration(ns: bigint): string {
  if (ns === 0n) return '0s';
  const hours = ns / 3_600_000_000_000n;
  const minutes = (ns / 60_000_000_000n) % 60n;
  const rest = ns % 60_000_000_000n;
  return `${hours > 0n ? `${hours}h` : ''}${minutes > 0n ? `${minutes}m` : ''}${rest > 0n ? seconds(rest) : ''}`;
}

function seconds(ns: bigint): string {
  const whole = ns / 1_000_000_000n;
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? `${whole}s` : `${whole}.${fraction}s`;
}
