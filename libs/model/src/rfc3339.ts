const PATTERN =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/**
 * RFC 3339 text with up to nine fraction digits as ns since 1970; undefined when it is anything else, or a date that
 * does not exist. Exact: no `Date` keeps nanoseconds (hubble note, trap 2).
 */
export function parseRfc3339(text: string): bigint | undefined {
  const parts = PATTERN.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour, offsetMinute] = parts;
  const days = daysFromCivil(Number(year), Number(month), Number(day));
  if (days === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return undefined;
  const offset = (sign === '-' ? -60 : 60) * (Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0));
  const seconds = days * 86_400 + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offset;
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** Days since 1970-01-01 of a proleptic Gregorian date; undefined when there is no such day. */
export function daysFromCivil(year: number, month: number, day: number): number | undefined {
  const ms = Date.UTC(2000, month - 1, day);
  const date = new Date(ms);
  date.setUTCFullYear(year, month - 1, day);
  if (month < 1 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return Math.round(date.getTime() / 86_400_000);
}
