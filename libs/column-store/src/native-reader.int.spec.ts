import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStore, type TestStore } from '@flowledger/testkit';
import { encodeNativeBlock } from './native.js';
import { decodeNativeBlocks } from './native-reader.js';

let store: TestStore;

beforeAll(async () => {
  store = await startTestStore();
});
afterAll(() => store.stop());

async function native(sql: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const stream = await store.store('reader').readNative({ name: 'test', sql, params: {}, settings: {} });
  for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const COLUMNS = `toUInt16(number) AS a, toInt64(number) * -1000000000000 AS b, toString(number) AS c,
  toLowCardinality(concat('v', toString(number % 300))) AS d,
  arrayMap(x -> toString(x), range(number % 4)) AS e,
  CAST(arrayMap(x -> toString(x), range(number % 3)), 'Array(LowCardinality(String))') AS f,
  toIPv6('::ffff:10.0.0.1') AS g, toUUID('43eea867-dd4b-4e5e-b2b8-fe80e0f51b06') AS h,
  fromUnixTimestamp64Nano(toInt64(number), 'UTC') AS i`;

describe('reading Native blocks', () => {
  it('gives blocks that written again are the bytes that the engine sent', async () => {
    for (const rows of [1, 3, 2000]) {
      const bytes = await native(`SELECT ${COLUMNS} FROM numbers(${rows})`);
      const batches = decodeNativeBlocks(bytes, 't');
      expect(batches.reduce((sum, batch) => sum + batch.rows, 0)).toBe(rows);
      for (const batch of batches) {
        const again = decodeNativeBlocks(Buffer.concat(encodeNativeBlock(batch)), 't');
        expect(again).toEqual([batch]);
      }
      const [first] = batches;
      expect(first?.columns.map(({ name }) => name).join('')).toBe('abcdefghi');
      const [text] = first?.columns.filter(({ name }) => name === 'c') ?? [];
      expect(text).toMatchObject({ kind: 'bytes' });
    }
  });

  it('takes a cut answer for a fault, and an empty one for no rows', async () => {
    expect(decodeNativeBlocks(await native(`SELECT ${COLUMNS} FROM numbers(0)`), 't')).toEqual([]);
    const bytes = await native(`SELECT ${COLUMNS} FROM numbers(10)`);
    for (const length of [1, 20, bytes.length - 1])
      expect(() => decodeNativeBlocks(bytes.subarray(0, length), 't')).toThrow(/ends too early/);
    expect(() => decodeNativeBlocks(new Uint8Array([1, 1, 1, 97, 4, 68, 97, 116, 101, 0, 0]), 't')).toThrow(
      /type Date/,
    );
  });
});
