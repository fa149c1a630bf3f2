/** {@link parseUuid} found no UUID. */
export const UUID_INVALID = 0;
/** {@link parseUuid} found a UUID that the column gives back letter for letter. */
export const UUID_CANONICAL = 1;
/** A UUID with capital letters. */
export const UUID_OTHER_FORM = 2;

const DASH = 0x2d;
const CAPITAL = 0x10;
const NO_DIGIT = 0x80;
/** Value of each hex digit; capitals carry the bit CAPITAL, other bytes NO_DIGIT. */
const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (let value = 0; value < 16; value++) {
  DIGITS[value.toString(16).charCodeAt(0)] = value;
  if (value > 9) DIGITS[value.toString(16).toUpperCase().charCodeAt(0)] = value | CAPITAL;
}

/** Bits of all table entries read since they were cleared. */
let seen = 0;

/**
 * Parses a UUID's 36 characters into four lanes in ClickHouse's memory order (two little-endian UInt64, high half of
 * the id first). The nil UUID is no id. The lanes are left alone when it is invalid.
 */
export function parseUuid(
  bytes: Uint8Array,
  start: number,
  end: number,
  lanes: Uint32Array,
  at: number,
): number {
  if (end - start !== 36) return UUID_INVALID;
  const dashes =
    bytes[start + 8] === DASH &&
    bytes[start + 13] === DASH &&
    bytes[start + 18] === DASH &&
    bytes[start + 23] === DASH;
  if (!dashes) return UUID_INVALID;
  seen = 0;
  const first = (four(bytes, start) << 16) | four(bytes, start + 4);
  const second = (four(bytes, start + 9) << 16) | four(bytes, start + 14);
  const third = (four(bytes, start + 19) << 16) | four(bytes, start + 24);
  const fourth = (four(bytes, start + 28) << 16) | four(bytes, start + 32);
  if ((seen & NO_DIGIT) !== 0 || (first | second | third | fourth) === 0) return UUID_INVALID;
  lanes[at] = second;
  lanes[at + 1] = first;
  lanes[at + 2] = fourth;
  lanes[at + 3] = third;
  return (seen & CAPITAL) === 0 ? UUID_CANONICAL : UUID_OTHER_FORM;
}

function four(bytes: Uint8Array, at: number): number {
  const a = DIGITS[bytes[at] ?? 0] ?? 0;
  const b = DIGITS[bytes[at + 1] ?? 0] ?? 0;
  const c = DIGITS[bytes[at + 2] ?? 0] ?? 0;
  const d = DIGITS[bytes[at + 3] ?? 0] ?? 0;
  seen |= a | b | c | d;
  return ((a & 15) << 12) | ((b & 15) << 8) | ((c & 15) << 4) | (d & 15);
}
