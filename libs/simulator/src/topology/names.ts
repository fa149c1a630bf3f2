import { hash32 } from '../random.js';

/** Letters and digits that Kubernetes uses for generated name parts (`rand.SafeEncodeString`): no vowels. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';
const HEX = '0123456789abcdef';

/** A generated name part of the given length, as after the last dash of a pod name. */
export function generatedPart(seed: number, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += SAFE[hash32(seed, i, length) % SAFE.length] ?? 'x';
  return text;
}

/** Lower-case hexadecimal text of the given number of digits. */
export function hexText(seed: number, digits: number): string {
  let text = '';
  for (let i = 0; i < digits; i += 8) {
    let word = hash32(seed, i, digits, 7);
    for (let j = i; j < digits && j < i + 8; j++) {
      text += HEX[word & 15] ?? '0';
      word >>>= 4;
    }
  }
  return text;
}

/** A locally administered unicast MAC address. */
export function macText(seed: number): string {
  const hex = hexText(seed, 10);
  return `${HEX[hash32(seed, 3) & 15] ?? '0'}e:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}:${hex.slice(8, 10)}`;
}

/** Text of a version 4 UUID. */
export function uuidText(seed: number, more: number): string {
  const hex = hexText(hash32(seed, more, 1), 16) + hexText(hash32(seed, more, 2), 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
