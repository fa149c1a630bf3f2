import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSnappy } from './snappy.js';

/** Packs without compressing: literals of at most 60 bytes. */
function literals(text: Buffer): Buffer {
  const parts: Buffer[] = [];
  const length: number[] = [];
  for (let rest = text.length; ; rest >>>= 7) {
    length.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    if (rest < 0x80) break;
  }
  for (let at = 0; at < text.length; at += 60) {
    const part = text.subarray(at, at + 60);
    parts.push(Buffer.from([(part.length - 1) << 2]), part);
  }
  return Buffer.concat([Buffer.from(length), ...parts]);
}

function xerial(...blocks: Buffer[]): Buffer {
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const framed = blocks.flatMap((block) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    return [length, block];
  });
  return Buffer.concat([header, ...framed]);
}

describe('decodeSnappy', () => {
  it('unpacks literals of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(decodeSnappy(literals(Buffer.from(bytes))).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
  });

  it('unpacks copies that reach into what they write', () => {
    // Length 9; literal "abc"; copy of 6 bytes from 3 back (tag 01: length 4 to 11).
    const packed = Buffer.from([9, 2 << 2, 0x61, 0x62, 0x63, ((6 - 4) << 2) | 1, 3]);
    expect(decodeSnappy(packed).toString()).toBe('abcabcabc');
    // The same with a two-byte and a four-byte offset.
    expect(decodeSnappy(Buffer.from([9, 8, 0x61, 0x62, 0x63, (5 << 2) | 2, 3, 0])).toString()).toBe(
      'abcabcabc',
    );
    expect(decodeSnappy(Buffer.from([9, 8, 0x61, 0x62, 0x63, (5 << 2) | 3, 3, 0, 0, 0])).toString()).toBe(
      'abcabcabc',
    );
  });

  it('unpacks the blocks of xerial’s framing', () => {
    const [one, two] = [Buffer.from('one '), Buffer.from('two')];
    expect(decodeSnappy(xerial(literals(one), literals(two))).toString()).toBe('one two');
  });

  it('refuses damaged input with a RangeError, and nothing else', () => {
    expect(() => decodeSnappy(Buffer.from([9, 8, 0x61, 0x62, 0x63, 0x09, 9]))).toThrow(RangeError);
    expect(() => decodeSnappy(xerial(literals(Buffer.from('cut'))).subarray(0, 22))).toThrow(RangeError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeSnappy(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
