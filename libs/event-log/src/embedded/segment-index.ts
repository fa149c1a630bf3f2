import { crc32 } from 'node:zlib';
import { SEGMENT_HEADER_BYTES } from './record.js';

/** A record's place in a segment file. */
export interface RecordPlace {
  readonly offset: bigint;
  readonly position: number;
}

/** What is known of a segment without reading its records. */
export interface SegmentSummary {
  readonly base: bigint;
  /** One past the last record. */
  readonly end: bigint;
  readonly eventsBefore: bigint;
  readonly eventsBeforeEnd: bigint;
  /** Length of the file. */
  readonly bytes: number;
  /** Latest and earliest append time of its records, ms; 0 when it has none. */
  readonly newestMs: number;
  readonly oldestMs: number;
}

/** Bytes of segment per index entry: the most a read has to walk over. */
const SPACING_BYTES = 256 * 1024;
const INDEX_MAGIC = 0x31494c46;
const FIXED_BYTES = 8 + 8 * 8;

/** Offset to position for a few records of one segment. Places are noted in any order that rises over new ground. */
export class SparseIndex {
  private readonly places: RecordPlace[];

  constructor(base: bigint, places: readonly RecordPlace[] = []) {
    this.places = [{ offset: base, position: SEGMENT_HEADER_BYTES }, ...places];
  }

  /** Remembers a record's place when the last remembered one is far enough behind. */
  note(offset: bigint, position: number): void {
    const last = this.places[this.places.length - 1];
    if (last === undefined || position >= last.position + SPACING_BYTES)
      this.places.push({ offset, position });
  }

  /** The last remembered place at or before `offset`. */
  floor(offset: bigint): RecordPlace {
    let low = 0;
    let high = this.places.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const place = this.places[middle];
      if (place !== undefined && place.offset <= offset) low = middle;
      else high = middle - 1;
    }
    return this.places[low] ?? { offset, position: SEGMENT_HEADER_BYTES };
  }

  /** Remembered places after the implied first one. */
  entries(): readonly RecordPlace[] {
    return this.places.slice(1);
  }
}

/** The index file of a sealed segment: a cache, rebuilt from the segment when it is missing or damaged. */
export function encodeIndex(summary: SegmentSummary, index: SparseIndex): Buffer {
  const entries = index.entries();
  const bytes = Buffer.alloc(FIXED_BYTES + entries.length * 16);
  const fixed = [
    summary.base,
    summary.end,
    summary.eventsBefore,
    summary.eventsBeforeEnd,
    BigInt(summary.bytes),
    BigInt(summary.newestMs),
    BigInt(summary.oldestMs),
    BigInt(entries.length),
  ];
  bytes.writeUInt32LE(INDEX_MAGIC, 0);
  fixed.forEach((value, at) => bytes.writeBigUInt64LE(value, 8 + at * 8));
  entries.forEach((place, at) => {
    bytes.writeBigUInt64LE(place.offset, FIXED_BYTES + at * 16);
    bytes.writeBigUInt64LE(BigInt(place.position), FIXED_BYTES + at * 16 + 8);
  });
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** Content of an index file; undefined when damaged. */
export function decodeIndex(bytes: Buffer): { summary: SegmentSummary; index: SparseIndex } | undefined {
  if (bytes.length < FIXED_BYTES || bytes.readUInt32LE(0) !== INDEX_MAGIC) return undefined;
  if (crc32(bytes.subarray(8)) !== bytes.readUInt32LE(4)) return undefined;
  const field = (at: number): bigint => bytes.readBigUInt64LE(8 + at * 8);
  const count = Number(field(7));
  if (bytes.length !== FIXED_BYTES + count * 16) return undefined;
  const places: RecordPlace[] = [];
  for (let at = FIXED_BYTES; at < bytes.length; at += 16) {
    places.push({ offset: bytes.readBigUInt64LE(at), position: Number(bytes.readBigUInt64LE(at + 8)) });
  }
  const summary: SegmentSummary = {
    base: field(0),
    end: field(1),
    eventsBefore: field(2),
    eventsBeforeEnd: field(3),
    bytes: Number(field(4)),
    newestMs: Number(field(5)),
    oldestMs: Number(field(6)),
  };
  return { summary, index: new SparseIndex(summary.base, places) };
}
