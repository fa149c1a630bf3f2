import { describe, expect, it } from 'vitest';
import { ByteTable } from './byte-table.js';
import { INVALID_UTF8, StringTable } from './string-table.js';

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const encode = (text: string) => new TextEncoder().encode(text);

describe('the byte table', () => {
  it('gives equal bytes one id and different bytes different ones, also when their 32-bit hashes are equal', () => {
    const table = new ByteTable();
    const keys = Array.from({ length: 300_000 }, (_, i) => encode(`k${i.toString(36)}`));
    // By the birthday bound about ten pairs of these share a hash.
    const ids = keys.map((key) => table.id(viewOf(key), key, 0, key.length));
    expect(new Set(ids).size).toBe(keys.length);
    expect(keys.every((key, i) => table.id(viewOf(key), key, 0, key.length) === ids[i])).toBe(true);
    expect(keys.every((key, i) => table.find(viewOf(key), key, 0, key.length) === ids[i])).toBe(true);
    expect(Buffer.from(table.bytesOf(ids[777] ?? 0)).equals(Buffer.from(keys[777] ?? []))).toBe(true);
  });

  it('has id 0 for nothing, -1 for what it was not given, and compares every byte', () => {
    const table = new ByteTable();
    const bytes = encode('abcdefghijklmnopqrstuvwxyz');
    const id = table.id(viewOf(bytes), bytes, 0, bytes.length);
    expect([table.id(viewOf(bytes), bytes, 3, 3), table.find(viewOf(bytes), bytes, 0, 5)]).toEqual([0, -1]);
    for (let i = 0; i < bytes.length; i++) {
      const other = bytes.slice();
      other[i] = 0;
      expect(table.is(id, viewOf(other), other, 0, other.length)).toBe(false);
    }
    expect(table.is(id, viewOf(bytes), bytes, 0, bytes.length - 1)).toBe(false);
  });

  it('compares every byte of a long run, wherever it lies', () => {
    const table = new ByteTable();
    const bytes = Uint8Array.from({ length: 700 }, (_, i) => i % 251);
    table.id(viewOf(bytes), bytes, 0, 5);
    for (const length of [127, 128, 129, 500, 690]) {
      const id = table.id(viewOf(bytes), bytes, 3, 3 + length);
      const other = new Uint8Array(length + 7);
      other.set(bytes.subarray(3, 3 + length), 7);
      expect(table.is(id, viewOf(other), other, 7, 7 + length)).toBe(true);
      for (let i = 7; i < other.length; i++) {
        other[i] = (other[i] ?? 0) ^ 0x80;
        expect(table.is(id, viewOf(other), other, 7, 7 + length)).toBe(false);
        other[i] = (other[i] ?? 0) ^ 0x80;
      }
    }
  });

  it('forgets an id it takes back, and finds the others', () => {
    const table = new ByteTable();
    const keys = Array.from({ length: 1000 }, (_, i) => encode(`key ${i}`));
    for (const [i, key] of keys.entries()) {
      table.id(viewOf(key), key, 0, key.length);
      if (i % 3 === 0) table.forgetLast();
    }
    const found = keys.map((key) => table.find(viewOf(key), key, 0, key.length) >= 0);
    expect(found).toEqual(keys.map((_, i) => i % 3 !== 0));
  });
});

describe('the string table', () => {
  it('refuses bytes that are no UTF-8 every time, also when they are known as bytes', () => {
    const strings = new StringTable();
    const bad = Uint8Array.of(0xc3, 0x28);
    const ids = () => [strings.id(viewOf(bad), bad, 0, 2), strings.idLike(1, viewOf(bad), bad, 0, 2)];
    expect([...ids(), ...ids()]).toEqual(Array.from({ length: 4 }, () => INVALID_UTF8));
    expect(strings.idOfBytes(viewOf(bad), bad, 0, 2)).toBeGreaterThan(0);
    expect(strings.id(viewOf(bad), bad, 0, 2)).toBe(INVALID_UTF8);
  });

  it('gives texts back', () => {
    const strings = new StringTable();
    const ids = ['', 'a', 'ünï', 'a'].map((text) => strings.idOfText(text));
    expect(ids[1]).toBe(ids[3]);
    expect(ids.map((id) => strings.textOf(id))).toEqual(['', 'a', 'ünï', 'a']);
  });
});
