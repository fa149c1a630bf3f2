import type { PartitionLease, StoredRecord } from '@flowledger/event-log';
import type { ColumnBatch } from '@flowledger/model';
import { touchedHours, type RowPosition } from '../batch/read-column.js';
import type { LogPlace } from '../dedup/deduplicator.js';
import { repairableHours, RollupRepair } from '../repair/rollup-repair.js';
import { keptSince } from '../retention/kept-since.js';
import { planOf } from '../sql.js';
import { FactWriter, type WriteOrder } from './fact-writer.js';
import { encodeIntent } from './intent.js';
import { KnownRows } from './known-rows.js';
import { ledgerRow, repairRow } from './ledger-row.js';
import {
  accountOf,
  bookTables,
  factTables,
  intentOf,
  sideTables,
  type BatchAccount,
  type LoadBatch,
} from './load-batch.js';
import type { LoaderContext } from './loader-context.js';
import type { Patience } from './patience.js';
import { refusedRows } from './refused-rows.js';
import type { WritePlace } from './write-place.js';

/**
 * Writes one batch at a time for one lease: intent, side tables, facts, books, repair where anything was uncertain,
 * ledger line last. When `load` resolves, the batch is in the store exactly once and its rollups are right.
 */
export class BatchWriter {
  readonly #place: LogPlace;
  readonly #facts: FactWriter;
  readonly #repair: RollupRepair;
  readonly #known = new KnownRows();

  constructor(
    private readonly context: LoaderContext,
    private readonly lease: PartitionLease,
    private readonly patience: Patience,
    /** Ends requests on their way; later than the lease's own signal, so that a short write may end well. */
    private readonly signal: AbortSignal,
  ) {
    const { store, log, failpoint, clock } = context;
    this.#place = { epoch: log.epoch, partition: lease.partition };
    const common = { store, place: this.#place, generation: lease.generation, patience, failpoint, signal };
    const sleep = (ms: number): Promise<void> => clock.sleep(ms, signal);
    this.#facts = new FactWriter({ ...common, sleep });
    this.#repair = new RollupRepair({ ...common, settle: () => this.#facts.settle() });
  }

  /** Resolves when nothing of this partition is being written any more, by whomever. */
  settle(): Promise<void> {
    return this.#facts.settle();
  }

  /** `place`: of a large batch; given up once its facts are in the store. */
  async load(batch: LoadBatch, trust: WriteOrder['trust'], place?: WritePlace): Promise<BatchAccount> {
    const { failpoint } = this.context;
    const { from, to, projected } = batch;
    const token = `${this.#place.epoch}/${this.#place.partition}/${from}-${to}/${projected.flows.rows}.${projected.events.rows}`;
    // Who finds the place taken uses the time; who finds it free lets the next batch be made at once.
    if (place?.free === true) await place.enter();
    // Only facts need the announcement first: the side tables are sets.
    const beside = sideTables(projected).map((table) => this.#insertSide(table, token));
    await Promise.all([...beside, trust === 'announced' ? undefined : this.#announce(batch)]);
    await failpoint('after-intent');
    await place?.enter();
    const refused: RowPosition[] = [];
    let [verified, missing] = [false, 0];
    for (const facts of factTables(projected)) {
      const outcome = await this.#facts.write({
        batch: facts,
        from,
        to,
        token: `${token}/${facts.table}`,
        trust,
      });
      refused.push(...outcome.refused);
      missing += outcome.missing;
      verified ||= outcome.verified;
    }
    place?.leave();
    for (const table of bookTables(projected)) await this.#insertSet(table, token);
    if (refused.length > 0) await this.#insertSet(await this.#refused(refused), `${token}/refused`);
    if (verified) await this.#repairBatch(batch, missing);
    await failpoint('before-ledger');
    const account = withRefused(accountOf(batch), batch, refused);
    await this.#insertSet(ledgerRow(this.#place, batch, account), `${token}/ledger`);
    await failpoint('after-ledger');
    return account;
  }

  /** Makes the rollups of these hours (start, s since 1970) right; leaves alone what may have begun to expire. */
  async repairRollups(hours: readonly number[]): Promise<number> {
    if (hours.length === 0) return 0;
    const { clock, rawTtlMs, store } = this.context;
    const since = await this.patience.until('cut_until', () =>
      keptSince(store, clock.now(), rawTtlMs, this.signal),
    );
    return this.#repair.repair(repairableHours(hours, since));
  }

  async #announce(batch: LoadBatch): Promise<void> {
    await this.context.failpoint('before-commit');
    await this.lease.commit({ offset: batch.from, metadata: encodeIntent(intentOf(batch)) });
  }

  /** Label sets and endpoints come with every batch again; those this lease has written are left out. */
  async #insertSide(batch: ColumnBatch, token: string): Promise<void> {
    const { batch: fresh, keys } = this.#known.unknown(batch);
    await this.#insertSet(fresh, token);
    this.#known.remember(keys);
  }

  /** Dead letters for refused rows; their original bytes are read from the log again. */
  async #refused(refused: readonly RowPosition[]): Promise<ColumnBatch> {
    const records = new Map<bigint, StoredRecord>();
    for (const { offset } of refused) {
      if (records.has(offset)) continue;
      const { records: read } = await this.lease.read(offset, { maxBytes: 1, maxWaitMs: 0 });
      for (const record of read) records.set(record.offset, record);
    }
    return refusedRows(this.#place, records, refused);
  }

  /** Rows of a table that is a set: may be written any number of times. */
  async #insertSet(batch: ColumnBatch, token: string): Promise<void> {
    if (batch.rows === 0) return;
    const { store } = this.context;
    const { signal } = this;
    await this.patience.until(`insert into ${batch.table}`, () =>
      store.insert(batch, { token: `${token}/${batch.table}`, signal }),
    );
  }

  async #repairBatch(batch: LoadBatch, rowsMissing: number): Promise<void> {
    const { events, store } = this.context;
    const { from, to, projected } = batch;
    const params = { epoch: this.#place.epoch, partition: this.#place.partition, from, to };
    const stored = await this.patience.until('stored_hours', () =>
      store.query<{ hours: readonly number[] }>(planOf('stored_hours', params), this.signal),
    );
    const touched = new Set([...touchedHours(projected.flows), ...(stored.rows[0]?.hours ?? [])]);
    const { minutes } = accountOf(batch);
    const note = (rollupRows: number, done: boolean): Promise<void> => {
      const row = repairRow(this.#place, batch, { minutes, rowsMissing, rollupRows, done });
      return this.#insertSet(
        row,
        `${this.#place.epoch}/${this.#place.partition}/note/${from}-${to}/${this.lease.generation}/${done}`,
      );
    };
    await note(0, false);
    const corrected = await this.repairRollups([...touched]);
    await note(corrected, true);
    events.repaired(this.lease.partition, rowsMissing, corrected);
  }
}

/** Refused rows were counted as rows of facts; they are dead letters. */
function withRefused(account: BatchAccount, batch: LoadBatch, refused: readonly RowPosition[]): BatchAccount {
  if (refused.length === 0) return account;
  const perRecord = new Map(batch.projected.accounts.map((entry) => [entry.offset, entry]));
  let [flows, otherEvents] = [account.flows, account.otherEvents];
  for (const { offset } of refused) {
    // A record brings flows or other events; where it brings both, which of them was refused does not change the sum.
    if ((perRecord.get(offset)?.flows ?? 0) > 0) flows--;
    else otherEvents--;
  }
  return { ...account, flows, otherEvents, dead: account.dead + refused.length };
}
