import { decodeNativeBlocks, type ColumnStore } from '@flowledger/column-store';
import type { ColumnBatch } from '@flowledger/model';
import { AppError, type Clock } from '@flowledger/platform';
import type { QueryContext, QueryLimits, QueryPlan, Retention } from '@flowledger/query';

/** Two days: parts outlive their time a little, and clocks differ. */
const SPARE_NS = 172_800_000_000_000n;

/** What the observer asks the store with. */
export interface StoreReaderOptions {
  readonly store: ColumnStore;
  readonly tenant: string;
  readonly retention: Retention;
  readonly limits: QueryLimits;
  readonly clock: Clock;
  /** Statements that may run at once for all streams; more wait their turn. */
  readonly concurrentQueries: number;
}

/** Runs planned statements, a bounded number at once, first come, first served. */
export class StoreReader {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(readonly options: StoreReaderOptions) {}

  /**
   * What planners know beside the question, as of now. Pages are read in order and stop when they are full, so that a
   * stream may span everything that is kept.
   */
  context(): QueryContext {
    const { tenant, retention, clock } = this.options;
    const limits = { ...this.options.limits, maxWindowNs: retention.rawNs + retention.minuteNs + SPARE_NS };
    return { tenant, retention, limits, nowNs: BigInt(clock.now()) * 1_000_000n };
  }

  /** Rows of a plan. Rejects CANCELLED when the signal aborts, also while waiting for a place. */
  async rows<Row>(plan: QueryPlan, signal: AbortSignal): Promise<readonly Row[]> {
    await this.#enter(signal);
    try {
      return (await this.options.store.query<Row>(plan, signal)).rows;
    } finally {
      this.#leave();
    }
  }

  /** Batches of a plan whose columns are read as bytes. Rejects as {@link rows}. */
  async batches(plan: QueryPlan, signal: AbortSignal): Promise<readonly ColumnBatch[]> {
    await this.#enter(signal);
    try {
      const chunks: Uint8Array[] = [];
      const stream = await this.options.store.readNative(plan, signal);
      for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
      return decodeNativeBlocks(Buffer.concat(chunks), 'flows');
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelled();
    if (this.#running < this.options.concurrentQueries) {
      this.#running++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(cancelled());
      };
      this.#waiting.push(turn);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** The place goes to the next in line. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}

function cancelled(): AppError {
  return new AppError('CANCELLED', 'query of a stream', { retry: true });
}
