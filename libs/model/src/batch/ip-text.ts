/** What {@link parseIp} found. */
export const IP_INVALID = 0;
/** The lanes give the very text back. */
export const IP_CANONICAL = 1;
/** An address, but written in another way than the lanes give it back. */
export const IP_OTHER_FORM = 2;

const groups = new Uint16Array(8);
const text = new Uint8Array(48);

/**
 * Parses an address into four lanes: the bytes of the IPv6 form in memory order, IPv4 as ::ffff:a.b.c.d. Zone ids,
 * leading zeros in IPv4 and everything else Go's netip refuses are invalid; then the lanes are left alone.
 */
export function parseIp(
  bytes: Uint8Array,
  start: number,
  end: number,
  lanes: Uint32Array,
  at: number,
): number {
  const ipv4 = parseIpv4(bytes, start, end);
  if (ipv4 >= 0) {
    lanes[at] = 0;
    lanes[at + 1] = 0;
    lanes[at + 2] = 0xffff0000;
    lanes[at + 3] = ipv4;
    return IP_CANONICAL;
  }
  if (!parseIpv6(bytes, start, end)) return IP_INVALID;
  for (let i = 0; i < 4; i++)
    lanes[at + i] = swapped(groups[2 * i] ?? 0) | (swapped(groups[2 * i + 1] ?? 0) << 16);
  return isCanonical(bytes, start, end) ? IP_CANONICAL : IP_OTHER_FORM;
}

function swapped(group: number): number {
  return (group >>> 8) | ((group & 0xff) << 8);
}

/** The four bytes as a little-endian word, or -1. */
function parseIpv4(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 15) return -1;
  let word = 0;
  let part = -1;
  let dots = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === 0x2e) {
      if (part < 0 || dots === 3) return -1;
      word |= part << (8 * dots++);
      part = -1;
    } else {
      const digit = byte - 0x30;
      if (digit < 0 || digit > 9 || part === 0) return -1;
      part = part < 0 ? digit : part * 10 + digit;
      if (part > 255) return -1;
    }
  }
  return part < 0 || dots !== 3 ? -1 : (word | (part << 24)) >>> 0;
}

/** Fills `groups`; false when the text is no IPv6 address. */
function parseIpv6(bytes: Uint8Array, start: number, end: number): boolean {
  groups.fill(0);
  let count = 0;
  let gap = -1;
  let i = start;
  if (bytes[i] === 0x3a && bytes[i + 1] === 0x3a && i + 1 < end) {
    gap = 0;
    i += 2;
  }
  while (i < end) {
    if (count === 8) return false;
    let stop = i;
    while (stop < end && bytes[stop] !== 0x3a) stop++;
    if (stop === end && hasDot(bytes, i, end)) {
      const word = parseIpv4(bytes, i, end);
      if (word < 0 || count > 6) return false;
      groups[count++] = swapped(word & 0xffff);
      groups[count++] = swapped(word >>> 16);
      break;
    }
    const group = parseGroup(bytes, i, stop);
    if (group < 0) return false;
    groups[count++] = group;
    i = stop + 1;
    if (stop === end) break;
    if (i === end) return false;
    if (bytes[i] === 0x3a) {
      if (gap >= 0) return false;
      gap = count;
      i++;
    }
  }
  return spread(count, gap);
}

function hasDot(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] === 0x2e) return true;
  return false;
}

function parseGroup(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > 4) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = hexDigit(bytes[i] ?? 0);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** Value of an ASCII hex digit, or -1. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Moves the groups after `::` to the end. */
function spread(count: number, gap: number): boolean {
  if (gap < 0) return count === 8;
  if (count > 7) return false;
  const tail = count - gap;
  groups.copyWithin(8 - tail, gap, count);
  groups.fill(0, gap, 8 - tail);
  return true;
}

/** Whether the text is the RFC 5952 form of `groups`; IPv4-mapped addresses and `::` never are, since columns show them otherwise. */
function isCanonical(bytes: Uint8Array, start: number, end: number): boolean {
  const length = writeIpv6();
  if (length !== end - start || length === 2) return false;
  let zeros = 0;
  while (zeros < 5 && groups[zeros] === 0) zeros++;
  if (zeros === 5 && groups[5] === 0xffff) return false;
  for (let i = 0; i < length; i++) if (text[i] !== bytes[start + i]) return false;
  return true;
}

function writeIpv6(): number {
  let gapStart = -1;
  let gapEnd = -1;
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i >= 2 && j - i > gapEnd - gapStart) {
      gapStart = i;
      gapEnd = j;
    }
    if (j > i) i = j;
  }
  let length = 0;
  for (let i = 0; i < 8; i++) {
    if (i === gapStart) {
      text[length++] = 0x3a;
      text[length++] = 0x3a;
      i = gapEnd - 1;
      continue;
    }
    if (i > 0 && i !== gapEnd) text[length++] = 0x3a;
    length = writeGroup(groups[i] ?? 0, length);
  }
  return length;
}

function writeGroup(group: number, at: number): number {
  let length = at;
  for (let shift = 12; shift >= 0; shift -= 4)
    if (group >>> shift !== 0 || shift === 0)
      text[length++] = '0123456789abcdef'.charCodeAt((group >>> shift) & 15);
  return length;
}
