import type { ColumnBatch } from '../columns.js';
import type { EnvelopeHeader } from '../envelope.js';
import type { DecodedEvent } from '../hubble/event-decoder.js';
import type { EventTime } from '../hubble/event-time.js';
import type { RejectReason, SkipReason } from '../outcome.js';
import { TableBuilder, type Cell } from './table-builder.js';
import { DEAD_LETTER_COLUMNS, EVENT_COLUMNS, SKIPPED_EVENT_COLUMNS } from './tables.js';

/** A dead letter keeps this much of the original. */
const DEAD_LETTER_BYTES = 64 * 1024;

/** Who an event that is no flow is of, and when it was. */
export interface EventPlace {
  readonly cluster: Uint8Array;
  readonly node: Uint8Array;
  readonly time: EventTime;
  readonly key: bigint;
}

/** The tables of everything that is no flow: other events, dead letters, and what was skipped and why. */
export class Books {
  readonly #events = new TableBuilder('events', EVENT_COLUMNS);
  readonly #deadLetters = new TableBuilder('dead_letters', DEAD_LETTER_COLUMNS);
  readonly #skipped = new TableBuilder('skipped_events', SKIPPED_EVENT_COLUMNS);

  constructor(
    private readonly logEpoch: bigint,
    private readonly partition: number,
  ) {}

  get rows(): number {
    return this.#events.rows + this.#deadLetters.rows + this.#skipped.rows;
  }

  /** Estimated bytes. */
  get size(): number {
    return this.#events.size + this.#deadLetters.size + this.#skipped.size;
  }

  take(): {
    readonly events: ColumnBatch;
    readonly deadLetters: ColumnBatch;
    readonly skippedEvents: ColumnBatch;
  } {
    return {
      events: this.#events.take(),
      deadLetters: this.#deadLetters.take(),
      skippedEvents: this.#skipped.take(),
    };
  }

  #place(offset: bigint, index: number): Cell[] {
    return [this.logEpoch, this.partition, offset, index];
  }

  event(
    offset: bigint,
    index: number,
    header: EnvelopeHeader,
    event: DecodedEvent,
    place: EventPlace,
    bytes: Uint8Array,
  ): void {
    const { time } = place;
    this.#events.append([
      ...this.#place(offset, index),
      header.tenant,
      place.cluster,
      place.node,
      join(time.bucketLo, time.bucketHi),
      join(time.shiftLo, time.shiftHi),
      time.quality,
      place.key,
      event.kind,
      event.type,
      event.count,
      event.firstTime,
      event.lastTime,
      event.nodes,
      event.namespace,
      event.pod,
      event.labels,
      event.text,
      bytes,
    ]);
  }

  skip(offset: bigint, index: number, header: EnvelopeHeader, reason: SkipReason, key: bigint): void {
    this.#skipped.append([...this.#place(offset, index), reason, key, BigInt(header.receivedMs)]);
  }

  /** Keeps `original` with its reason; without a header (the record is no envelope) nothing of its origin is known. */
  deadLetter(
    offset: bigint,
    index: number,
    header: EnvelopeHeader | undefined,
    reason: RejectReason,
    original: Uint8Array,
  ): void {
    this.#deadLetters.append([
      ...this.#place(offset, index),
      header?.tenant ?? 'default',
      header?.cluster ?? 'default',
      header?.stream ?? '',
      BigInt(header?.receivedMs ?? 0),
      header?.source ?? '',
      header?.codec ?? '',
      reason,
      original.length,
      original.slice(0, DEAD_LETTER_BYTES),
    ]);
  }
}

function join(lo: number, hi: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo);
}
