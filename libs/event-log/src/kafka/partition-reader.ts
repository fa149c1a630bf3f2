import { AppError } from '@flowledger/platform';
import type { LogBatch, ReadOptions, StoredRecord } from '../port.js';
import { EVENTS_HEADER, eventsIn } from './event-headers.js';
import type { Fetcher } from './fetcher.js';
import type { KafkaLink } from './kafka-link.js';
import type { FetchedRecord } from './protocol.js';

export interface PartitionReaderOptions {
  readonly link: KafkaLink;
  readonly fetcher: Fetcher;
  readonly topic: string;
  readonly partition: number;
  readonly requestMs: number;
  /** Told of everything that is fetched, in order. */
  readonly onRead: (records: readonly FetchedRecord[]) => void;
}

/** First kept offset and the next one to be written. */
export interface Ends {
  readonly start: bigint;
  readonly end: bigint;
}

const MIN_FETCH_BYTES = 64 * 1024;
/** Compressed; envelopes grow about tenfold when they are unpacked, and what is unpacked is held until it is read. */
const MAX_FETCH_BYTES = 1024 * 1024;
const EARLIEST = '-2';
const LATEST = '-1';
const BEYOND_END_PAUSE_MS = 50;

function toStored(record: FetchedRecord): StoredRecord {
  return {
    offset: BigInt(record.offset),
    appendedMs: Number(record.timestamp),
    events: eventsIn(record.headers[EVENTS_HEADER]),
    value: record.value ?? Buffer.alloc(0),
  };
}

/** Reads one partition of the topic, at any offset. */
export class KafkaPartitionReader {
  /** What the last fetch brought beyond what was asked for; a sequential reader asks for it next. */
  private ahead: readonly StoredRecord[] = [];

  constructor(private readonly options: PartitionReaderOptions) {}

  /** Asks the leader for both ends; `end` covers what all in-sync replicas have. */
  async ends(): Promise<Ends> {
    const [start, end] = [await this.offsetAt(EARLIEST), await this.offsetAt(LATEST)];
    return { start, end };
  }

  /** See `EventLog.read`. */
  async read(from: bigint, wish: ReadOptions): Promise<LogBatch> {
    const { partition, link } = this.options;
    if (from < 0n)
      throw new AppError('INVALID_ARGUMENT', `cannot read from offset ${from}`, { retry: false });
    const deadline = link.clock.monotonic() + wish.maxWaitMs;
    for (;;) {
      const records = await this.recordsAt(from, wish, deadline);
      if (records !== undefined) return { partition, records: this.handOut(records, wish.maxBytes) };
      const { start } = await this.ends();
      if (from < start) return this.afterGap(from, start, wish);
      // Beyond the end: an offset that was never written, or not yet everywhere.
      const left = deadline - link.clock.monotonic();
      if (left <= 0 || wish.signal?.aborted === true) return { partition, records: [] };
      await link.clock.sleep(Math.min(left, BEYOND_END_PAUSE_MS), wish.signal).catch(() => undefined);
    }
  }

  private async afterGap(from: bigint, start: bigint, wish: ReadOptions): Promise<LogBatch> {
    const records = await this.recordsAt(start, { ...wish, maxWaitMs: 0 }, 0);
    const { partition } = this.options;
    return {
      partition,
      records: this.handOut(records ?? [], wish.maxBytes),
      truncated: { from, to: start },
    };
  }

  /** Undefined when the offset is out of range. */
  private async recordsAt(
    from: bigint,
    { maxBytes, signal }: ReadOptions,
    deadline: number,
  ): Promise<readonly StoredRecord[] | undefined> {
    if (this.ahead[0]?.offset === from) return this.ahead;
    const { fetcher, topic, partition, link } = this.options;
    const fetched = await fetcher.fetch(topic, partition, {
      from,
      maxBytes: Math.min(MAX_FETCH_BYTES, Math.max(MIN_FETCH_BYTES, maxBytes)),
      waitMs: Math.max(0, deadline - link.clock.monotonic()),
      ...(signal === undefined ? {} : { signal }),
    });
    if (fetched.kind === 'out_of_range') return undefined;
    this.options.onRead(fetched.records);
    return fetched.records.map(toStored);
  }

  /** The first records up to `maxBytes`, at least one; the rest is kept for the next read. */
  private handOut(records: readonly StoredRecord[], maxBytes: number): readonly StoredRecord[] {
    let bytes = 0;
    let count = 0;
    for (const { value } of records) {
      if (count > 0 && bytes + value.byteLength > maxBytes) break;
      bytes += value.byteLength;
      count++;
    }
    this.ahead = records.slice(count);
    return records.slice(0, count);
  }

  private async offsetAt(timestamp: string): Promise<bigint> {
    const { link, topic, partition, requestMs } = this.options;
    const answer = await link.request(
      { topic, leaderOf: partition },
      { what: 'tell its bounds', ms: requestMs },
      (broker) => broker.listOffsets({ topics: [{ topic, partitions: [{ partition, timestamp }] }] }),
    );
    const named = answer.responses[0]?.partitions.find((one) => one.partition === partition);
    if (named !== undefined) return BigInt(named.offset);
    throw new AppError('LOG_UNAVAILABLE', `the broker does not name partition ${partition}`, { retry: true });
  }
}
