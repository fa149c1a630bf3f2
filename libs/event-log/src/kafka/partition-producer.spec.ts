import { isAppError, systemClock } from '@flowledger/platform';
import { describe, expect, it } from 'vitest';
import type { KafkaLink } from './kafka-link.js';
import { PartitionProducer } from './partition-producer.js';
import { readBatch } from '../testing/kafkajs-batches.js';
import { registerCodecs } from './codecs.js';
import type { ProduceAnswer } from './produce-request.js';
import type { Broker, RawRequest } from './protocol.js';
import type { OutgoingRecord } from './record-batch.js';
import { AnswerReader } from './wire.js';

registerCodecs();

/** What a request says, read with kafkajs's decoder of batches. */
interface ProduceRequest {
  readonly acks: number;
  readonly partition: number;
  readonly producerId: string;
  readonly firstSequence: number;
  readonly values: readonly string[];
}

async function readRequest(bytes: Buffer): Promise<ProduceRequest> {
  const reader = new AnswerReader(bytes);
  reader.take(2);
  const acks = reader.int16();
  reader.take(8);
  reader.plainString();
  reader.take(4);
  const partition = reader.int32();
  const { producerId, firstSequence, records } = await readBatch(reader.take(reader.int32()));
  return { acks, partition, producerId, firstSequence, values: records.map(({ value }) => String(value)) };
}

/** A broker that knows each producer's sequence, as Kafka does, and does what a test says to single requests. */
class ModelBroker {
  readonly log: string[] = [];
  readonly requests: ProduceRequest[] = [];
  busy = 0;
  mostAtOnce = 0;
  private ids = 0;
  private readonly sequences = new Map<string, { next: number; last: number; at: number }>();

  /** `before`: the request does not arrive; `after`: its answer does not; an object: that is the answer. */
  constructor(private readonly faults: ('before' | 'after' | 'unnamed' | undefined)[] = []) {}

  async initProducerId(): Promise<{ producerId: string; producerEpoch: number }> {
    this.ids++;
    return { producerId: String(this.ids), producerEpoch: 0 };
  }

  readonly connectionPool = {
    send: async ({ request }: RawRequest<ProduceAnswer>): Promise<ProduceAnswer> =>
      this.produce(await readRequest((await request.encode()).buffer)),
  };

  private async produce(request: ProduceRequest): Promise<ProduceAnswer> {
    this.busy++;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.busy);
    try {
      await systemClock.sleep(1);
      return this.answer(request);
    } finally {
      this.busy--;
    }
  }

  private answer(request: ProduceRequest): ProduceAnswer {
    this.requests.push(request);
    const fault = this.faults.shift();
    if (fault === 'before') throw connectionLost();
    const baseOffset = BigInt(this.take(request));
    if (fault === 'after') throw connectionLost();
    const partition = fault === 'unnamed' ? 9 : 0;
    return { topics: [{ topicName: 't', partitions: [{ partition, errorCode: 0, baseOffset }] }] };
  }

  private take({ producerId, firstSequence, values }: ProduceRequest): number {
    const known = this.sequences.get(producerId) ?? { next: 0, last: -1, at: -1 };
    if (firstSequence === known.last) return known.at;
    if (firstSequence !== known.next)
      throw Object.assign(new Error('sequence'), { type: 'OUT_OF_ORDER_SEQUENCE_NUMBER' });
    const at = this.log.length;
    this.log.push(...values);
    this.sequences.set(producerId, { next: firstSequence + values.length, last: firstSequence, at });
    return at;
  }

  link(): KafkaLink {
    const broker = this as unknown as Broker;
    const once = (_target: unknown, send: (broker: Broker) => Promise<unknown>): Promise<unknown> =>
      send(broker);
    return { clock: systemClock, once, pause: () => systemClock.sleep(1) } as unknown as KafkaLink;
  }
}

function connectionLost(): Error {
  return Object.assign(new Error('Connection error'), { name: 'KafkaJSConnectionError' });
}

function producerAt(broker: ModelBroker, deliveryMs = 5_000): PartitionProducer {
  return new PartitionProducer({
    link: broker.link(),
    topic: 't',
    partition: 0,
    compression: 'lz4',
    deliveryMs,
  });
}

const message = (text: string): OutgoingRecord[] => [{ key: null, value: Buffer.from(text), headers: {} }];

describe('PartitionProducer', () => {
  it('names one partition and asks for all replicas in every request', async () => {
    const broker = new ModelBroker();
    await producerAt(broker).append(message('a'), 1);
    const [request] = broker.requests;
    expect(request).toMatchObject({ acks: -1, partition: 0 });
  });

  it('has one request on its way at a time, and gathers what comes meanwhile', async () => {
    const broker = new ModelBroker();
    const producer = producerAt(broker);
    const offsets = await Promise.all(
      Array.from({ length: 100 }, (_, at) => producer.append(message(`${at}`), 1)),
    );
    expect(offsets).toEqual(Array.from({ length: 100 }, (_, at) => BigInt(at)));
    expect(broker.log).toEqual(Array.from({ length: 100 }, (_, at) => `${at}`));
    expect(broker.mostAtOnce).toBe(1);
    expect(broker.requests.length).toBeLessThan(10);
  });

  it.each([
    ['the request is lost', 'before'],
    ['the answer is lost', 'after'],
  ] as const)('appends once when %s, under the same number', async (_what, fault) => {
    const broker = new ModelBroker([undefined, fault, fault]);
    const producer = producerAt(broker);
    await producer.append(message('a'), 1);
    const both = [producer.append(message('b'), 1), producer.append(message('c'), 1)];
    expect(await Promise.all(both)).toEqual([1n, 2n]);
    expect(broker.log).toEqual(['a', 'b', 'c']);
    expect(new Set(broker.requests.map(({ producerId }) => producerId)).size).toBe(1);
  });

  it('rejects when the answer does not name the partition, and begins anew under another identity', async () => {
    const broker = new ModelBroker(['unnamed']);
    const producer = producerAt(broker);
    const fault = await producer.append(message('a'), 1).catch((error: unknown) => error);
    expect(isAppError(fault, 'LOG_UNAVAILABLE') && fault.retry).toBe(true);
    await producer.append(message('b'), 1);
    expect(broker.log).toEqual(['a', 'b']);
    expect(new Set(broker.requests.map(({ producerId }) => producerId)).size).toBe(2);
  });

  it('gives up after its time, and later appends go on under another identity', async () => {
    const broker = new ModelBroker(Array.from({ length: 10_000 }, () => 'before' as const));
    const producer = producerAt(broker, 50);
    const fault = await producer.append(message('a'), 1).catch((error: unknown) => error);
    expect(isAppError(fault, 'LOG_UNAVAILABLE') && fault.retry).toBe(true);
  });

  it('refuses appends once it is closed', async () => {
    const producer = producerAt(new ModelBroker());
    await producer.close();
    const fault = await producer.append(message('a'), 1).catch((error: unknown) => error);
    expect(isAppError(fault, 'LOG_UNAVAILABLE')).toBe(true);
  });
});
