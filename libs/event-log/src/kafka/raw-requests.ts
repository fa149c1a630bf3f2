import type { RawRequest } from './protocol.js';
import { AnswerReader, asEncoded, compactString, int32, plainString, times, unsignedVarint } from './wire.js';

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
