import { hexDigit } from '../batch/ip-text.js';

/** What {@link parseUuid} found. */
export const UUID_INVALID = 0;
export const UUID_CANONICAL = 1;
/** A UUID with capital letters. */
export const UUID_OTHER_FORM = 2;

/**
 * Parses a UUID's 36 characters into four lanes in ClickHouse's memory order (two little-endian UInt64, high half of
 * the id first). The nil UUID is no id. The lanes are zero when it is invalid.
 */
export function parseUuid(
  bytes: Uint8Array,
  start: number,
  end: number,
  lanes: Uint32Array,
  at: number,
): number {
  if (end - start !== 36) return UUID_INVALID;
  let digits = 0;
  let capital = false;
  let word = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    const dash = i - start === 8 || i - start === 13 || i - start === 18 || i - start === 23;
    if (dash) {
      if (byte !== 0x2d) return clear(lanes, at);
      continue;
    }
    const digit = hexDigit(byte);
    if (digit < 0) return clear(lanes, at);
    capital ||= byte >= 0x41 && byte <= 0x46;
    word = (word << 4) | digit;
    digits++;
    // Text gives the high word of each half first; memory holds the low one first.
    if ((digits & 7) === 0) lanes[at + (((digits >>> 3) - 1) ^ 1)] = word;
  }
  const nil = ((lanes[at] ?? 0) | (lanes[at + 1] ?? 0) | (lanes[at + 2] ?? 0) | (lanes[at + 3] ?? 0)) === 0;
  if (nil) return UUID_INVALID;
  return capital ? UUID_OTHER_FORM : UUID_CANONICAL;
}

function clear(lanes: Uint32Array, at: number): number {
  lanes.fill(0, at, at + 4);
  return UUID_INVALID;
}
