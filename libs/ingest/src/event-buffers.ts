import { WireWriter } from '@flowledger/model';

/** Number of `events` in proto/flowledger/v1/envelope.proto. */
const EVENTS_FIELD = 15;
/** Left free before the events, for the header that is known when they are complete. */
const HEADER_BYTES = 1024;
const LEAST_BYTES = 4096;
/** Most that is kept for envelopes to come; what is beyond is left to the garbage collector. */
const SPARE_BYTES = 16 * 1024 * 1024;

/** The record of one open envelope while it grows. */
export class EventBuffer {
  readonly #writer: WireWriter;

  /** `bytes`: how much the events are expected to take. */
  constructor(bytes: number) {
    this.#writer = new WireWriter(HEADER_BYTES + Math.max(bytes, LEAST_BYTES));
    this.clear();
  }

  /** Copies one event behind the others. */
  add(event: Uint8Array): void {
    this.#writer.bytesField(EVENTS_FIELD, event);
  }

  /** All events with their lengths; a view, valid until the next change. */
  get events(): Uint8Array {
    return this.#writer.buf.subarray(HEADER_BYTES, this.#writer.pos);
  }

  /** The record: `header` and all events. A view, valid until the next change, unless the header is uncommonly long. */
  record(header: Uint8Array): Uint8Array {
    const { buf, pos } = this.#writer;
    const start = HEADER_BYTES - header.length;
    if (start < 0) return Buffer.concat([header, this.events]);
    buf.set(header, start);
    return buf.subarray(start, pos);
  }

  /** Bytes of memory taken. */
  get capacity(): number {
    return this.#writer.buf.length;
  }

  clear(): void {
    this.#writer.pos = HEADER_BYTES;
  }
}

/**
 * The buffers of one packer. An event is copied into its record when it comes, and records are used again once the log
 * has them: tens of megabytes a second of received messages and records that live until they are durable made the
 * garbage collector the dearest part of taking flows in.
 */
export class EventBuffers {
  readonly #spare: EventBuffer[] = [];
  #spareBytes = 0;

  /** An empty buffer; a new one has room for about `bytes`. */
  take(bytes: number): EventBuffer {
    const spare = this.#spare.pop();
    if (spare === undefined) return new EventBuffer(bytes);
    this.#spareBytes -= spare.capacity;
    return spare;
  }

  /** Takes a buffer back; views on it are no longer valid. */
  give(buffer: EventBuffer): void {
    if (this.#spareBytes + buffer.capacity > SPARE_BYTES) return;
    buffer.clear();
    this.#spareBytes += buffer.capacity;
    this.#spare.push(buffer);
  }
}
