import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.js';
import { decodeHeadFile, encodeHead, HEAD_FILE_BYTES } from './head.js';
import type { Head } from './head.js';
import { decodePayload, encodePayload } from './payload-codec.js';
import {
  checksumSeed,
  decodeRecordHeader,
  encodeRecordHeader,
  RECORD_HEADER_BYTES,
  recordIsIntact,
} from './record.js';
import { decodeIndex, encodeIndex, SparseIndex } from './segment-index.js';

const offset = fc.bigInt({ min: 0n, max: (1n << 63n) - 1n });
const size = fc.nat(2 ** 31);

describe('records', () => {
  const header = fc.record({
    codec: fc.constantFrom(0 as const, 1 as const),
    offset,
    appendedMs: fc.nat(2 ** 31),
    events: fc.nat(2 ** 31),
    valueLength: size,
    eventsBefore: offset,
    syncedBefore: size,
  });

  it('come back as they were written, and any changed bit is noticed', () => {
    fc.assert(
      fc.property(
        header,
        fc.uint8Array({ minLength: 1, maxLength: 60 }),
        fc.nat(),
        fc.nat(7),
        (fields, payload, at, bit) => {
          const seed = checksumSeed(5n, 3);
          const full = { ...fields, storedLength: payload.length };
          const bytes = Buffer.concat([encodeRecordHeader(full, payload, seed), payload]);
          const decoded = decodeRecordHeader(bytes, 0);
          expect(decoded).toEqual(full);
          expect(decoded !== undefined && recordIsIntact(bytes, 0, decoded, seed)).toBe(true);
          const place = at % bytes.length;
          bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << bit), place);
          const changed = decodeRecordHeader(bytes, 0);
          expect(changed !== undefined && recordIsIntact(bytes, 0, changed, seed)).toBe(false);
        },
      ),
    );
  });

  it('of another log or partition do not pass', () => {
    const payload = Buffer.from('flows');
    const rest = {
      codec: 0 as const,
      offset: 0n,
      appendedMs: 1,
      events: 1,
      valueLength: 5,
      eventsBefore: 0n,
      syncedBefore: 64,
    };
    const header = { ...rest, storedLength: 5 };
    const bytes = Buffer.concat([encodeRecordHeader(header, payload, checksumSeed(1n, 0)), payload]);
    expect(bytes.length).toBe(RECORD_HEADER_BYTES + 5);
    for (const seed of [checksumSeed(2n, 0), checksumSeed(1n, 1)]) {
      expect(recordIsIntact(bytes, 0, header, seed)).toBe(false);
    }
  });
});

describe('heads', () => {
  const head = (sequence: number): Head => ({
    sequence,
    start: 1n,
    eventsBeforeStart: 2n,
    end: BigInt(sequence),
    eventsBeforeEnd: 4n,
    acceptedEnd: 9n,
    bytes: 5,
    segmentBase: 6n,
    syncedPosition: 7,
    listVersion: 8,
  });

  it('show the newest sound slot, whichever of them a torn write has hit', () => {
    const file = Buffer.alloc(HEAD_FILE_BYTES);
    encodeHead(head(4)).copy(file, 0);
    encodeHead(head(5)).copy(file, 4096);
    expect(decodeHeadFile(file)).toEqual(head(5));
    file.writeUInt8(file.readUInt8(4096 + 30) ^ 1, 4096 + 30);
    expect(decodeHeadFile(file)).toEqual(head(4));
    file.writeUInt8(file.readUInt8(30) ^ 1, 30);
    expect(decodeHeadFile(file)).toBeUndefined();
    expect(decodeHeadFile(Buffer.alloc(10))).toBeUndefined();
  });
});

describe('indexes', () => {
  it('name a place at or before every offset, never further back than their spacing', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 60, max: 400_000 }), { maxLength: 40 }), (lengths) => {
        const index = new SparseIndex(10n);
        const positions: number[] = [];
        let position = 64;
        for (const length of lengths) {
          index.note(10n + BigInt(positions.length), position);
          positions.push(position);
          position += length;
        }
        const summary = {
          base: 10n,
          end: 10n + BigInt(lengths.length),
          eventsBefore: 1n,
          eventsBeforeEnd: 2n,
        };
        const file = encodeIndex({ ...summary, bytes: position, newestMs: 3, oldestMs: 2 }, index);
        const read = decodeIndex(file);
        expect(read?.summary).toMatchObject(summary);
        positions.forEach((place, at) => {
          const floor = read?.index.floor(10n + BigInt(at));
          expect(floor?.offset).toBeLessThanOrEqual(10n + BigInt(at));
          expect(positions[Number((floor?.offset ?? 10n) - 10n)]).toBe(floor?.position);
          expect(place - (floor?.position ?? 0)).toBeLessThan(256 * 1024);
        });
        file.writeUInt8(file.readUInt8(9) ^ 1, 9);
        expect(decodeIndex(file)).toBeUndefined();
      }),
    );
  });
});

describe('payloads', () => {
  it('come back byte for byte, and are stored as they are when compression does not pay', async () => {
    const noise = Buffer.from(
      Array.from({ length: 5_000 }, (_, at) => (Math.imul(at, 0x9e3779b1) >>> 24) & 255),
    );
    const text = Buffer.from('verdict FORWARDED '.repeat(500));
    for (const value of [Buffer.alloc(0), Buffer.from('short'), noise, text]) {
      const stored = await encodePayload(value);
      expect(Buffer.from((await decodePayload(stored)) ?? 'none').equals(value)).toBe(true);
      expect(stored.bytes.byteLength).toBeLessThanOrEqual(value.byteLength);
    }
    expect((await encodePayload(text)).codec).toBe(1);
  });

  it('that lie about their length are refused without allocating it', async () => {
    const huge = Buffer.from([0xff, 0xff, 0xff, 0x7f, 0x10, 0x61]);
    expect(await decodePayload({ codec: 1, bytes: huge, valueLength: 100 })).toBeUndefined();
    expect(await decodePayload({ codec: 1, bytes: huge.subarray(0, 2), valueLength: 100 })).toBeUndefined();
  });
});

describe('the byte budget', () => {
  it('admits in call order, never beyond the limit, and one that is too large goes alone', async () => {
    const wanted = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(wanted, async (sizes) => {
        const budget = new ByteBudget(100);
        const order: number[] = [];
        let used = 0;
        const tasks = sizes.map(async (bytes, at) => {
          await budget.acquire(bytes);
          order.push(at);
          used += bytes;
          expect(used <= 100 || used === bytes).toBe(true);
          await new Promise((resolve) => setImmediate(resolve));
          used -= bytes;
          budget.release(bytes);
        });
        await Promise.all(tasks);
        expect(order).toEqual(sizes.map((_, at) => at));
      }),
      { numRuns: 50 },
    );
  });
});
