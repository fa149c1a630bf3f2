import { crc32 } from 'node:zlib';

/**
 * Record layout, little endian; the CRC covers everything after itself:
 *
 *     0 magic u32 | 4 crc u32 | 8 stored length u32 | 12 codec u8, 3 reserved | 16 offset u64 | 24 appended ms u64
 *     32 events u32 | 36 value length u32 | 40 events before u64 | 48 synced before u64 | 56 payload
 */
export const RECORD_HEADER_BYTES = 56;
/** Length of the header that opens a segment file. */
export const SEGMENT_HEADER_BYTES = 64;
/** Format version written to and demanded of segments and heads. */
export const FORMAT_VERSION = 1;

const RECORD_MAGIC = 0x31524c46;
const SEGMENT_MAGIC = 0x31534c46;
const RECORD_MAGIC_BYTES = Buffer.from([0x46, 0x4c, 0x52, 0x31]);

/** How a payload is stored: 0 as it is, 1 LZ4 block with a size prefix. */
export type Codec = 0 | 1;

export interface RecordHeader {
  readonly storedLength: number;
  readonly codec: Codec;
  readonly offset: bigint;
  readonly appendedMs: number;
  readonly events: number;
  readonly valueLength: number;
  /** Events of all earlier records of the partition since its creation. */
  readonly eventsBefore: bigint;
  /**
   * Position in this segment up to which bytes were known to be on the disk when this record was written. Damage
   * before that position is corruption; damage after it can be a torn write.
   */
  readonly syncedBefore: number;
}

export interface SegmentHeader {
  readonly partition: number;
  readonly epoch: bigint;
  readonly base: bigint;
  readonly eventsBefore: bigint;
}

/** CRC start value of one partition of one log, so that bytes of another log never pass for records of this one. */
export function checksumSeed(epoch: bigint, partition: number): number {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64LE(epoch, 0);
  bytes.writeUInt32LE(partition, 8);
  return crc32(bytes);
}

/** The header for `payload`, CRC included. `header.storedLength` must be the payload's length. */
export function encodeRecordHeader(header: RecordHeader, payload: Uint8Array, seed: number): Buffer {
  const bytes = Buffer.alloc(RECORD_HEADER_BYTES);
  bytes.writeUInt32LE(RECORD_MAGIC, 0);
  bytes.writeUInt32LE(header.storedLength, 8);
  bytes.writeUInt8(header.codec, 12);
  bytes.writeBigUInt64LE(header.offset, 16);
  bytes.writeBigUInt64LE(BigInt(header.appendedMs), 24);
  bytes.writeUInt32LE(header.events, 32);
  bytes.writeUInt32LE(header.valueLength, 36);
  bytes.writeBigUInt64LE(header.eventsBefore, 40);
  bytes.writeBigUInt64LE(BigInt(header.syncedBefore), 48);
  bytes.writeUInt32LE(crc32(payload, crc32(bytes.subarray(8), seed)), 4);
  return bytes;
}

/** The header at `at`, not yet checked by CRC; undefined when fewer bytes are there or they are no header. */
export function decodeRecordHeader(bytes: Buffer, at: number): RecordHeader | undefined {
  if (at + RECORD_HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== RECORD_MAGIC) return undefined;
  const codec = bytes.readUInt8(at + 12);
  if (codec !== 0 && codec !== 1) return undefined;
  return {
    storedLength: bytes.readUInt32LE(at + 8),
    codec,
    offset: bytes.readBigUInt64LE(at + 16),
    appendedMs: Number(bytes.readBigUInt64LE(at + 24)),
    events: bytes.readUInt32LE(at + 32),
    valueLength: bytes.readUInt32LE(at + 36),
    eventsBefore: bytes.readBigUInt64LE(at + 40),
    syncedBefore: Number(bytes.readBigUInt64LE(at + 48)),
  };
}

/** Whether the record whose header was decoded at `at` lies wholly in `bytes` and passes its CRC. */
export function recordIsIntact(bytes: Buffer, at: number, header: RecordHeader, seed: number): boolean {
  const end = at + RECORD_HEADER_BYTES + header.storedLength;
  return end <= bytes.length && crc32(bytes.subarray(at + 8, end), seed) === bytes.readUInt32LE(at + 4);
}

/** Position of the next thing that looks like a record at or after `at`, or -1. */
export function findRecordMagic(bytes: Buffer, at: number): number {
  return bytes.indexOf(RECORD_MAGIC_BYTES, at);
}

/** The header that opens a segment file. */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.writeUInt32LE(SEGMENT_MAGIC, 0);
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.writeUInt32LE(header.partition, 12);
  bytes.writeBigUInt64LE(header.epoch, 16);
  bytes.writeBigUInt64LE(header.base, 24);
  bytes.writeBigUInt64LE(header.eventsBefore, 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** The opening header of a segment file; undefined when it is short, damaged or of another format version. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.readUInt32LE(0) !== SEGMENT_MAGIC) return undefined;
  const sound = crc32(bytes.subarray(8, SEGMENT_HEADER_BYTES)) === bytes.readUInt32LE(4);
  if (!sound || bytes.readUInt32LE(8) !== FORMAT_VERSION) return undefined;
  return {
    partition: bytes.readUInt32LE(12),
    epoch: bytes.readBigUInt64LE(16),
    base: bytes.readBigUInt64LE(24),
    eventsBefore: bytes.readBigUInt64LE(32),
  };
}
