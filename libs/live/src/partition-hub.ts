import { Audience } from './audience.js';
import { PartitionFeed, type FedRecord } from './partition-feed.js';
import type { Reader } from './reader.js';
import type { TailContext } from './tail-context.js';
import type { Turns } from './turns.js';

/** How long one read waits for a record before it is asked again. */
const WAIT_MS = 1_000;
/** A tail that starts this many records behind the end starts there; one further behind starts at the end. */
const START_RECORDS = 64n;
/** Longest that readers who are still catching up may hold back a tail that has just begun, in all. */
const PACE_MS = 10_000;

/** Bytes of decoded records that a tail without a reader goes on for; some 20,000 flows. */
const IDLE_BYTES = 64 * 1024 * 1024;

/**
 * The shared tail of one partition: reads and decodes while somebody listens, and hands every record to all readers.
 * Readers who want older records than it still holds are served by a feed of their own until they have caught up.
 */
export class PartitionHub {
  #feed: PartitionFeed | undefined;
  #stop = new AbortController();
  /** Decoded records, oldest first, as many as fit `recentBytes`. */
  #recent: FedRecord[] = [];
  #recentBytes = 0;
  /** Offset from which on every record is in `#recent` or still to come. */
  #first = 0n;
  /** Records before this offset wait for readers that have no room: they were in the log when the tail began. */
  #pacedUntil = 0n;
  /** When they have waited enough, by the clock that never jumps. */
  #patienceEndsMs = 0;
  #listeners = 0;
  /** Bytes of records that nobody listened to. */
  #idleBytes = 0;
  /** Ends the wait for a reader who comes after the last one left. */
  #lingering = new AbortController();
  /** The next offset that is published; all before it were offered to whom they concern. */
  #reached = 0n;
  readonly #audience = new Audience();

  constructor(
    private readonly context: TailContext,
    private readonly partition: number,
    private readonly turns: Turns,
  ) {}

  /**
   * Serves a reader until it leaves. `end` is where the log ends now. Resolves when the reader is on the shared tail (or
   * gone); a fault ends its iteration.
   */
  async join(reader: Reader, end: bigint): Promise<void> {
    this.#listeners++;
    this.#lingering.abort();
    try {
      await this.#attach(reader, end);
    } catch (error) {
      reader.fail(error);
    }
  }

  /** Must be called once for every {@link join}. After the last one has left the reading stops in a while. */
  leave(reader: Reader): void {
    this.#audience.delete(reader);
    if (--this.#listeners === 0) this.#linger(this.context.lingerMs);
  }

  #linger(ms: number): void {
    this.#idleBytes = 0;
    if (ms === 0) {
      this.#reset();
      return;
    }
    const lingering = new AbortController();
    this.#lingering = lingering;
    const over = (): void => {
      if (!lingering.signal.aborted) this.#reset();
    };
    this.context.clock.sleep(ms, lingering.signal).then(over, () => undefined);
  }

  #reset(): void {
    this.#lingering.abort();
    this.#stop.abort();
    this.#feed = undefined;
    this.#recent = [];
    this.#recentBytes = 0;
  }

  #start(wanted: bigint, end: bigint): void {
    const from = wanted > end || end - wanted > START_RECORDS ? end : wanted;
    const feed = new PartitionFeed(this.context, this.partition, from);
    this.#stop = new AbortController();
    this.#feed = feed;
    this.#first = from;
    this.#reached = from;
    this.#pacedUntil = end;
    this.#patienceEndsMs = this.context.clock.monotonic() + PACE_MS;
    void this.#run(feed, this.#stop.signal);
  }

  async #run(feed: PartitionFeed, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        for (const record of await feed.read(WAIT_MS, signal)) {
          if (record.offset < this.#pacedUntil) await this.#pace();
          if (signal.aborted) return;
          this.#publish(record);
          if (this.#isIdleTooLong(record)) this.#reset();
        }
      }
    } catch (error) {
      if (this.#feed !== feed) return;
      for (const reader of this.#audience) reader.fail(error);
      this.#audience.clear();
      this.#reset();
    }
  }

  /** What is decoded for nobody is bounded, however much comes while a tail lingers. */
  #isIdleTooLong({ bytes }: FedRecord): boolean {
    if (this.#listeners > 0) return false;
    this.#idleBytes += bytes;
    return this.#idleBytes > IDLE_BYTES;
  }

  #publish(record: FedRecord): void {
    this.#recent.push(record);
    this.#recentBytes += record.bytes;
    while (this.#recentBytes > this.context.recentBytes && this.#recent.length > 1) {
      const gone = this.#recent.shift();
      if (gone === undefined) break;
      this.#recentBytes -= gone.bytes;
      this.#first = gone.offset + 1n;
    }
    this.#audience.hear(record);
    this.#reached = record.offset + 1n;
  }

  async #pace(): Promise<void> {
    const left = this.#patienceEndsMs - this.context.clock.monotonic();
    if (left <= 0) return;
    const patience = new AbortController();
    const rooms = Promise.all([...this.#audience].map((reader) => reader.room()));
    const enough = this.context.clock.sleep(left, patience.signal).catch(() => undefined);
    await Promise.race([rooms, enough]);
    patience.abort();
  }

  async #attach(reader: Reader, end: bigint): Promise<void> {
    const { signal } = reader.request;
    while (!signal.aborted) {
      const wanted = reader.next(this.partition);
      if (this.#feed === undefined) this.#start(wanted, end);
      if (wanted < this.#first) {
        await this.turns.run(() => this.#catchUp(reader));
        continue;
      }
      const record = this.#recent.find(({ offset }) => offset >= wanted);
      if (record === undefined) {
        reader.follow(this.partition, () => this.#reached);
        this.#audience.add(reader);
        return;
      }
      await reader.room();
      await this.context.endpoints?.ready(record.flows);
      if (!signal.aborted && wanted >= this.#first) offerMatching(reader, record);
    }
  }

  /** Reads for one reader alone, no faster than it takes, until the shared tail has what it wants next. */
  async #catchUp(reader: Reader): Promise<void> {
    const { signal } = reader.request;
    const feed = new PartitionFeed(this.context, this.partition, reader.next(this.partition));
    while (!signal.aborted && this.#feed !== undefined && reader.next(this.partition) < this.#first) {
      for (const record of await feed.read(WAIT_MS, signal)) {
        await reader.room();
        if (signal.aborted) return;
        offerMatching(reader, record);
      }
    }
  }
}

function offerMatching(reader: Reader, record: FedRecord): void {
  reader.offer(record, record.flows.filter(reader.request.matches));
}
