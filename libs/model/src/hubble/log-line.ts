import type { WireWriter } from '../wire/wire-writer.js';
import { BACKSLASH, OPEN_BRACE, QUOTE } from './json-scanner.js';

const MSG = [...'msg="'].map((letter) => letter.charCodeAt(0));
const SIMPLE: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 };
const HEX_LENGTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * Writes the JSON text that a log line carries into `out`: the quoted message of a key=value line (`level=info
 * msg="{\"flow\":…}"`, cilium#31422), or what follows a container runtime's prefix (`<time> stdout F {…`). False when
 * there is none.
 */
export function unwrapLogLine(bytes: Uint8Array, start: number, end: number, out: WireWriter): boolean {
  const quoted = messageStart(bytes, start, end);
  if (quoted >= 0) return unquote(bytes, quoted, end, out);
  for (let i = start + 1; i < end; i++) {
    if (bytes[i] !== OPEN_BRACE || bytes[i - 1] !== 0x20) continue;
    out.copy(bytes, i, end);
    return true;
  }
  return false;
}

/** Where the text behind `msg="` starts, when it looks like an object; -1 otherwise. */
function messageStart(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i + MSG.length < end; i++) {
    if (i > start && bytes[i - 1] !== 0x20) continue;
    if (MSG.every((byte, k) => bytes[i + k] === byte) && bytes[i + MSG.length] === OPEN_BRACE)
      return i + MSG.length;
  }
  return -1;
}

/** Undoes Go's %q up to the closing quote; false when the text is cut or an escape is unknown. */
function unquote(bytes: Uint8Array, start: number, end: number, out: WireWriter): boolean {
  out.reserve(end - start);
  let i = start;
  while (i < end) {
    const byte = bytes[i++] ?? 0;
    if (byte === QUOTE) return true;
    if (byte !== BACKSLASH) {
      out.buf[out.pos++] = byte;
      continue;
    }
    const letter = String.fromCharCode(bytes[i++] ?? 0);
    const digits = HEX_LENGTH[letter];
    if (digits === undefined) out.buf[out.pos++] = SIMPLE[letter] ?? letter.charCodeAt(0);
    else {
      const hex = String.fromCharCode(...bytes.subarray(i, i + digits));
      if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length !== digits) return false;
      writeEscape(out, letter, Number.parseInt(hex, 16));
      i += digits;
    }
  }
  return false;
}

/** `\x` is a byte, `\u` and `\U` are code points. */
function writeEscape(out: WireWriter, letter: string, value: number): void {
  if (letter === 'x') {
    out.reserve(1);
    out.buf[out.pos++] = value;
  } else out.raw(new TextEncoder().encode(value <= 0x10ffff ? String.fromCodePoint(value) : '\ufffd'));
}
