import type { RawRequest } from './protocol.js';
import { AnswerReader, asEncoded, int32, plainString, times } from './wire.js';

/** Where an answer to a produce request says that a batch begins. */
export interface ProduceAnswer {
  readonly topics: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly baseOffset: bigint;
    }[];
  }[];
}

const PRODUCE = 0;
/** The first version that takes zstd; Kafka 2.1 and newer speak it, and topic ids need 2.8 anyway. */
const VERSION = 7;
const NO_TRANSACTION = Buffer.from([0xff, 0xff]);
const ALL_REPLICAS = Buffer.from([0xff, 0xff]);

/** Error codes of an answer to a produce request, and whether the same request may succeed later (the protocol's list). */
const ERRORS: Readonly<Record<number, readonly [type: string, retriable: boolean]>> = {
  2: ['CORRUPT_MESSAGE', true],
  3: ['UNKNOWN_TOPIC_OR_PARTITION', true],
  5: ['LEADER_NOT_AVAILABLE', true],
  6: ['NOT_LEADER_FOR_PARTITION', true],
  7: ['REQUEST_TIMED_OUT', true],
  9: ['REPLICA_NOT_AVAILABLE', true],
  10: ['MESSAGE_TOO_LARGE', false],
  13: ['NETWORK_EXCEPTION', true],
  17: ['INVALID_TOPIC_EXCEPTION', false],
  18: ['RECORD_LIST_TOO_LARGE', false],
  19: ['NOT_ENOUGH_REPLICAS', true],
  20: ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', true],
  29: ['TOPIC_AUTHORIZATION_FAILED', false],
  31: ['CLUSTER_AUTHORIZATION_FAILED', false],
  45: ['OUT_OF_ORDER_SEQUENCE_NUMBER', false],
  46: ['DUPLICATE_SEQUENCE_NUMBER', false],
  47: ['INVALID_PRODUCER_EPOCH', false],
  49: ['INVALID_PRODUCER_ID_MAPPING', false],
  56: ['KAFKA_STORAGE_ERROR', true],
  59: ['UNKNOWN_PRODUCER_ID', false],
  87: ['INVALID_RECORD', false],
};

/**
 * Produce version 7: one batch for one partition, acknowledged by all in-sync replicas within `timeoutMs`. kafkajs's own
 * copies a batch six times, into buffers that it doubles and clears as they grow. Rejects with an error that carries the
 * protocol's `type`, as kafkajs's do. Source: the protocol's ProduceRequest.json and ProduceResponse.json.
 */
export function produceRequest(
  topic: string,
  partition: number,
  batch: Buffer,
  timeoutMs: number,
): RawRequest<ProduceAnswer> {
  const head = [NO_TRANSACTION, ALL_REPLICAS, int32(timeoutMs), int32(1), plainString(topic), int32(1)];
  return {
    request: {
      apiKey: PRODUCE,
      apiVersion: VERSION,
      apiName: 'Produce',
      encode: async () => asEncoded(Buffer.concat([...head, int32(partition), int32(batch.length), batch])),
    },
    response: {
      decode: async (bytes) => decodeAnswer(new AnswerReader(bytes)),
      parse: async (answer) => refuseErrors(answer),
    },
  };
}

function decodeAnswer(reader: AnswerReader): ProduceAnswer {
  const topics = times(reader.int32(), () => ({
    topicName: reader.plainString(),
    partitions: times(reader.int32(), () => {
      const named = {
        partition: reader.int32(),
        errorCode: reader.int16(),
        baseOffset: reader.int64(),
      };
      // When it was appended, and where the log begins.
      reader.take(16);
      return named;
    }),
  }));
  return { topics };
}

function refuseErrors(answer: ProduceAnswer): ProduceAnswer {
  for (const { partitions } of answer.topics)
    for (const { errorCode } of partitions) {
      if (errorCode === 0) continue;
      const [type, retriable] = ERRORS[errorCode] ?? [`ERROR_${errorCode}`, false];
      const error = new Error(`the broker refuses a batch: ${type}`);
      throw Object.assign(error, { name: 'KafkaJSProtocolError', type, retriable });
    }
  return answer;
}
