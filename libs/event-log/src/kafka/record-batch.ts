import { crc32c } from './crc32c.js';

/** A record to be written. */
export interface OutgoingRecord {
  readonly key: Buffer | null;
  /** Null: a tombstone, in a compacted topic. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a batch says beside its records. */
export interface BatchHeader {
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  /** Number of the codec of `records`. */
  readonly codec: number;
  readonly count: number;
  /** Append time of all records, ms since 1970. */
  readonly timestampMs: number;
}

/**
 * Record batch, magic 2, big endian (the protocol's "Record Batch"); the CRC covers everything after itself:
 *
 *     0 base offset i64 | 8 length i32 | 12 leader epoch i32 | 16 magic i8 | 17 crc u32 | 21 attributes i16
 *     23 last offset delta i32 | 27 first and 35 largest timestamp i64 | 43 producer id i64 | 51 producer epoch i16
 *     53 first sequence i32 | 57 count i32 | 61 records
 */
const BATCH_HEADER_BYTES = 61;
const CHECKED_FROM = 21;
const LENGTH_FROM = 12;
const MAGIC = 2;

/** Bytes of a number as `varint` writes it; -1 stands for null. */
function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = zigZag(value); rest > 127; rest >>>= 7) bytes++;
  return bytes;
}

function zigZag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function fieldBytes(length: number | undefined): number {
  return length === undefined ? 1 : varintBytes(length) + length;
}

/** A record's headers as bytes, and how long everything behind its length is. */
interface Measured {
  readonly record: OutgoingRecord;
  readonly headers: readonly (readonly [Buffer, Buffer])[];
  readonly bytes: number;
}

function measure(record: OutgoingRecord, offsetDelta: number): Measured {
  const headers = Object.entries(record.headers).map(
    ([name, text]) => [Buffer.from(name), Buffer.from(text)] as const,
  );
  // Attributes and a timestamp delta of 0 take a byte each.
  let bytes = 2 + varintBytes(offsetDelta) + varintBytes(headers.length);
  bytes += fieldBytes(record.key?.length) + fieldBytes(record.value?.length);
  for (const [name, text] of headers) bytes += fieldBytes(name.length) + fieldBytes(text.length);
  return { record, headers, bytes };
}

/** Writes into a buffer whose length was worked out before. */
class RecordWriter {
  private at = 0;

  constructor(readonly buffer: Buffer) {}

  varint(value: number): void {
    let rest = zigZag(value);
    for (; rest > 127; rest >>>= 7) this.buffer[this.at++] = (rest & 127) | 128;
    this.buffer[this.at++] = rest;
  }

  field(bytes: Buffer | null): void {
    this.varint(bytes?.length ?? -1);
    if (bytes !== null) this.at += bytes.copy(this.buffer, this.at);
  }

  record({ record, headers, bytes }: Measured, offsetDelta: number): void {
    this.varint(bytes);
    // Attributes, which are not in use, and the timestamp delta.
    this.varint(0);
    this.varint(0);
    this.varint(offsetDelta);
    this.field(record.key);
    this.field(record.value);
    this.varint(headers.length);
    for (const [name, text] of headers) {
      this.field(name);
      this.field(text);
    }
  }
}

/** The records of a batch, not yet compressed: one copy of every value, into a buffer of the right size. */
export function encodeRecords(records: readonly OutgoingRecord[]): Buffer {
  const measured = records.map(measure);
  const size = measured.reduce((sum, { bytes }) => sum + varintBytes(bytes) + bytes, 0);
  const writer = new RecordWriter(Buffer.allocUnsafe(size));
  for (const [offsetDelta, one] of measured.entries()) writer.record(one, offsetDelta);
  return writer.buffer;
}

/** A whole batch. `records` are {@link encodeRecords}, compressed with the codec that the header names. */
export function encodeBatch(header: BatchHeader, records: Uint8Array): Buffer {
  const batch = Buffer.alloc(BATCH_HEADER_BYTES + records.length);
  const timestamp = BigInt(Math.trunc(header.timestampMs));
  batch.writeInt32BE(batch.length - LENGTH_FROM, 8);
  batch.writeInt8(MAGIC, 16);
  batch.writeInt16BE(header.codec, 21);
  batch.writeInt32BE(header.count - 1, 23);
  batch.writeBigInt64BE(timestamp, 27);
  batch.writeBigInt64BE(timestamp, 35);
  batch.writeBigInt64BE(BigInt(header.producerId), 43);
  batch.writeInt16BE(header.producerEpoch, 51);
  batch.writeInt32BE(header.firstSequence, 53);
  batch.writeInt32BE(header.count, 57);
  batch.set(records, BATCH_HEADER_BYTES);
  batch.writeUInt32BE(crc32c(batch.subarray(CHECKED_FROM)), 17);
  return batch;
}
