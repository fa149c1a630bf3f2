import type { SimulatedEvent } from '@flowledger/simulator';

/** What a node's ring holds of one event. */
export type RingEvent = Pick<SimulatedEvent, 'node' | 'timeNs' | 'kind' | 'bytes'>;

/**
 * The ring of one Hubble agent: the last `capacity` events, overwritten from the oldest on. Events are numbered from 0 in the
 * order in which they came; a reader that is too slow finds its next number gone (hubble note 2.2).
 */
export class NodeRing {
  /** Flows ever seen, as `seen_flows` says it; starts again with the agent. */
  seenFlows = 0;
  startedNs: bigint;
  readonly #slots: (RingEvent | undefined)[];
  #next = 0;
  #first = 0;

  constructor(
    readonly name: string,
    readonly capacity: number,
    nowNs: bigint,
  ) {
    this.#slots = Array.from({ length: capacity });
    this.startedNs = nowNs;
  }

  /** Number of the oldest event still held, and of the one that comes next. */
  get oldest(): number {
    return Math.max(this.#first, this.#next - this.capacity);
  }

  get next(): number {
    return this.#next;
  }

  push(event: RingEvent): void {
    this.#slots[this.#next % this.capacity] = event;
    this.#next++;
    if (event.kind === 'flow') this.seenFlows++;
  }

  at(number: number): RingEvent | undefined {
    return number < this.oldest || number >= this.#next ? undefined : this.#slots[number % this.capacity];
  }

  /** The agent starts again: the ring is empty, its counters are zero. */
  restart(nowNs: bigint): void {
    this.#first = this.#next;
    this.seenFlows = 0;
    this.startedNs = nowNs;
  }

  /**
   * Where a request begins: walks back from the newest event until a flow older than `sinceNs` was met, or `number` flows
   * were. `since` wins over `number`; neither is now.
   */
  startOf(sinceNs: bigint | undefined, number: bigint): number {
    if (sinceNs === undefined && number === 0n) return this.#next;
    let left = number;
    for (let at = this.#next - 1; at >= this.oldest; at--) {
      const event = this.at(at);
      if (event?.kind !== 'flow') continue;
      if (sinceNs !== undefined && event.timeNs < sinceNs) return at + 1;
      if (sinceNs === undefined && --left === 0n) return at;
    }
    return this.oldest;
  }
}
