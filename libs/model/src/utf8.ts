import { isAscii as allAscii } from 'node:buffer';

/**
 * Whether `bytes[start, end)` is well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing
 * above U+10FFFF. Written out because a decoder that throws costs a string and an exception per value.
 */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let i = start;
  while (i < end) {
    const lead = bytes[i++] ?? 0;
    if (lead < 0x80) continue;
    const length = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || i + length > end) return false;
    const second = bytes[i] ?? 0;
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return false;
    for (let k = 1; k < length; k++) if (((bytes[i + k] ?? 0) & 0xc0) !== 0x80) return false;
    i += length;
  }
  return true;
}

/** Whether `bytes[start, end)` is ASCII, and so UTF-8: what nearly every line is. */
export function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  return allAscii(bytes.subarray(start, end));
}
