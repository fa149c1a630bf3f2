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

/** Text of a version 4 UUID. */
export function uuidText(seed: number, more: number): string {
  const a = hexWord(hash32(seed, more, 1));
  const b = hash32(seed, more, 2);
  const c = hash32(seed, more, 3);
  const version = byteText(0x40 | ((b >>> 8) & 15));
  const variant = byteText(0x80 | ((c >>> 24) & 63));
  const middle = `${byteText(b >>> 24)}${byteText(b >>> 16)}-${version}${byteText(b)}`;
  const last = `${byteText(c >>> 8)}${byteText(c)}${hexWord(hash32(seed, more, 4))}`;
  return `${a}-${middle}-${variant}${byteText(c >>> 16)}-${last}`;
}
