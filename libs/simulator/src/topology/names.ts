import { hash32 } from '../random.js';

/** Letters and digits that Kubernetes uses for generated name parts (`rand.SafeEncodeString`): no vowels. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';
const HEX = '0123456789abcdef';
const BYTE_TEXTS = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

/** A generated name part of the given length, as after the last dash of a pod name. */
export function generatedPart(seed: number, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += SAFE[hash32(seed, i, length) % SAFE.length] ?? 'x';
  return text;
}

/** A pod-template hash: a decimal number written with the digits' stand-ins in the same alphabet. */
export function templateHash(seed: number): string {
  const digits = String(1_000_000_000 + (seed % 3_294_967_295));
  return Array.from(digits, (digit) => SAFE[digit.charCodeAt(0) % SAFE.length] ?? 'x').join('');
}

/** Lower-case hexadecimal text of the given number of digits. */
export function hexText(seed: number, digits: number): string {
  let text = '';
  for (let i = 0; i < digits; i += 8) text += hexWord(hash32(seed, i, digits, 7));
  return text.length === digits ? text : text.slice(0, digits);
}

/** Eight hexadecimal digits of a 32-bit number. */
function hexWord(word: number): string {
  return `${byteText(word >>> 24)}${byteText(word >>> 16)}${byteText(word >>> 8)}${byteText(word)}`;
}

function byteText(value: number): string {
  return BYTE_TEXTS[value & 255] ?? '00';
}

/** A locally administered unicast MAC address. */
export function macText(seed: number): string {
  const hex = hexText(seed, 10);
  return `${HEX[hash32(seed, 3) & 15] ?? '0'}e:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}:${hex.slice(8, 10)}`;
}

/** Text of a version 4 UUID; four words, each from all the numbers, so that neighbours never share one. */
export function uuidText(a: number, b: number, c = 0, d = 0): string {
  const first = hash32(a ^ 0x243f6a88, b, c, d);
  const second = hash32(a ^ 0x13198a2e, b, c, d);
  const third = hash32(a ^ 0x299f31d0, b, c, d);
  const version = byteText(0x40 | ((second >>> 8) & 15));
  const variant = byteText(0x80 | ((third >>> 24) & 63));
  const middle = `${byteText(second >>> 24)}${byteText(second >>> 16)}-${version}${byteText(second)}`;
  const last = `${byteText(third >>> 8)}${byteText(third)}${hexWord(hash32(a ^ 0x452821e6, b, c, d))}`;
  return `${hexWord(first)}-${middle}-${variant}${byteText(third >>> 16)}-${last}`;
}

/** Text of a W3C trace id, 32 hexadecimal digits. */
export function traceIdText(a: number, b: number, c: number): string {
  let text = '';
  for (let word = 0; word < 4; word++) text += hexWord(hash32(a, b, c, 900 + word));
  return text;
}
