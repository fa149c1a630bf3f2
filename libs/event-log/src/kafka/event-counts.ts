import type { Log } from '@flowledger/platform';
import { COUNT_HEADER, decodePoint, encodePoint, EVENTS_HEADER, eventsIn } from './event-headers.js';
import type { CountPoint } from './event-headers.js';
import type { Fetcher } from './fetcher.js';
import type { PartitionProducer } from './partition-producer.js';
import type { FetchedRecord } from './protocol.js';
import type { OutgoingRecord } from './record-batch.js';

/** A record as counting sees it. */
export interface Counted {
  readonly offset: bigint;
  readonly events: number;
}

export interface EventCountsOptions {
  readonly epoch: bigint;
  readonly partitions: number;
  /** The topic of the points, one partition, compacted. */
  readonly topic: string;
  readonly fetcher: Fetcher;
  readonly producer: PartitionProducer;
  /** Records from an offset on, up to another one or the end; what it fetches is told to `observeFetched`. */
  readonly records: (partition: number, from: bigint, to: bigint | undefined) => AsyncIterable<Counted>;
  readonly log: Log | undefined;
}

/** Records between two points that are kept for good. */
const STRIDE = 256n;
const PUBLISH_MS = 1_000;
const FETCH_BYTES = 4 * 1024 * 1024;
const PARTING_MS = 2_000;

/**
 * Knows how many events lie before any offset, exactly, with any number of writers. Each record says in a header how many
 * events it holds, and whoever passes by records anyway (the writer of them, the loader) extends a running sum. The sum is
 * told as points: in a header of the batches a writer sends, and in a compacted topic, which outlives the records. Only what
 * lies between the nearest point and the offset has to be read.
 */
export class EventCounts {
  private readonly points: CountPoint[][];
  private readonly published: bigint[];
  /** Keys of points that nobody needs any more, to be removed from the topic. */
  private readonly obsolete = new Set<string>();
  private readNext = 0n;
  private refreshing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private publishing: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: EventCountsOptions) {
    this.points = Array.from({ length: options.partitions }, () => [{ offset: 0n, events: 0n }]);
    this.published = Array.from({ length: options.partitions }, () => 0n);
  }

  /** The newest point of a partition, as a header for the next batch. */
  stamp(partition: number): Readonly<Record<string, string>> {
    const point = this.points[partition]?.at(-1);
    return point === undefined ? {} : { [COUNT_HEADER]: encodePoint(point) };
  }

  /** Takes notice of fetched records: of what they hold and of what their writers knew. */
  observeFetched(partition: number, records: readonly FetchedRecord[]): void {
    for (const { headers } of records) {
      const point = decodePoint(headers[COUNT_HEADER]);
      if (point !== undefined) this.remember(partition, point);
    }
    const counted = records.map(({ offset, headers }) => ({
      offset: BigInt(offset),
      events: eventsIn(headers[EVENTS_HEADER]),
    }));
    this.observe(partition, counted);
  }

  /** Takes notice of records that follow each other without a hole; does nothing when they do not join what is known. */
  observe(partition: number, records: readonly Counted[]): void {
    const [first] = records;
    const points = this.points[partition];
    const last = points?.at(-1);
    if (first === undefined || points === undefined || last === undefined) return;
    if (first.offset > last.offset) return;
    let { offset, events } = last;
    for (const record of records) {
      if (record.offset !== offset) continue;
      offset += 1n;
      events += BigInt(record.events);
    }
    if (offset === last.offset) return;
    this.remember(partition, { offset, events });
    this.timer ??= setTimeout(() => this.publish(), PUBLISH_MS).unref();
  }

  /**
   * Events in all records before `offset`, which lies between `start` (the first kept record) and the end. Where retention
   * removed records that nobody had counted, those count as none.
   */
  async before(partition: number, offset: bigint, start: bigint): Promise<bigint> {
    await this.refresh();
    this.forget(partition, start);
    const points = this.points[partition] ?? [];
    const below = points.findLast((point) => point.offset <= offset) ?? { offset: 0n, events: 0n };
    if (below.offset === offset) return below.events;
    if (below.offset >= start) return this.countFrom(partition, below, offset);
    const above = await this.pointAbove(partition, offset);
    if (above === undefined) {
      this.options.log?.warn(
        { partition, from: below.offset.toString(), to: start.toString() },
        'records were removed before their events were counted',
      );
      this.remember(partition, { offset: start, events: below.events });
      return this.countFrom(partition, { offset: start, events: below.events }, offset);
    }
    let rest = 0n;
    for await (const record of this.options.records(partition, offset, above.offset))
      rest += BigInt(record.events);
    const point = { offset, events: above.events - rest };
    this.remember(partition, point);
    return point.events;
  }

  /** Publishes what is known now. Best effort. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.publish();
    const late = new Promise((resolve) => setTimeout(resolve, PARTING_MS).unref());
    await Promise.race([this.publishing, late]);
  }

  /** A point at or behind an offset: one that is known, or one that a record from there on carries. */
  private async pointAbove(partition: number, offset: bigint): Promise<CountPoint | undefined> {
    const find = (): CountPoint | undefined =>
      this.points[partition]?.find((point) => point.offset >= offset);
    const known = find();
    if (known !== undefined) return known;
    // Reading makes the points known that the records carry.
    for await (const _record of this.options.records(partition, offset, undefined)) {
      const found = find();
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private async countFrom(partition: number, base: CountPoint, to: bigint): Promise<bigint> {
    let { events } = base;
    for await (const record of this.options.records(partition, base.offset, to)) {
      const nearer = this.points[partition]?.findLast((point) => point.offset <= to);
      if (nearer !== undefined && nearer.offset > record.offset) return this.countFrom(partition, nearer, to);
      events += BigInt(record.events);
    }
    this.remember(partition, { offset: to, events });
    return events;
  }

  /** Keeps points in order, and of those between two strides only the last. */
  private remember(partition: number, point: CountPoint): void {
    const points = this.points[partition];
    if (points === undefined) return;
    let at = points.length;
    while (at > 0 && (points[at - 1]?.offset ?? 0n) > point.offset) at--;
    const former = points[at - 1];
    if (former?.offset === point.offset) return;
    const same = former !== undefined && at > 1 && former.offset / STRIDE === point.offset / STRIDE;
    points.splice(same ? at - 1 : at, same ? 1 : 0, point);
  }

  /** Drops what lies before the last point at or before the first kept record: no question leads there again. */
  private forget(partition: number, start: bigint): void {
    const points = this.points[partition] ?? [];
    const kept = points.findLastIndex(({ offset }) => offset <= start);
    if (kept <= 0) return;
    const first = points[kept];
    for (const point of points.splice(0, kept)) {
      const key = this.keyOf(partition, point);
      if (point.offset > 0n && first !== undefined && key !== this.keyOf(partition, first))
        this.obsolete.add(key);
    }
    if (this.obsolete.size > 0) this.timer ??= setTimeout(() => this.publish(), PUBLISH_MS).unref();
  }

  private keyOf(partition: number, { offset }: CountPoint): string {
    return `${this.options.epoch}/${partition}/${offset / STRIDE}`;
  }

  private publish(): void {
    this.timer = undefined;
    const messages: OutgoingRecord[] = [];
    this.points.forEach((points, partition) => {
      const last = points.at(-1);
      if (last === undefined || last.offset <= (this.published[partition] ?? 0n)) return;
      this.published[partition] = last.offset;
      messages.push(pointRecord(this.keyOf(partition, last), encodePoint(last)));
    });
    for (const key of this.obsolete) messages.push(pointRecord(key, null));
    this.obsolete.clear();
    if (messages.length === 0) return;
    const sent = this.options.producer.append(messages, messages.length * 100);
    // A point that is not published is counted again by whoever needs it.
    this.publishing = sent.catch((error: unknown) =>
      this.options.log?.debug({ error }, 'a count was not published'),
    );
  }

  /** Reads the points that others have published since. */
  private refresh(): Promise<void> {
    this.refreshing ??= this.readPoints().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  private async readPoints(): Promise<void> {
    const { fetcher, topic } = this.options;
    for (;;) {
      const wish = { from: this.readNext, maxBytes: FETCH_BYTES, waitMs: 0 };
      const fetched = await fetcher.fetch(topic, 0, wish);
      if (fetched.kind === 'out_of_range' || fetched.records.length === 0) return;
      for (const record of fetched.records) {
        this.readNext = BigInt(record.offset) + 1n;
        this.takePoint(record.key?.toString() ?? '', record.value?.toString() ?? '');
      }
    }
  }

  private takePoint(key: string, value: string): void {
    const [epoch, partition] = key.split('/');
    if (epoch !== this.options.epoch.toString()) return;
    const point = decodePoint(value);
    if (point === undefined) return;
    const at = Number(partition);
    this.remember(at, point);
    const known = this.published[at];
    if (known !== undefined && known < point.offset) this.published[at] = point.offset;
  }
}

function pointRecord(key: string, value: string | null): OutgoingRecord {
  return { key: Buffer.from(key), value: value === null ? null : Buffer.from(value), headers: {} };
}
