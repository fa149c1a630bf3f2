import { GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { parseRfc3339 } from '@flowledger/model';
import { requestError } from '../errors/request-error.js';
import { formatGoDuration, parseGoDuration } from './duration.js';
import { formatTime, MAX_TIME_NS } from './time.js';

const MAX_UINT64 = 18_446_744_073_709_551_615n;

function badWindow(message: string): never {
  throw requestError('BAD_WINDOW', message, {
    hint: 'see the descriptions of Time and Duration in the schema',
  });
}

function parseTime(value: unknown): bigint {
  if (typeof value !== 'string') badWindow('Time is RFC 3339 text, for example 2026-01-31T23:59:59Z');
  const ns = value.length > 64 ? undefined : parseRfc3339(value);
  if (ns === undefined) badWindow('Time is RFC 3339 text with a zone, for example 2026-01-31T23:59:59Z');
  if (ns < 0n || ns > MAX_TIME_NS) badWindow('Time must lie between 1970 and 2262');
  return ns;
}

function parseDuration(value: unknown): bigint {
  const ns = typeof value === 'string' ? parseGoDuration(value) : undefined;
  if (ns === undefined)
    badWindow('Duration is text like 90s, 1h30m or 7d: not negative, a unit on every number');
  return ns;
}

function parseUInt64(value: unknown): bigint {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text) || BigInt(text) > MAX_UINT64) {
    throw requestError('BAD_REQUEST', 'UInt64 is decimal text from 0 to 18446744073709551615');
  }
  return BigInt(text);
}

function parseCount(value: unknown): bigint {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw requestError('BAD_REQUEST', 'Count is a whole number from 0 to 9007199254740991');
  }
  return BigInt(value);
}

/** Where a null is not allowed, a sum beyond 2^53-1 refuses the window instead of rounding. */
function serializeCount(value: unknown): number {
  const exact = typeof value === 'bigint' ? Number(value) : value;
  if (typeof exact !== 'number' || !Number.isSafeInteger(exact)) {
    throw requestError('WINDOW_TOO_WIDE', 'a count of the answer exceeds 2^53-1', {
      hint: 'ask for a shorter window',
    });
  }
  return exact;
}

function ofBigint(name: string, format: (value: bigint) => string): (value: unknown) => string {
  return (value) => {
    if (typeof value === 'bigint') return format(value);
    throw new TypeError(`${name} is a bigint inside`);
  };
}

/** Literals are read as the value they stand for; big integers keep their text. */
function literal(parse: (value: unknown) => bigint): (node: ValueNode) => bigint {
  return (node) => {
    if (node.kind === Kind.STRING) return parse(node.value);
    if (node.kind === Kind.INT) return parse(node.value.length < 16 ? Number(node.value) : node.value);
    return parse(undefined);
  };
}

function scalar(
  name: string,
  parse: (value: unknown) => bigint,
  serialize: (value: unknown) => string | number,
): GraphQLScalarType {
  return new GraphQLScalarType({ name, parseValue: parse, parseLiteral: literal(parse), serialize });
}

/**
 * The schema's own scalars; inside they are bigints: Time in ns since 1970, Duration in ns, UInt64 and Count as they
 * are. Wrong input throws BAD_WINDOW (Time, Duration) or BAD_REQUEST.
 */
export const SCALARS = {
  Time: scalar('Time', parseTime, ofBigint('Time', formatTime)),
  Duration: scalar('Duration', parseDuration, ofBigint('Duration', formatGoDuration)),
  UInt64: scalar('UInt64', parseUInt64, ofBigint('UInt64', String)),
  Count: scalar('Count', parseCount, serializeCount),
} as const;
