import { hexDigit } from '../batch/ip-text.js';
import { TextBuffer } from '../batch/text-buffer.js';

const SLASH = 0x2f;
/** Segments and bytes that a template keeps: a bound for the dictionary, whatever a scanner sends. */
const MAX_SEGMENTS = 16;
const MAX_BYTES = 256;
const PLACEHOLDER = '{id}';

/**
 * Path of a URL (absolute, or only a path) without query and fragment, ids replaced by `{id}`, so that calls of one
 * endpoint share one name. A segment with a digit is an id when it is a number, a UUID, eight or more hex digits, or twenty
 * or more characters with four digits or four capitals; inside other segments runs of four and more digits are ids.
 * `v1`, `k8s` and the like stay. More than 16 segments, or 256 bytes, end in `…`. No path is `/`; no URL is ''.
 */
export function pathTemplate(url: string): string {
  const bytes = new TextEncoder().encode(url);
  const out = new TextBuffer();
  writePathTemplate(out, bytes, 0, bytes.length);
  return out.toString();
}

/** {@link pathTemplate} of `bytes[start, end)`, appended to `out`. */
export function writePathTemplate(out: TextBuffer, bytes: Uint8Array, start: number, end: number): void {
  if (start === end) return;
  const stop = pathEnd(bytes, start, end);
  let i = pathStart(bytes, start, stop);
  if (i === stop) {
    out.byte(SLASH);
    return;
  }
  const limit = out.pos + MAX_BYTES;
  for (let segments = 0; i < stop; segments++) {
    if (bytes[i] === SLASH) {
      out.byte(SLASH);
      i++;
    }
    let next = i;
    while (next < stop && bytes[next] !== SLASH) next++;
    if (segments === MAX_SEGMENTS || out.pos + next - i > limit) {
      out.text('…');
      return;
    }
    writeSegment(out, bytes, i, next);
    i = next;
  }
}

/** End of the path: the query or fragment, or the end. */
function pathEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) if (bytes[i] === 0x3f || bytes[i] === 0x23) return i;
  return end;
}

/** Start of the path: behind `scheme://authority` when there is one. */
function pathStart(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] === SLASH) return start;
  for (let i = start; i + 2 < end; i++) {
    if (bytes[i] !== 0x3a || bytes[i + 1] !== SLASH || bytes[i + 2] !== SLASH) continue;
    let at = i + 3;
    while (at < end && bytes[at] !== SLASH) at++;
    return at;
  }
  return start;
}

function writeSegment(out: TextBuffer, bytes: Uint8Array, start: number, end: number): void {
  let digits = 0;
  let hex = 0;
  let dashes = 0;
  let capitals = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte >= 0x30 && byte <= 0x39) digits++;
    else if (byte >= 0x41 && byte <= 0x5a) capitals++;
    if (hexDigit(byte) >= 0) hex++;
    if (byte === 0x2d) dashes++;
  }
  const length = end - start;
  const isHex = (length >= 8 && hex === length) || (length === 36 && hex === 32 && dashes === 4);
  const isToken = length >= 20 && (digits >= 4 || capitals >= 4);
  if (digits === 0) out.copy(bytes, start, end);
  else if (digits === length || isHex || isToken) out.ascii(PLACEHOLDER);
  else writeDigitRuns(out, bytes, start, end);
}

function writeDigitRuns(out: TextBuffer, bytes: Uint8Array, start: number, end: number): void {
  let i = start;
  while (i < end) {
    let next = i;
    while (next < end && (bytes[next] ?? 0) >= 0x30 && (bytes[next] ?? 0) <= 0x39) next++;
    if (next - i >= 4) out.ascii(PLACEHOLDER);
    else if (next > i) out.copy(bytes, i, next);
    if (next < end) out.byte(bytes[next] ?? 0);
    i = next + 1;
  }
}
