import type { AppendRecord } from '@flowledger/event-log';
import type { Codec } from '@flowledger/model';
import { describeError, type Clock, type Log } from '@flowledger/platform';
import { Packer, type PackedEnvelope } from '../packer.js';
import { fullJitter } from '../relay/back-off.js';

/** What a live source needs to bring events into the log. */
export interface AppendTarget {
  readonly tenant: string;
  readonly cluster: string;
  readonly partitions: number;
  readonly append: (records: readonly AppendRecord[]) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AppendQueueOptions<Mark> extends AppendTarget {
  /** Bytes of events that may be on their way to the log. */
  readonly maxBytes: number;
  /** Longest time an event waits for its envelope to fill, ms. Default 500 (design section 3). */
  readonly maxWaitMs?: number;
  /** How far the source has got, asked when a batch is closed: everything added before is in this batch or an earlier one. */
  readonly mark: () => Mark;
  /** Told the mark of a batch once that batch, and so every earlier one, is durable. */
  readonly onDurable: (mark: Mark) => Promise<void> | void;
  /** Between 0 and 1; chooses the wait before a refused append is tried again. */
  readonly random: () => number;
}

/** What all envelopes of one lane say about their events. */
export interface LaneOptions {
  readonly source: string;
  readonly codec: Codec;
  /** One of so many events was kept by a sampling policy. Default 1: all. */
  readonly samplingRate?: number;
}

/** Where a source puts events that belong in the same kind of envelope. */
export interface Lane {
  /** Takes one event; its bytes are copied. */
  add(stream: string, event: Uint8Array, timeNs: bigint | undefined): void;
}

/** An envelope and whose memory it is. */
interface Packed {
  readonly packer: Packer;
  readonly envelope: PackedEnvelope;
}

/** Bytes of one append: what a broker with usual limits takes as one batch. */
const CHUNK_BYTES = 1024 * 1024;
const RETRY = { baseMs: 100, capMs: 5000 };
/** How long a stopping source still tries to bring what it has into the log. */
const LAST_WORDS_MS = 5000;

/**
 * Packs events and appends them, one batch at a time, so that what is durable is always a prefix of what was added and a
 * single mark says how far a source got. A refused append is tried again with the same records until it succeeds: a copy
 * that this may leave is removed by the loader. Callers keep below the byte bound by awaiting {@link room}.
 */
export class AppendQueue<Mark> {
  readonly #options: AppendQueueOptions<Mark>;
  readonly #lanes: Packer[] = [];
  #packed: Packed[] = [];
  #added = 0;
  #closed = 0;
  #durable = 0;
  #wake: (() => void) | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor(options: AppendQueueOptions<Mark>) {
    this.#options = options;
  }

  /** Bytes of events added and not yet durable. */
  get pendingBytes(): number {
    return this.#added - this.#durable;
  }

  /** The bound is reached: add nothing before {@link room} resolves. */
  get full(): boolean {
    return this.pendingBytes >= this.#options.maxBytes;
  }

  lane(options: LaneOptions): Lane {
    const { tenant, cluster, partitions, clock } = this.#options;
    const now = (): number => clock.now();
    const packer = new Packer({ tenant, cluster, partitions, now, ...options });
    this.#lanes.push(packer);
    return {
      add: (stream, event, timeNs) => {
        const envelope = packer.add(stream, event, timeNs);
        if (envelope !== undefined) this.#packed.push({ packer, envelope });
        this.#added += event.length;
        if (this.#added - this.#closed >= this.#options.maxBytes / 4) this.#wake?.();
      },
    };
  }

  /** Resolves when half of the bound is free. */
  room(): Promise<void> {
    if (this.pendingBytes <= this.#options.maxBytes / 2) return Promise.resolve();
    this.#wake?.();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Closes open envelopes now instead of when they are old enough. */
  flush(): void {
    this.#wake?.();
  }

  /** Appends until `signal` aborts, and then what was added before. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = (): void => this.#wake?.();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        await this.#untilDue(signal);
        await this.#appendOpen(signal);
      }
      await this.#appendOpen(signal);
    } finally {
      signal.removeEventListener('abort', wake);
      // Nothing more is appended: whoever waits for room is let go.
      for (const go of this.#waiting.splice(0)) go();
    }
  }

  async #appendOpen(signal: AbortSignal): Promise<void> {
    for (const packer of this.#lanes)
      for (const envelope of packer.flush()) this.#packed.push({ packer, envelope });
    const packed = this.#packed;
    this.#packed = [];
    const records = packed.map(({ envelope }) => envelope.record);
    this.#closed = this.#added;
    const closed = this.#closed;
    const mark = this.#options.mark();
    const done = await Promise.all(chunksOf(records).map((chunk) => this.#appendUntilDurable(chunk, signal)));
    if (done.includes(false)) return;
    for (const { packer, envelope } of packed) packer.reuse(envelope);
    this.#durable = closed;
    if (this.pendingBytes <= this.#options.maxBytes / 2) for (const go of this.#waiting.splice(0)) go();
    await this.#options.onDurable(mark);
  }

  async #appendUntilDurable(records: readonly AppendRecord[], signal: AbortSignal): Promise<boolean> {
    const { append, clock, log, random } = this.#options;
    let stopBy = Infinity;
    for (let attempt = 0; ; attempt++) {
      try {
        await append(records);
        return true;
      } catch (error) {
        if (signal.aborted && stopBy === Infinity) stopBy = clock.monotonic() + LAST_WORDS_MS;
        if (clock.monotonic() >= stopBy) return false;
        if (attempt === 0) log.warn({ error: describeError(error) }, 'log refused events, trying again');
        await clock.sleep(fullJitter(attempt, RETRY, random()));
      }
    }
  }

  async #untilDue(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#added - this.#closed >= this.#options.maxBytes / 4) return;
    const due = new AbortController();
    this.#wake = () => due.abort();
    await this.#options.clock.sleep(this.#options.maxWaitMs ?? 500, due.signal).catch(() => undefined);
    this.#wake = undefined;
  }
}

/** The same records in order, in parts of about {@link CHUNK_BYTES}. */
function chunksOf(records: readonly AppendRecord[]): readonly (readonly AppendRecord[])[] {
  const chunks: AppendRecord[][] = [];
  let bytes = Infinity;
  for (const record of records) {
    if (bytes + record.value.length > CHUNK_BYTES) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)?.push(record);
    bytes += record.value.length;
  }
  return chunks;
}
