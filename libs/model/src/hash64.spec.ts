import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hash64 } from './hash64.js';

const of = (text: string) => hash64(new TextEncoder().encode(text));

describe('the 64-bit hash', () => {
  it('never changes between versions: stored keys depend on it', () => {
    expect(['', 'a', 'abcd', 'abcde', 'The quick brown fox'].map(of)).toEqual(GOLDEN);
  });

  it('differs for texts that differ, in the low and in the high half', () => {
    const hashes = Array.from({ length: 100_000 }, (_, i) => of(`key-${i}`));
    expect(new Set(hashes).size).toBe(hashes.length);
    // Birthday bound for 32 bits: about one collision is expected among 100,000, more than ten would be a bad hash.
    for (const shift of [0n, 32n]) {
      const halves = new Set(hashes.map((hash) => (hash >> shift) & 0xffff_ffffn));
      expect(hashes.length - halves.size).toBeLessThan(10);
    }
  });

  it('sees where zeros end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }), (a, b) => {
        expect(hash64(new Uint8Array(a)) === hash64(new Uint8Array(b))).toBe(a === b);
      }),
    );
  });
});

/** Made by a second implementation of the description, in another language. */
const GOLDEN: readonly bigint[] = [
  5_783_649_802_762_885_852n,
  4_611_420_422_089_477_866n,
  108_929_746_236_887_970n,
  2_787_082_792_428_401_288n,
  9_971_934_140_819_753_632n,
];
