import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAscii, isUtf8 } from './utf8.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodes(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Bytes that are often nearly UTF-8. */
const nearly = fc
  .tuple(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 3 }), fc.nat())
  .map(([text, noise, at]) => {
    const bytes = [...new TextEncoder().encode(text)];
    bytes.splice(at % (bytes.length + 1), 0, ...noise);
    return Uint8Array.from(bytes);
  });

describe('UTF-8', () => {
  it('is what the platform decoder accepts', () => {
    fc.assert(
      fc.property(fc.oneof(nearly, fc.uint8Array({ maxLength: 6 })), (bytes) => {
        expect(isUtf8(bytes, 0, bytes.length)).toBe(decodes(bytes));
      }),
      { numRuns: 5000 },
    );
  });

  it('has no overlong forms, no surrogates, and nothing above U+10FFFF', () => {
    const bad = [
      'c080',
      'c1bf',
      'e08080',
      'e09fbf',
      'eda080',
      'edbfbf',
      'f0808080',
      'f08fbfbf',
      'f4908080',
      'f5808080',
      'ff',
      '80',
      'e282',
    ];
    const good = ['7f', 'c280', 'e0a080', 'ed9fbf', 'ee8080', 'f0908080', 'f48fbfbf'];
    for (const hex of [...bad, ...good]) {
      const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
      expect([hex, isUtf8(bytes, 0, bytes.length)]).toEqual([hex, good.includes(hex)]);
    }
  });

  it('looks only at the stretch it is given', () => {
    const bytes = Uint8Array.of(0xff, 0x41, 0xc3, 0xbc, 0x42, 0xff);
    expect(isUtf8(bytes, 1, 5)).toBe(true);
    expect(isUtf8(bytes, 1, 3)).toBe(false);
  });

  it('is ASCII when no byte is above 127, at every offset and length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.nat(20), fc.nat(20), (bytes, a, b) => {
        const start = Math.min(a, b, bytes.length);
        const end = Math.min(Math.max(a, b), bytes.length);
        expect(isAscii(bytes, start, end)).toBe(bytes.subarray(start, end).every((byte) => byte < 128));
      }),
    );
  });
});
