import type { ServerWritableStream } from '@grpc/grpc-js';
import { encodeRingLoss } from './relay-messages.js';
import type { FlowsRequest } from './relay-messages.js';
import type { NodeRing, RingEvent } from './node-ring.js';

/** A call as grpc-js hands it over when nothing is decoded. */
export type RawCall = ServerWritableStream<Buffer, Uint8Array>;

/** What the fake remembers of a GetFlows call. */
export interface OpenedStream {
  readonly request: FlowsRequest;
  /** Messages written so far. */
  readonly sent: number;
}

interface Cursor {
  readonly ring: NodeRing;
  next: number;
}

/**
 * One GetFlows call: reads the rings of its nodes forward, oldest event first as far as it is there, and reports what was
 * overwritten before it was read. A call that does not drain makes it wait, as gRPC does.
 */
export class FlowStream implements OpenedStream {
  sent = 0;
  readonly #cursors: Cursor[] = [];
  /** Messages of the relay itself, sent before anything else. */
  readonly #urgent: Uint8Array[] = [];
  /** Events taken from the rings but held back, to send them out of order. */
  readonly #held: RingEvent[] = [];
  #wake: (() => void) | undefined;
  #over = false;
  stalled = false;

  constructor(
    private readonly call: RawCall,
    readonly request: FlowsRequest,
    /** How many events may overtake one. */
    private readonly disorder: number,
    private readonly random: () => number,
  ) {
    const ended = (): void => {
      this.#over = true;
      this.wake();
    };
    call.on('cancelled', ended);
    call.on('close', ended);
    call.on('error', ended);
  }

  get over(): boolean {
    return this.#over;
  }

  /** Starts reading a ring where the request says. */
  add(ring: NodeRing): void {
    this.remove(ring.name);
    this.#cursors.push({ ring, next: ring.startOf(this.request.sinceNs, this.request.number) });
    this.wake();
  }

  /** Stops reading a ring without a word. */
  remove(name: string): void {
    const at = this.#cursors.findIndex(({ ring }) => ring.name === name);
    if (at >= 0) this.#cursors.splice(at, 1);
  }

  say(message: Uint8Array): void {
    this.#urgent.push(message);
    this.wake();
  }

  wake(): void {
    this.#wake?.();
  }

  /** Ends the call with a status. */
  fail(code: number, details: string): void {
    this.call.emit('error', { code, details });
  }

  /** Sends until the call is over; resolves then. */
  async run(): Promise<void> {
    while (!this.#over) {
      const message = this.stalled ? undefined : this.#nextMessage();
      if (message !== undefined) {
        this.sent++;
        if (!this.call.write(message)) await this.#until('drain');
      } else if (!this.request.follow && !this.stalled) {
        this.call.end();
        return;
      } else await this.#until();
    }
  }

  #nextMessage(): Uint8Array | undefined {
    const urgent = this.#urgent.shift();
    if (urgent !== undefined) return urgent;
    if (this.disorder === 0) return this.#fromRings();
    while (this.#held.length <= this.disorder) {
      const message = this.#fromRings((event) => this.#held.push(event));
      if (message !== undefined) return message;
      if (!this.#tookOne) break;
    }
    const at = Math.floor(this.random() * this.#held.length);
    return this.#held.splice(at, 1)[0]?.bytes;
  }

  #tookOne = false;

  /** The oldest event that any ring has for us, or the message that some were overwritten. */
  #fromRings(hold?: (event: RingEvent) => void): Uint8Array | undefined {
    let oldest: Cursor | undefined;
    let found: RingEvent | undefined;
    this.#tookOne = false;
    for (const cursor of this.#cursors) {
      const { ring } = cursor;
      if (cursor.next < ring.oldest) {
        const lost = ring.oldest - cursor.next;
        cursor.next = ring.oldest;
        return encodeRingLoss(ring.name, ring.at(ring.oldest)?.timeNs ?? 0n, lost);
      }
      const event = ring.at(cursor.next);
      if (event === undefined || (found !== undefined && event.timeNs >= found.timeNs)) continue;
      oldest = cursor;
      found = event;
    }
    if (oldest === undefined || found === undefined) return undefined;
    oldest.next++;
    this.#tookOne = true;
    if (hold === undefined) return found.bytes;
    hold(found);
    return undefined;
  }

  #until(event?: 'drain'): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#wake = undefined;
        if (event !== undefined) this.call.removeListener(event, done);
        resolve();
      };
      if (event === undefined) this.#wake = done;
      else {
        this.call.once(event, done);
        // Only the end of the call may interrupt the wait for room.
        this.#wake = () => this.#over && done();
      }
    });
  }
}
