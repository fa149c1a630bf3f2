import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBatch, referenceBatch, referenceCrc32c } from '../testing/kafkajs-batches.js';
import { compressionType, compressWith, registerCodecs } from './codecs.js';
import { crc32c } from './crc32c.js';
import { encodeBatch, encodeRecords, type OutgoingRecord } from './record-batch.js';

const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(fc.string({ minLength: 1 }), fc.string()),
});
const header = fc.record({
  producerId: fc.bigInt(0n, (1n << 63n) - 1n).map(String),
  producerEpoch: fc.nat(0x7fff),
  firstSequence: fc.nat(0x7fff_ffff),
  timestampMs: fc.nat({ max: 4_000_000_000_000 }),
});

describe('record batches', () => {
  it('are byte for byte what kafkajs writes', async () => {
    const batch = fc.array(record, { minLength: 1, maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(header, batch, async (head, records) => {
        const mine = encodeBatch({ ...head, codec: 0, count: records.length }, encodeRecords(records));
        expect(mine.toString('hex')).toBe((await referenceBatch(head, records)).toString('hex'));
      }),
    );
  });

  it('carry records of any size through lz4', async () => {
    registerCodecs();
    const value = Buffer.alloc(700_000, 'flow ');
    const records: OutgoingRecord[] = [
      { key: null, value, headers: { n: '700' } },
      { key: Buffer.from('k'), value: null, headers: {} },
    ];
    const packed = await compressWith('lz4', encodeRecords(records));
    const head = { producerId: '7', producerEpoch: 1, firstSequence: 9, timestampMs: 5 };
    const batch = encodeBatch({ ...head, codec: compressionType('lz4'), count: 2 }, packed);
    expect(batch.length).toBeLessThan(20_000);
    const read = await readBatch(batch);
    expect(read).toMatchObject({ producerId: '7', producerEpoch: 1, firstSequence: 9 });
    expect(read.records.map((one) => [one.key?.toString(), one.value?.length])).toEqual([
      [undefined, 700_000],
      ['k', undefined],
    ]);
    expect(Buffer.compare(read.records[0]?.value ?? Buffer.alloc(0), value)).toBe(0);
  });
});

describe('CRC-32C', () => {
  it('is what RFC 3720 gives for its examples', () => {
    expect(crc32c(new Uint8Array(32)).toString(16)).toBe('8a9136aa');
    expect(crc32c(new Uint8Array(32).fill(255)).toString(16)).toBe('62a8ab43');
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at)).toString(16)).toBe('46dd794e');
  });

  it('is the same at any length and place in memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(7), (array, skipped) => {
        const view = Buffer.from(array).subarray(skipped);
        expect(crc32c(view)).toBe(referenceCrc32c(view));
      }),
    );
  });
});
