import type { AppError } from '@flowledger/platform';
import { kafkaFacts, kafkaFault, mayTryAgain } from './faults.js';
import type { KafkaLink } from './kafka-link.js';
import type { FetchAnswer, FetchedRecord } from './protocol.js';

/** What a fetch of one partition brought. */
export type Fetched =
  | { readonly kind: 'records'; readonly records: readonly FetchedRecord[] }
  /** The offset is before the first kept or after the last one. */
  | { readonly kind: 'out_of_range' };

interface Wanted {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly maxBytes: number;
  /** By the clock that never jumps; 0: do not wait for records. */
  readonly waitUntil: number;
  /** When the request itself is given up. */
  readonly giveUpAt: number;
  readonly resolve: (fetched: Fetched) => void;
  readonly reject: (fault: AppError) => void;
  /** Set once whoever asked no longer waits. */
  left: boolean;
}

/** Longest a broker holds a fetch back: what another partition asks for meanwhile waits no longer than this. */
const TURN_MS = 100;
const REQUEST_BYTES = 8 * 1024 * 1024;

/**
 * Fetches for all readers of one handle. A broker answers one connection's requests in turn, so the wishes of all
 * partitions it leads go into one request, and the next request takes what has come up since.
 */
export class Fetcher {
  private readonly wanted = new Map<number, Wanted[]>();
  private readonly pumping = new Map<number, Promise<void>>();
  private closed = false;

  constructor(
    private readonly link: KafkaLink,
    private readonly requestMs: number,
  ) {}

  /**
   * Records from an offset on (and perhaps some before it: batches are kept whole), as soon as there are any or after
   * `waitMs`. Resolves with none when the signal aborts. Rejects LOG_UNAVAILABLE.
   */
  fetch(
    topic: string,
    partition: number,
    wish: { from: bigint; maxBytes: number; waitMs: number; signal?: AbortSignal },
  ): Promise<Fetched> {
    const { clock } = this.link;
    const { from, maxBytes, waitMs, signal } = wish;
    if (signal?.aborted === true) return Promise.resolve({ kind: 'records', records: [] });
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        one.left = true;
        resolve({ kind: 'records', records: [] });
      };
      const one: Wanted = {
        topic,
        partition,
        from,
        maxBytes,
        waitUntil: clock.monotonic() + waitMs,
        giveUpAt: clock.monotonic() + waitMs + this.requestMs,
        left: false,
        resolve: (fetched) => {
          signal?.removeEventListener('abort', leave);
          resolve(fetched);
        },
        reject: (fault) => {
          signal?.removeEventListener('abort', leave);
          reject(fault);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.enqueue(one);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(this.pumping.values());
  }

  private enqueue(one: Wanted): void {
    const leader = this.link.leaderOf(one.topic, one.partition) ?? -1;
    const queue = this.wanted.get(leader) ?? [];
    queue.push(one);
    this.wanted.set(leader, queue);
    if (!this.pumping.has(leader)) this.pumping.set(leader, this.pump(leader));
  }

  private async pump(leader: number): Promise<void> {
    // Whoever asks within the same turn of the event loop goes into the same request.
    await Promise.resolve();
    for (let tries = 0; ;) {
      const taken = this.take(leader);
      if (taken.length === 0) break;
      tries = (await this.turn(taken)) ? 0 : tries + 1;
      if (tries > 0) await this.link.pause(tries);
    }
    this.pumping.delete(leader);
  }

  /** At most one wish of each partition; the others wait for the next request. */
  private take(leader: number): Wanted[] {
    const queue = (this.wanted.get(leader) ?? []).filter(({ left }) => !left);
    const taken: Wanted[] = [];
    const rest: Wanted[] = [];
    for (const one of queue) {
      const same = taken.some((other) => other.partition === one.partition && other.topic === one.topic);
      (same ? rest : taken).push(one);
    }
    if (this.closed) for (const one of queue) one.resolve({ kind: 'records', records: [] });
    this.wanted.set(leader, this.closed ? [] : rest);
    return this.closed ? [] : taken;
  }

  /** One request; true when the broker answered. */
  private async turn(taken: readonly Wanted[]): Promise<boolean> {
    try {
      this.deliver(taken, await this.send(taken));
      return true;
    } catch (error) {
      if (taken.length > 1) {
        // The answer's error does not say whose it is.
        let answered = false;
        for (const one of taken) answered = (await this.turn([one])) || answered;
        return answered;
      }
      const [one] = taken;
      if (one === undefined) return true;
      if (kafkaFacts(error).type === 'OFFSET_OUT_OF_RANGE') one.resolve({ kind: 'out_of_range' });
      else if (mayTryAgain(error) && this.link.clock.monotonic() < one.giveUpAt) this.enqueue(one);
      else one.reject(kafkaFault('be read', error));
      return kafkaFacts(error).type === 'OFFSET_OUT_OF_RANGE';
    }
  }

  private async send(taken: readonly Wanted[]): Promise<FetchAnswer> {
    const [first] = taken;
    if (first === undefined) return { responses: [] };
    const now = this.link.clock.monotonic();
    const patience = Math.min(TURN_MS, ...taken.map(({ waitUntil }) => Math.max(0, waitUntil - now)));
    const topics = taken.map(({ topic, partition, from, maxBytes }) => ({
      topic,
      partitions: [{ partition, fetchOffset: from.toString(), maxBytes }],
    }));
    return this.link.once({ topic: first.topic, leaderOf: first.partition }, (broker) =>
      broker.fetch({ maxWaitTime: Math.ceil(patience), minBytes: 1, maxBytes: REQUEST_BYTES, topics }),
    );
  }

  private deliver(taken: readonly Wanted[], answer: FetchAnswer): void {
    for (const one of taken) {
      const records = answer.responses
        .filter(({ topicName }) => topicName === one.topic)
        .flatMap(({ partitions }) => partitions)
        .filter(({ partition }) => partition === one.partition)
        .flatMap(({ messages }) => messages)
        .filter(({ offset }) => BigInt(offset) >= one.from);
      const waits = records.length === 0 && this.link.clock.monotonic() < one.waitUntil;
      if (waits && !one.left) this.enqueue(one);
      else one.resolve({ kind: 'records', records });
    }
  }
}
