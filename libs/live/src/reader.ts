import type { LabelledFlow, LiveStep, LogCursor, TailRequest } from '@flowledger/query';
import type { FedRecord } from './partition-feed.js';
import type { TailContext } from './tail-context.js';

type Loss = Omit<Extract<LiveStep, { kind: 'missed' }>, 'kind'>;

/** One thing that waits to be delivered. */
type Entry =
  | {
      readonly kind: 'flows';
      readonly record: FedRecord;
      readonly flows: readonly LabelledFlow[];
      readonly bytes: number;
    }
  | { readonly kind: 'loss'; readonly step: Loss }
  | { readonly kind: 'caught_up'; readonly atNs: bigint; readonly cursor: LogCursor };

/** Flows of one step at most; a record is never split. */
const STEP_FLOWS = 1000;
/** What an entry takes beside its flows. */
const ENTRY_BYTES = 128;

interface Gap {
  count: bigint;
  fromNs: bigint;
  toNs: bigint;
  readonly resume: LogCursor;
}

/**
 * One reader of the tail: a bounded buffer between the partitions, which offer records, and an iteration, which takes
 * steps. What does not fit is counted and not kept; the count goes out once the buffer is empty.
 */
export class Reader {
  readonly request: TailRequest;
  readonly #context: TailContext;
  #queue: Entry[] = [];
  #bytes = 0;
  #gap: Gap | undefined;
  /** Next offset to offer, and to deliver, by partition. */
  readonly #offered: { offset: bigint; event: number }[];
  readonly #delivered: { offset: bigint; event: number }[];
  /** How far the shared tails have come that offer only what concerns this reader, by partition. */
  readonly #reached: (() => bigint)[] = [];
  /** Offsets at which the log ended when this reader came; undefined once `caught_up` was queued. */
  #ends: readonly bigint[] | undefined;
  #wake: (() => void) | undefined;
  #room: (() => void)[] = [];
  #fault: unknown;

  constructor(context: TailContext, request: TailRequest, ends: readonly bigint[]) {
    this.#context = context;
    this.request = request;
    const from = request.after.partitions;
    this.#offered = ends.map((_, p) => ({ offset: from[p]?.offset ?? 0n, event: from[p]?.event ?? 0 }));
    this.#delivered = this.#offered.map((place) => ({ ...place }));
    this.#ends = ends;
    this.#noteProgress();
  }

  /** The next offset of a partition that this reader wants. */
  next(partition: number): bigint {
    return this.#offered[partition]?.offset ?? 0n;
  }

  /** Everything that the log held when this reader came was offered. */
  get caughtUp(): boolean {
    return this.#ends === undefined;
  }

  /** From now on a shared tail offers what concerns this reader of a partition; `reached` is the next offset it will publish. */
  follow(partition: number, reached: () => bigint): void {
    this.#reached[partition] = reached;
  }

  /** Takes a record and those of its flows that match; drops them, and counts them, where the buffer is full. */
  offer(record: FedRecord, matching: readonly LabelledFlow[]): void {
    const place = this.#offered[record.partition];
    if (place === undefined || record.offset < place.offset) return;
    const skip = record.offset === place.offset ? place.event : 0;
    const flows = skip === 0 ? matching : matching.filter(({ flow }) => flow.position.index >= skip);
    if (flows.length > 0) this.#enqueue(record, flows);
    place.offset = record.offset + 1n;
    place.event = 0;
    this.#noteLosses(record);
    this.#noteProgress();
  }

  /** Resolves when the buffer is less than half full, or the reader has gone. */
  async room(): Promise<void> {
    if (this.#bytes * 2 < this.request.maxBufferedBytes || this.request.signal.aborted) return;
    await new Promise<void>((resolve) => this.#room.push(resolve));
  }

  /** Ends the iteration with a fault. */
  fail(fault: unknown): void {
    this.#fault ??= fault;
    this.#notify();
  }

  /** Everything this reader gets, until its signal aborts. */
  async *steps(): AsyncGenerator<LiveStep, void, undefined> {
    const { signal } = this.request;
    const onAbort = (): void => this.#notify();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!signal.aborted) {
        const step = this.#take();
        if (step !== undefined) yield step;
        else if (this.#fault !== undefined) throw this.#fault;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#queue = [];
      this.#bytes = 0;
      this.#release();
    }
  }

  #enqueue(record: FedRecord, flows: readonly LabelledFlow[]): void {
    const share = record.flows.length === 0 ? 0 : flows.length / record.flows.length;
    const bytes = Math.ceil(record.bytes * share) + ENTRY_BYTES;
    // A buffer smaller than one record still takes one.
    const full = this.#bytes > 0 && this.#bytes + bytes > this.request.maxBufferedBytes;
    if (this.#gap === undefined && !full) {
      this.#queue.push({ kind: 'flows', record, flows, bytes });
      this.#bytes += bytes;
      this.#notify();
      return;
    }
    this.#gap ??= {
      count: 0n,
      fromNs: flows[0]?.flow.timeNs ?? 0n,
      toNs: 0n,
      resume: this.#offeredCursor(),
    };
    this.#gap.count += BigInt(flows.length);
    for (const { flow } of flows) {
      if (flow.timeNs < this.#gap.fromNs) this.#gap.fromNs = flow.timeNs;
      if (flow.timeNs > this.#gap.toNs) this.#gap.toNs = flow.timeNs;
    }
  }

  #noteLosses(record: FedRecord): void {
    if (record.losses.length === 0 && record.removed === 0) return;
    const resume = this.#offeredCursor();
    const nowNs = BigInt(this.#context.clock.now()) * 1_000_000n;
    const losses: Omit<Loss, 'reason' | 'resume'>[] = record.losses.map(
      ({ count, fromNs, toNs, source }) => ({
        count,
        fromNs,
        toNs,
        lossSource: source,
      }),
    );
    if (record.removed > 0) losses.push({ count: BigInt(record.removed), fromNs: nowNs, toNs: nowNs });
    for (const loss of losses) this.#enqueueLoss({ ...loss, reason: 'SOURCE_LOSS', resume });
    this.#notify();
  }

  /** Losses of one kind in a row are one, so that they need little room however slow the reader is. */
  #enqueueLoss(step: Loss): void {
    const last = this.#queue.at(-1);
    if (last?.kind !== 'loss' || last.step.lossSource !== step.lossSource) {
      this.#queue.push({ kind: 'loss', step });
      return;
    }
    const { count, fromNs, toNs } = last.step;
    this.#queue[this.#queue.length - 1] = {
      kind: 'loss',
      step: {
        ...step,
        count: count + step.count,
        fromNs: fromNs < step.fromNs ? fromNs : step.fromNs,
        toNs: toNs > step.toNs ? toNs : step.toNs,
      },
    };
  }

  #noteProgress(): void {
    if (this.#ends?.some((end, p) => this.next(p) < end) !== false) return;
    this.#ends = undefined;
    const atNs = BigInt(this.#context.clock.now()) * 1_000_000n;
    this.#queue.push({ kind: 'caught_up', atNs, cursor: this.#offeredCursor() });
    this.#notify();
  }

  /** The next step; undefined when there is none now. */
  #take(): LiveStep | undefined {
    const first = this.#queue[0];
    if (first === undefined) return this.#takeGap();
    if (first.kind !== 'flows') {
      this.#queue.shift();
      if (first.kind === 'caught_up') return first;
      this.#count(Number(first.step.count), first.step.reason);
      return { kind: 'missed', ...first.step };
    }
    const flows: LabelledFlow[] = [];
    let taken = 0;
    for (const entry of this.#queue) {
      if (entry.kind !== 'flows' || (taken > 0 && flows.length + entry.flows.length > STEP_FLOWS)) break;
      flows.push(...entry.flows);
      this.#bytes -= entry.bytes;
      this.#delivered[entry.record.partition] = { offset: entry.record.offset + 1n, event: 0 };
      taken++;
    }
    this.#queue.splice(0, taken);
    this.#release();
    const done = this.#queue.length === 0 && this.#gap === undefined;
    return { kind: 'flows', flows, cursor: done ? this.#offeredCursor() : this.#cursor(this.#delivered) };
  }

  #takeGap(): LiveStep | undefined {
    const gap = this.#gap;
    if (gap === undefined) return undefined;
    this.#gap = undefined;
    this.#count(Number(gap.count), 'SLOW_CONSUMER');
    return { kind: 'missed', reason: 'SLOW_CONSUMER', ...gap };
  }

  #count(count: number, reason: string): void {
    this.#context.events.missed(count, reason);
  }

  /** Behind all that was offered, and behind what was not because it did not concern this reader. */
  #offeredCursor(): LogCursor {
    return this.#cursor(
      this.#offered.map((place, p) => {
        const reached = this.#reached[p]?.() ?? 0n;
        return reached > place.offset ? { offset: reached, event: 0 } : place;
      }),
    );
  }

  #cursor(places: readonly { offset: bigint; event: number }[]): LogCursor {
    return { epoch: this.#context.log.epoch, partitions: places.map((place) => ({ ...place })) };
  }

  #release(): void {
    if (this.#bytes * 2 >= this.request.maxBufferedBytes && !this.request.signal.aborted) return;
    const waiting = this.#room;
    this.#room = [];
    for (const resolve of waiting) resolve();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
    if (this.request.signal.aborted) this.#release();
  }
}
