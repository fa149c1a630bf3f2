/**
 * The 64-bit hash of Flowledger, version 1: label sets, fallback keys and event keys are made with it, so it must never
 * change (a replay must give the same rows). Not cryptographic.
 *
 * Two 32-bit lanes a and b, no BigInt. Start: a = 0x9ae16a3b, b = 0x2f90404f. For each 32-bit word w:
 *   a = rotl(a ^ (w × 0xcc9e2d51), 15) × 5 + 0xe6546b64,  b = rotl(b ^ (w × 0x1b873593), 13) × 5 + 0x561ccd1b
 * (all mod 2^32). Bytes are fed as little-endian words, the last one padded with zeros, followed by their count.
 * End, with murmur3's 32-bit finaliser f: a = f(a + b), b = f(b + a), a += b, b += a; value = b × 2^32 + a, 1 for 0.
 */
export class Hash64 {
  /** Low and high half after {@link finish}, unsigned. */
  lo = 0;
  hi = 0;
  #a = 0;
  #b = 0;

  constructor() {
    this.reset();
  }

  reset(): void {
    this.#a = 0x9ae16a3b | 0;
    this.#b = 0x2f90404f;
  }

  word(word: number): void {
    const a = this.#a ^ Math.imul(word, 0xcc9e2d51);
    const b = this.#b ^ Math.imul(word, 0x1b873593);
    this.#a = (Math.imul((a << 15) | (a >>> 17), 5) + 0xe6546b64) | 0;
    this.#b = (Math.imul((b << 13) | (b >>> 19), 5) + 0x561ccd1b) | 0;
  }

  bytes(bytes: Uint8Array, start = 0, end = bytes.length): void {
    let i = start;
    for (; i + 4 <= end; i += 4)
      this.word(
        (bytes[i] ?? 0) |
          ((bytes[i + 1] ?? 0) << 8) |
          ((bytes[i + 2] ?? 0) << 16) |
          ((bytes[i + 3] ?? 0) << 24),
      );
    let tail = 0;
    for (let k = 0; i + k < end; k++) tail |= (bytes[i + k] ?? 0) << (8 * k);
    if (i < end) this.word(tail);
    this.word(end - start);
  }

  finish(): void {
    let a = this.#a;
    let b = this.#b;
    a = mix((a + b) | 0);
    b = mix((b + a) | 0);
    a = (a + b) | 0;
    b = (b + a) | 0;
    if ((a | b) === 0) a = 1;
    this.lo = a >>> 0;
    this.hi = b >>> 0;
  }

  /** The hash so far as one number. */
  value(): bigint {
    this.finish();
    return (BigInt(this.hi) << 32n) | BigInt(this.lo);
  }
}

function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** {@link Hash64} of one run of bytes; never 0. */
export function hash64(bytes: Uint8Array): bigint {
  const hash = new Hash64();
  hash.bytes(bytes);
  return hash.value();
}
