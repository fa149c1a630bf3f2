import { AppError, isAppError } from '@flowledger/platform';
import { compressionType, compressWith } from './codecs.js';
import { isConnectionFault, kafkaFacts, kafkaFault, mayTryAgain } from './faults.js';
import type { KafkaLink } from './kafka-link.js';
import { produceRequest, type ProduceAnswer } from './produce-request.js';
import { encodeBatch, encodeRecords, type OutgoingRecord } from './record-batch.js';

/** What one producer of one partition needs. */
export interface ProducerOptions {
  readonly link: KafkaLink;
  readonly topic: string;
  readonly partition: number;
  readonly compression: 'lz4' | 'zstd';
  /** How long one batch is tried again. */
  readonly deliveryMs: number;
  /** Headers for the first message of the next batch. */
  readonly stamp?: () => Readonly<Record<string, string>>;
  /** Told of every batch that is durable, before the next one is sent. */
  readonly onAppended?: (first: bigint, messages: readonly OutgoingRecord[]) => void;
}

interface Waiting {
  readonly messages: readonly OutgoingRecord[];
  readonly bytes: number;
  readonly resolve: (first: bigint) => void;
  readonly reject: (fault: AppError) => void;
}

interface ProducerId {
  readonly producerId: string;
  readonly producerEpoch: number;
  nextSequence: number;
}

/** A request of about this many bytes: large enough that a fast broker's round trip does not count. */
const MAX_BATCH_BYTES = 1024 * 1024;
const MAX_SEQUENCE = 2 ** 31 - 1;
const BROKER_WAIT_MS = 20_000;

/** The broker no longer knows our sequence, or knows another one. */
const SEQUENCE_LOST = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
]);

/**
 * Appends to one partition, one request at a time, while what comes meanwhile gathers for the next. Each batch has a
 * sequence number that stays the same however often it is sent, so the broker drops repetitions; kafkajs's own producer
 * takes a new number for a repetition in some cases (reliability note, M1 to M4), which is why it is not used.
 */
export class PartitionProducer {
  private readonly waiting: Waiting[] = [];
  private id: ProducerId | undefined;
  private running: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly options: ProducerOptions) {}

  /** Resolves with the offset of the first message once all in-sync replicas have them. Messages stay together. */
  append(messages: readonly OutgoingRecord[], bytes: number): Promise<bigint> {
    if (this.closed) return Promise.reject(closedFault());
    return new Promise((resolve, reject) => {
      this.waiting.push({ messages, bytes, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Waits for what is under way; what only waits is refused. */
  async close(): Promise<void> {
    this.closed = true;
    for (const { reject } of this.waiting.splice(0)) reject(closedFault());
    await this.running;
  }

  private async run(): Promise<void> {
    for (;;) {
      const batch = this.takeBatch();
      if (batch.length === 0) break;
      const messages = this.stamped(batch.flatMap((one) => one.messages));
      try {
        let next = await this.send(messages);
        this.options.onAppended?.(next, messages);
        for (const one of batch) {
          one.resolve(next);
          next += BigInt(one.messages.length);
        }
      } catch (error) {
        const fault = kafkaFault('take an append', error);
        for (const one of batch) one.reject(fault);
      }
    }
    this.running = undefined;
  }

  /** As many waiting appends as make a batch; one of them may be larger than that. */
  private takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const one of this.waiting) {
      bytes += one.bytes;
      if (count > 0 && bytes > MAX_BATCH_BYTES) break;
      count++;
    }
    return this.waiting.splice(0, count);
  }

  private stamped(messages: readonly OutgoingRecord[]): readonly OutgoingRecord[] {
    const [first, ...rest] = messages;
    const { stamp } = this.options;
    if (first === undefined || stamp === undefined) return messages;
    return [{ ...first, headers: { ...first.headers, ...stamp() } }, ...rest];
  }

  private async send(messages: readonly OutgoingRecord[]): Promise<bigint> {
    const { link, deliveryMs } = this.options;
    const deadline = link.clock.monotonic() + deliveryMs;
    const records = await compressWith(this.options.compression, encodeRecords(messages));
    let uncertain = false;
    for (let tries = 0; ; tries++) {
      try {
        return await this.sendOnce(messages.length, records);
      } catch (error) {
        const { type } = kafkaFacts(error);
        // Under another identity the same batch would be a new one: only right when nothing of it can have been taken.
        if (SEQUENCE_LOST.has(type)) this.id = undefined;
        const again = mayTryAgain(error) || (SEQUENCE_LOST.has(type) && !uncertain);
        uncertain ||= isConnectionFault(error) || type === 'REQUEST_TIMED_OUT';
        uncertain ||= type === 'NOT_ENOUGH_REPLICAS_AFTER_APPEND';
        if (!again || isAppError(error) || this.closed || link.clock.monotonic() >= deadline) {
          // What the broker has of this batch is not known: its numbers must not be given to another one.
          this.id = undefined;
          throw error;
        }
        await link.pause(tries);
      }
    }
  }

  private async sendOnce(count: number, records: Buffer): Promise<bigint> {
    const { link, topic, partition, compression } = this.options;
    const target = { topic, leaderOf: partition };
    const id = await this.identity(count);
    const { producerId, producerEpoch, nextSequence: firstSequence } = id;
    const codec = compressionType(compression);
    const timestampMs = link.clock.now();
    const header = { producerId, producerEpoch, firstSequence, codec, count, timestampMs };
    const request = produceRequest(topic, partition, encodeBatch(header, records), BROKER_WAIT_MS);
    const answer = await link.once(target, (broker) => broker.connectionPool.send(request));
    const first = offsetIn(answer, topic, partition);
    id.nextSequence += count;
    return first;
  }

  private async identity(count: number): Promise<ProducerId> {
    const { link, topic, partition } = this.options;
    if (this.id !== undefined && this.id.nextSequence + count <= MAX_SEQUENCE) return this.id;
    const target = { topic, leaderOf: partition };
    // kafkajs hands the number on as text, in full precision.
    const given = await link.once(target, (broker) =>
      broker.initProducerId({ transactionTimeout: BROKER_WAIT_MS }),
    );
    this.id = { ...given, nextSequence: 0 };
    return this.id;
  }
}

/** The offset an answer gives for the partition. Throws LOG_UNAVAILABLE when it does not name it: then nothing is sure. */
export function offsetIn(answer: ProduceAnswer, topic: string, partition: number): bigint {
  const named = answer.topics
    .find(({ topicName }) => topicName === topic)
    ?.partitions.find((one) => one.partition === partition);
  const first = named === undefined ? -1n : named.baseOffset;
  if (first >= 0n) return first;
  throw new AppError(
    'LOG_UNAVAILABLE',
    `the broker's answer to an append does not name partition ${partition}`,
    {
      retry: true,
    },
  );
}

function closedFault(): AppError {
  return new AppError('LOG_UNAVAILABLE', 'event log is closed', { retry: false });
}
