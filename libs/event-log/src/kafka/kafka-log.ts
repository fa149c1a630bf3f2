import { AppError, withLinkedSignal } from '@flowledger/platform';
import { ByteBudget } from '../embedded/byte-budget.js';
import { checkGroupName } from '../embedded/group-offsets.js';
import type {
  AppendRecord,
  CommittedOffset,
  EventLog,
  LogBatch,
  LogPosition,
  PartitionBounds,
  PartitionLease,
  ReadOptions,
} from '../port.js';
import { KafkaConsumer } from './consumer.js';
import { EVENTS_HEADER } from './event-headers.js';
import { Fetcher } from './fetcher.js';
import { KafkaLink } from './kafka-link.js';
import { LogBooks } from './log-books.js';
import type { ResolvedKafkaOptions } from './options.js';
import { PartitionProducer } from './partition-producer.js';
import { KafkaPartitionReader } from './partition-reader.js';

/** The event log on a Kafka topic; made by `openKafkaLog`. */
export class KafkaLog implements EventLog {
  private readonly producers: readonly PartitionProducer[];
  private readonly readers: readonly KafkaPartitionReader[];
  private readonly fetcher: Fetcher;
  private readonly books: LogBooks;
  private readonly budget: ByteBudget;
  private readonly closing = new AbortController();
  private readonly consuming = new Set<Promise<void>>();
  private closed: Promise<void> | undefined;
  private catchingUp: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: ResolvedKafkaOptions,
    private readonly link: KafkaLink,
    readonly epoch: bigint,
    readonly partitions: number,
  ) {
    this.fetcher = new Fetcher(link, options.requestMs);
    this.budget = new ByteBudget(options.maxPendingBytes);
    const { compression, deliveryMs } = options;
    const producing = { link, compression, deliveryMs };
    this.books = new LogBooks({
      link,
      fetcher: this.fetcher,
      options,
      epoch,
      partitions,
      newReader: (partition) => this.newReader(partition),
    });
    const numbers = Array.from({ length: partitions }, (_, partition) => partition);
    this.producers = numbers.map(
      (partition) =>
        new PartitionProducer({
          ...producing,
          topic: options.topic,
          partition,
          stamp: () => this.books.stamp(partition),
          onAppended: (first, records) => this.books.appended(partition, first, records),
        }),
    );
    this.readers = numbers.map((partition) => this.newReader(partition));
  }

  /** Learns, beside everything else, what the log holds already, so that appends can go on with the sum. */
  catchUp(): void {
    this.catchingUp = Promise.allSettled(this.readers.map((_, partition) => this.bounds(partition)));
  }

  async append(records: readonly AppendRecord[]): Promise<readonly LogPosition[]> {
    this.checkOpen();
    const shares = new Map<number, AppendRecord[]>();
    let bytes = 0;
    for (const record of records) {
      this.checkRecord(record);
      bytes += record.value.byteLength;
      const share = shares.get(record.partition);
      if (share === undefined) shares.set(record.partition, [record]);
      else share.push(record);
    }
    if (records.length === 0) return [];
    await this.budget.acquire(bytes);
    try {
      const next = new Map<number, bigint>();
      // Every share is settled before the call is: after a rejection nothing of it goes on unseen.
      const sent = [...shares].map(async ([partition, share]) => {
        next.set(partition, await this.appendShare(partition, share));
      });
      const failed = (await Promise.allSettled(sent)).find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
      return records.map(({ partition }) => {
        const offset = next.get(partition) ?? -1n;
        next.set(partition, offset + 1n);
        return { partition, offset };
      });
    } finally {
      this.budget.release(bytes);
    }
  }

  async bounds(partition: number): Promise<PartitionBounds> {
    return this.books.bounds(partition, this.reader(partition));
  }

  async read(partition: number, from: bigint, options: ReadOptions): Promise<LogBatch> {
    return this.readWith(this.reader(partition), from, options);
  }

  async committed(group: string, partition: number): Promise<CommittedOffset | undefined> {
    checkGroupName(group);
    this.reader(partition);
    const { topic, requestMs } = this.options;
    const groupId = this.groupId(group);
    const topics = [{ topic, partitions: [{ partition }] }];
    const patience = { what: 'read a consumer offset', ms: requestMs };
    const answer = await this.link.request({ coordinatorOf: groupId }, patience, (broker) =>
      broker.offsetFetch({ groupId, topics }),
    );
    const named = answer.responses[0]?.partitions.find((one) => one.partition === partition);
    if (named === undefined || BigInt(named.offset) < 0n) return undefined;
    return { offset: BigInt(named.offset), metadata: named.metadata ?? '' };
  }

  async consume(
    group: string,
    onLease: (lease: PartitionLease) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    this.checkOpen();
    checkGroupName(group);
    const consuming = withLinkedSignal([this.closing.signal, signal], (either) =>
      this.consumeAs(group, onLease, either),
    );
    this.consuming.add(consuming);
    try {
      await consuming;
    } finally {
      this.consuming.delete(consuming);
    }
  }

  close(): Promise<void> {
    this.closed ??= this.closeNow();
    return this.closed;
  }

  private async consumeAs(
    group: string,
    onLease: (lease: PartitionLease) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { topic, requestMs, sessionTimeoutMs, clock } = this.options;
    const link = new KafkaLink(this.options, clock);
    const leased = new Map<number, KafkaPartitionReader>();
    try {
      await link.connect({ what: 'join a consumer group', ms: requestMs, signal });
      await link.follow([topic], { what: 'join a consumer group', ms: requestMs, signal });
      const consumer = new KafkaConsumer(
        {
          link,
          groupId: this.groupId(group),
          topic,
          partitions: this.partitions,
          sessionTimeoutMs,
          requestMs,
          read: (partition, from, options) => {
            const reader = leased.get(partition) ?? this.newReader(partition);
            leased.set(partition, reader);
            return this.readWith(reader, from, options);
          },
          committed: (partition) => this.committed(group, partition),
        },
        onLease,
      );
      await consumer.run(signal);
    } finally {
      await link.close();
    }
  }

  private async closeNow(): Promise<void> {
    this.closing.abort();
    await Promise.allSettled(this.consuming);
    await Promise.all(this.producers.map((producer) => producer.close()));
    await this.books.close();
    await this.fetcher.close();
    await this.catchingUp;
    await this.link.close();
  }

  private async appendShare(partition: number, share: readonly AppendRecord[]): Promise<bigint> {
    const producer = this.producers[partition];
    if (producer === undefined) throw noSuchPartition(partition, this.partitions);
    const messages = share.map(({ value, events }) => ({
      key: null,
      value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
      headers: { [EVENTS_HEADER]: String(events) },
    }));
    const bytes = share.reduce((sum, { value }) => sum + value.byteLength, 0);
    return producer.append(messages, bytes);
  }

  private async readWith(
    reader: KafkaPartitionReader,
    from: bigint,
    options: ReadOptions,
  ): Promise<LogBatch> {
    const signals = [this.closing.signal, options.signal];
    return withLinkedSignal(signals, (signal) => reader.read(from, { ...options, signal }));
  }

  private newReader(partition: number): KafkaPartitionReader {
    const { topic, requestMs } = this.options;
    return new KafkaPartitionReader({
      link: this.link,
      fetcher: this.fetcher,
      topic,
      partition,
      requestMs,
      onRead: (records) => this.books.fetched(partition, records),
    });
  }

  /** Groups of several logs on the same brokers must not meet. */
  private groupId(group: string): string {
    return `${this.options.topic}.${group}`;
  }

  private checkRecord({ partition, value }: AppendRecord): void {
    if (this.producers[partition] === undefined) throw noSuchPartition(partition, this.partitions);
    const limit = this.options.maxRecordBytes;
    if (value.byteLength <= limit) return;
    const details = { bytes: value.byteLength, limit };
    throw new AppError('TOO_LARGE', 'a record is larger than the log takes', { retry: false, details });
  }

  private checkOpen(): void {
    if (this.closed !== undefined)
      throw new AppError('LOG_UNAVAILABLE', 'event log is closed', { retry: false });
  }

  private reader(partition: number): KafkaPartitionReader {
    this.checkOpen();
    const reader = this.readers[partition];
    if (reader === undefined) throw noSuchPartition(partition, this.partitions);
    return reader;
  }
}

function noSuchPartition(partition: number, partitions: number): AppError {
  const text = `partition ${partition} is not one of the log's ${partitions}`;
  return new AppError('INVALID_ARGUMENT', text, { retry: false });
}
