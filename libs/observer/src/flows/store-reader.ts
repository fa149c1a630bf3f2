import { decodeNativeBlocks, type ColumnStore } from '@flowledger/column-store';
import type { ColumnBatch } from '@flowledger/model';
import { AppError, isAppError, Turnstile, type Clock } from '@flowledger/platform';
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
  /** Streams are bounded, and each asks for one page at a time. */
  readonly #turnstile: Turnstile;

  constructor(readonly options: StoreReaderOptions) {
    this.#turnstile = new Turnstile(options.concurrentQueries, Infinity);
  }

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
  rows<Row>(plan: QueryPlan, signal: AbortSignal): Promise<readonly Row[]> {
    return this.#inTurn(async () => (await this.options.store.query<Row>(plan, signal)).rows, signal);
  }

  /** Batches of a plan whose columns are read as bytes. Rejects as {@link rows}. */
  batches(plan: QueryPlan, signal: AbortSignal): Promise<readonly ColumnBatch[]> {
    return this.#inTurn(async () => {
      const chunks: Uint8Array[] = [];
      const stream = await this.options.store.readNative(plan, signal);
      for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
      return decodeNativeBlocks(Buffer.concat(chunks), 'flows');
    }, signal);
  }

  async #inTurn<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await this.#turnstile.run(work, signal);
    } catch (error) {
      if (!signal.aborted || isAppError(error)) throw error;
      throw new AppError('CANCELLED', 'query of a stream', { retry: true, cause: error });
    }
  }
}
