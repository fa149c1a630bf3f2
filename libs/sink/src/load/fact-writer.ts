import type { ColumnStore } from '@flowledger/column-store';
import type { ColumnBatch } from '@flowledger/model';
import { AppError } from '@flowledger/platform';
import { rowPositions, type RowPosition } from '../batch/read-column.js';
import { selectRows } from '../batch/select-rows.js';
import type { LogPlace } from '../dedup/deduplicator.js';
import { planOf } from '../sql.js';
import { daySlices } from './day-slices.js';
import type { Failpoint } from './failpoint.js';
import type { Patience } from './patience.js';
import { compareRows, type PresentRow } from './present-rows.js';
import { storeFault } from './store-fault.js';

/** One insert may take this long; a server that needs longer is asked what became of it. */
const INSERT_TIMEOUT_MS = 60_000;
const SETTLE_POLL_MS = 50;
/** Statements of a partition that still run after this long are ended. */
const SETTLE_KILL_MS = 30_000;
/** More refused rows than this and it is not the rows: 100, or a twentieth of the batch. */
const REFUSED_ROWS = 100;
const REFUSED_SHARE = 0.05;

export interface FactWriterOptions {
  readonly store: ColumnStore;
  readonly place: LogPlace;
  /** Makes the tokens of repairs unique to this lease. */
  readonly generation: number;
  readonly patience: Patience;
  readonly failpoint: Failpoint;
  readonly sleep: (ms: number) => Promise<void>;
  /** Ends requests on their way. */
  readonly signal: AbortSignal;
}

export interface WriteOrder {
  readonly batch: ColumnBatch;
  readonly from: bigint;
  readonly to: bigint;
  /** Names exactly these rows; a retry under it is swallowed if the first try landed. */
  readonly token: string;
  /**
   * `fresh`: nobody tried before. `announced`: a predecessor may have written these very rows under this token.
   * `unknown`: rows of this range may be there from a batch that was cut otherwise.
   */
  readonly trust: 'fresh' | 'announced' | 'unknown';
}

export interface WriteOutcome {
  /** False when the first insert succeeded for certain: then views are right as well. */
  readonly verified: boolean;
  /** Rows that had to be brought in after looking. */
  readonly missing: number;
  /** Rows that the engine refused for certain. */
  readonly refused: readonly RowPosition[];
}

/**
 * Writes rows of a table of facts so that each is there exactly once, whatever fails: certain success is believed;
 * after anything else it waits until nothing of this partition is still being written, looks which rows are there, and
 * brings in only those that are not (design section 7). Never gives up: the store may be away for days.
 */
export class FactWriter {
  #repairs = 0;

  constructor(private readonly options: FactWriterOptions) {}

  async write(order: WriteOrder): Promise<WriteOutcome> {
    if (order.batch.rows === 0) return { verified: false, missing: 0, refused: [] };
    if (order.trust !== 'fresh') return this.#bringIn(order, order.trust === 'announced', false);
    const end = await this.#try(order.batch, order.token);
    if (end === 'done') return { verified: false, missing: 0, refused: [] };
    return this.#bringIn(order, end === 'uncertain', end === 'content');
  }

  /** Resolves when nothing of this partition is being written any more, by whomever. */
  async settle(): Promise<void> {
    const { patience, store, place, sleep, signal } = this.options;
    const params = { prefix: `${place.epoch}/${place.partition}/` };
    for (let waited = 0; ; waited += SETTLE_POLL_MS) {
      const { rows } = await patience.until('in_flight', () =>
        store.query<{ running: string }>(planOf('in_flight', params), signal),
      );
      if (Number(rows[0]?.running ?? 0) === 0) return;
      if (waited >= SETTLE_KILL_MS && waited % SETTLE_KILL_MS === 0)
        await patience.until('kill_in_flight', () => store.command(planOf('kill_in_flight', params), signal));
      await sleep(SETTLE_POLL_MS);
    }
  }

  async #bringIn(order: WriteOrder, mayRepeatToken: boolean, splitting: boolean): Promise<WriteOutcome> {
    const refused = new Map<string, RowPosition>();
    const positions = rowPositions(order.batch);
    let brought = 0;
    for (let round = 0; ; round++) {
      await this.settle();
      await this.options.failpoint('during-verify', order.batch.table);
      const missing = await this.#missing(order);
      const wanted = missing.filter((row) => !refused.has(keyOf(positions[row])));
      if (wanted.length === 0) {
        const gone = new Set(Array.from(missing, (row) => keyOf(positions[row])));
        return {
          verified: true,
          missing: brought,
          refused: [...refused.values()].filter((at) => gone.has(keyOf(at))),
        };
      }
      if (round === 0) brought = wanted.length;
      const whole = wanted.length === order.batch.rows;
      // The first token again, so that a request still on its way somewhere is swallowed; afterwards tokens of our own,
      // because a plain MergeTree may remember a token whose rows it lost (reliability note, M6).
      const token = whole && mayRepeatToken && round === 0 ? order.token : this.#repairToken(order.token);
      const rows = whole ? order.batch : selectRows(order.batch, wanted);
      if (splitting) await this.#split(rows, token, refused, order.batch.rows);
      else splitting = (await this.#try(rows, token)) === 'content';
    }
  }

  #repairToken(token: string): string {
    this.#repairs++;
    return `${token}/r${this.options.generation}.${this.#repairs}`;
  }

  /** Rows of the batch that the table lacks; rows it holds twice are removed first and then lack as well. */
  async #missing(order: WriteOrder): Promise<Uint32Array> {
    const { patience, store, place, signal } = this.options;
    const { table } = order.batch;
    const params = { epoch: place.epoch, partition: place.partition, table, from: order.from, to: order.to };
    for (;;) {
      const { rows } = await patience.until('present_rows', () =>
        store.query<PresentRow>(planOf('present_rows', params), signal),
      );
      const { missing, copies } = compareRows(order.batch, rows);
      if (copies.length === 0) return missing;
      const doubled = { offsets: copies.map((at) => at.offset), indexes: copies.map((at) => at.index) };
      const plan = planOf('delete_copies', { ...params, ...doubled }, { lightweight_deletes_sync: 2 });
      await patience.until('delete_copies', () => store.command(plan, signal));
    }
  }

  /** One try at inserting rows; waits for a store that cannot be reached. */
  async #try(batch: ColumnBatch, token: string): Promise<'done' | 'uncertain' | 'content'> {
    const { failpoint, patience, store, signal } = this.options;
    for (;;) {
      try {
        await failpoint('before-insert', batch.table);
        for (const [index, slice] of daySlices(batch).entries()) {
          const name = slice === batch ? token : `${token}/d${index}`;
          await store.insert(slice, { token: name, timeoutMs: INSERT_TIMEOUT_MS, signal });
        }
        await failpoint('after-insert', batch.table);
        patience.relieved();
        return 'done';
      } catch (error) {
        const fault = storeFault(error);
        if (fault === 'content') return 'content';
        await patience.after(error, `insert into ${batch.table}`);
        // A view whose target is missing fails after the raw rows are in, so even that has to be looked at.
        if (fault !== 'unreached' || daySlices(batch).length > 1) return 'uncertain';
      }
    }
  }

  /** Inserts halves of halves until the refused rows stand alone; false when it stopped on the way. */
  async #split(
    batch: ColumnBatch,
    token: string,
    refused: Map<string, RowPosition>,
    total: number,
  ): Promise<boolean> {
    const end = await this.#try(batch, token);
    if (end !== 'content') return end === 'done';
    const [first] = rowPositions(batch);
    if (batch.rows === 1 && first !== undefined) {
      refused.set(keyOf(first), first);
      return (
        refused.size <= Math.max(REFUSED_ROWS, total * REFUSED_SHARE) || this.#tooMany(refused, batch.table)
      );
    }
    const middle = batch.rows >> 1;
    return (
      (await this.#split(selectRows(batch, span(0, middle)), `${token}/a`, refused, total)) &&
      this.#split(selectRows(batch, span(middle, batch.rows)), `${token}/b`, refused, total)
    );
  }

  /** So many refusals are the installation's doing: forget them, raise the alarm, and begin again later. */
  async #tooMany(refused: Map<string, RowPosition>, table: string): Promise<false> {
    const count = refused.size;
    refused.clear();
    const text = `${table} refuses too many rows for the rows to be wrong`;
    await this.options.patience.after(
      new AppError('FORBIDDEN', text, { retry: true, details: { count } }),
      'insert',
    );
    return false;
  }
}

function span(from: number, to: number): Uint32Array {
  return Uint32Array.from({ length: to - from }, (_, i) => from + i);
}

function keyOf(position: RowPosition | undefined): string {
  return position === undefined ? '' : `${position.offset}/${position.index}`;
}
