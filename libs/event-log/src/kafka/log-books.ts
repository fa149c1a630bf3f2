import { AppError, isAppError } from '@flowledger/platform';
import type { PartitionBounds } from '../port.js';
import { EventCounts, type Counted } from './event-counts.js';
import { EVENTS_HEADER } from './event-headers.js';
import { isConnectionFault } from './faults.js';
import type { Fetcher } from './fetcher.js';
import type { KafkaLink } from './kafka-link.js';
import type { ResolvedKafkaOptions } from './options.js';
import { PartitionProducer } from './partition-producer.js';
import type { KafkaPartitionReader } from './partition-reader.js';
import type { FetchedRecord } from './protocol.js';
import { partitionBytesRequest } from './raw-requests.js';
import type { OutgoingRecord } from './record-batch.js';
import { countsTopic } from './topics.js';

/** What the books need of the log they are of. */
export interface LogBooksContext {
  readonly link: KafkaLink;
  readonly fetcher: Fetcher;
  readonly options: ResolvedKafkaOptions;
  readonly epoch: bigint;
  readonly partitions: number;
  readonly newReader: (partition: number) => KafkaPartitionReader;
}

/** How often bounds are counted again when retention interferes. */
const MAX_COUNTS = 2;
const COUNT_READ = { maxBytes: 8 * 1024 * 1024, maxWaitMs: 0 };

/** Where each partition begins and ends, how many events lie before that, and how many bytes it takes. */
export class LogBooks {
  private readonly producer: PartitionProducer;
  private readonly counts: EventCounts;

  constructor(private readonly context: LogBooksContext) {
    const { link, fetcher, options, epoch, partitions } = context;
    const { compression, deliveryMs } = options;
    const topic = countsTopic(options.topic);
    this.producer = new PartitionProducer({ link, compression, deliveryMs, topic, partition: 0 });
    this.counts = new EventCounts({
      epoch,
      partitions,
      topic,
      fetcher,
      producer: this.producer,
      records: (partition, from, to) => this.countable(partition, from, to),
      log: options.log,
    });
  }

  /** Headers for the first record of a partition's next batch. */
  stamp(partition: number): Readonly<Record<string, string>> {
    return this.counts.stamp(partition);
  }

  /** Takes notice of records that were appended from an offset on. */
  appended(partition: number, first: bigint, records: readonly OutgoingRecord[]): void {
    this.counts.observe(partition, countedFrom(first, records));
  }

  /** Takes notice of records that were read. */
  fetched(partition: number, records: readonly FetchedRecord[]): void {
    this.counts.observeFetched(partition, records);
  }

  /** See `EventLog.bounds`; `reader` is one of the partition. */
  async bounds(partition: number, reader: KafkaPartitionReader): Promise<PartitionBounds> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.boundsOnce(partition, reader);
      } catch (error) {
        // Retention may move the start while the records behind it are counted.
        if (!isAppError(error, 'LOG_UNAVAILABLE') || !error.retry || tries === MAX_COUNTS) throw error;
      }
    }
  }

  /** Publishes what is known. Before the link is closed. */
  async close(): Promise<void> {
    await this.counts.close();
    await this.producer.close();
  }

  private async boundsOnce(partition: number, reader: KafkaPartitionReader): Promise<PartitionBounds> {
    const [{ start, end }, bytes] = await Promise.all([reader.ends(), this.bytes(partition)]);
    const eventsBeforeEnd = await this.counts.before(partition, end, start);
    const eventsBeforeStart = await this.counts.before(partition, start, start);
    return { start, end, eventsBeforeStart, eventsBeforeEnd, bytes };
  }

  /** Rejects LOG_UNAVAILABLE when not all records up to `to` are there: a wrong sum would be told to others. */
  private async *countable(partition: number, from: bigint, to: bigint | undefined): AsyncIterable<Counted> {
    const reader = this.context.newReader(partition);
    for (let next = from; to === undefined || next < to;) {
      const { records, truncated } = await reader.read(next, COUNT_READ);
      if (records.length === 0 && to === undefined) return;
      if (records.length === 0 || truncated !== undefined)
        throw new AppError('LOG_UNAVAILABLE', 'records were removed while they were counted', {
          retry: true,
        });
      for (const { offset, events } of records) {
        if (to !== undefined && offset >= to) return;
        yield { offset, events };
        next = offset + 1n;
      }
    }
  }

  /** What the leader's disk holds of a partition; 0 where we are not allowed to ask. */
  private async bytes(partition: number): Promise<number> {
    const { link, options } = this.context;
    const { topic, requestMs } = options;
    const patience = { what: 'tell its size', ms: requestMs };
    try {
      const bytes = await link.request({ topic, leaderOf: partition }, patience, (broker) =>
        broker.connectionPool.send(partitionBytesRequest(topic, partition)),
      );
      return Number(bytes);
    } catch (error) {
      if (error instanceof AppError && isConnectionFault(error.cause)) throw error;
      return 0;
    }
  }
}

function countedFrom(first: bigint, messages: readonly OutgoingRecord[]): Counted[] {
  return messages.map(({ headers }, at) => ({
    offset: first + BigInt(at),
    events: Number(headers[EVENTS_HEADER] ?? 0),
  }));
}
