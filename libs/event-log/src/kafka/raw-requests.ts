import type { RawRequest } from './protocol.js';

/** What names a topic for ever: the cluster, and the id the topic got when it was created (Kafka 2.8 and newer). */
export interface TopicIdentity {
  readonly clusterId: string;
  /** 16 bytes. */
  readonly topicId: Buffer;
}

const METADATA = 3;
const DESCRIBE_LOG_DIRS = 35;
const TOPIC_ID_BYTES = 16;
const NO_TAGS = Buffer.from([0]);

function asEncoded(buffer: Buffer): { buf: Buffer; buffer: Buffer; size: () => number } {
  return { buf: buffer, buffer, size: () => buffer.length };
}

function unsignedVarint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function compactString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([unsignedVarint(bytes.length + 1), bytes]);
}

function plainString(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Reads an answer from front to back. Throws RangeError when it is shorter than it says. */
class AnswerReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new RangeError('the answer is cut off');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  int16(): number {
    return this.take(2).readInt16BE();
  }

  int32(): number {
    return this.take(4).readInt32BE();
  }

  int64(): bigint {
    return this.take(8).readBigInt64BE();
  }

  plainString(): string {
    const length = this.int16();
    return length < 0 ? '' : this.take(length).toString();
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.take(1).readUInt8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('the answer holds a number that is too long');
  }

  compactString(): string {
    const length = this.unsignedVarint() - 1;
    return length < 0 ? '' : this.take(length).toString();
  }

  tags(): void {
    const count = this.unsignedVarint();
    for (let i = 0; i < count; i++) {
      this.unsignedVarint();
      this.take(this.unsignedVarint());
    }
  }
}

/** Runs `count` times `read` and collects what it returns. */
function times<T>(count: number, read: () => T): T[] {
  return Array.from({ length: Math.max(0, count) }, read);
}

interface IdentityAnswer extends TopicIdentity {
  readonly errorCode: number;
}

/**
 * Metadata version 10, the first that tells a topic's id; kafkajs stops at version 6. The answer's error code is the
 * topic's; 0 is none. Source: the protocol's MetadataRequest.json and MetadataResponse.json.
 */
export function topicIdentityRequest(topic: string): RawRequest<IdentityAnswer> {
  const body = Buffer.concat([
    NO_TAGS,
    unsignedVarint(2),
    Buffer.alloc(TOPIC_ID_BYTES),
    compactString(topic),
    NO_TAGS,
    // Create nothing; tell nothing about authorised operations.
    Buffer.from([0, 0, 0]),
    NO_TAGS,
  ]);
  return {
    request: {
      apiKey: METADATA,
      apiVersion: 10,
      apiName: 'Metadata',
      encode: async () => asEncoded(body),
    },
    response: {
      decode: async (bytes) => decodeIdentity(new AnswerReader(bytes)),
      parse: async (answer) => answer,
    },
  };
}

function decodeIdentity(reader: AnswerReader): IdentityAnswer {
  reader.tags();
  reader.int32();
  times(reader.unsignedVarint() - 1, () => {
    reader.int32();
    reader.compactString();
    reader.int32();
    reader.compactString();
    reader.tags();
  });
  const clusterId = reader.compactString();
  reader.int32();
  if (reader.unsignedVarint() - 1 !== 1) throw new RangeError('the answer names no topic');
  const errorCode = reader.int16();
  reader.compactString();
  return { clusterId, errorCode, topicId: Buffer.from(reader.take(TOPIC_ID_BYTES)) };
}

/**
 * DescribeLogDirs version 1: bytes that a broker keeps of one partition. kafkajs has no such request. Source: the
 * protocol's DescribeLogDirsRequest.json and DescribeLogDirsResponse.json.
 */
export function partitionBytesRequest(topic: string, partition: number): RawRequest<bigint> {
  const body = Buffer.concat([int32(1), plainString(topic), int32(1), int32(partition)]);
  return {
    request: {
      apiKey: DESCRIBE_LOG_DIRS,
      apiVersion: 1,
      apiName: 'DescribeLogDirs',
      encode: async () => asEncoded(body),
    },
    response: {
      decode: async (bytes) => decodeBytes(new AnswerReader(bytes)),
      parse: async (answer) => answer,
    },
  };
}

function decodeBytes(reader: AnswerReader): bigint {
  reader.int32();
  let total = 0n;
  times(reader.int32(), () => {
    reader.int16();
    reader.plainString();
    times(reader.int32(), () => {
      reader.plainString();
      times(reader.int32(), () => {
        reader.int32();
        total += reader.int64();
        reader.int64();
        reader.take(1);
      });
    });
  });
  return total;
}
