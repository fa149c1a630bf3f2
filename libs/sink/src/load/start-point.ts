import type { CommittedOffset } from '@flowledger/event-log';
import type { ColumnStore } from '@flowledger/column-store';
import type { LogPlace } from '../dedup/deduplicator.js';
import { planOf } from '../sql.js';
import { decodeIntent, type LoadIntent } from './intent.js';

/** Where a new owner of a partition begins, and how far a predecessor may have got. */
export interface StartPoint {
  /** One past what the ledger covers. */
  readonly next: bigint;
  /** Events in the batches of the ledger. */
  readonly eventsBefore: bigint;
  /** Rows of offsets in [next, uncertainTo] may be there already; less than `next` when there are none. */
  readonly uncertainTo: bigint;
  /** The announced batch that is not in the ledger. */
  readonly open: LoadIntent | undefined;
  /** Set when the committed cursor says more was loaded than the ledger does: a store that was restored or emptied. */
  readonly cursorAhead: bigint | undefined;
}

/**
 * Reads what the store says about a partition. The ledger line is written after all rows of its batch, so what it covers
 * is complete; offsets in the rows say what was begun after it; the intent is only a hint where the last batch ended.
 */
export async function findStartPoint(
  store: ColumnStore,
  place: LogPlace,
  committed: CommittedOffset | undefined,
  signal: AbortSignal,
): Promise<StartPoint> {
  const params = { epoch: place.epoch, partition: place.partition };
  const ledger = await store.query<{ batches: string; last: string; events: string }>(
    planOf('ledger_end', params),
    signal,
  );
  const line = ledger.rows[0];
  const next = line === undefined || line.batches === '0' ? 0n : BigInt(line.last) + 1n;
  const plan = planOf('loaded_end', { ...params, from: next });
  const loaded = (await store.query<{ found: string; last: string }>(plan, signal)).rows[0];
  const begun = loaded === undefined || loaded.found === '0' ? -1n : BigInt(loaded.last);
  const intent = decodeIntent(committed?.metadata ?? '');
  const open = intent !== undefined && intent.from >= next ? intent : undefined;
  return {
    next,
    eventsBefore: BigInt(line?.events ?? 0),
    uncertainTo: open !== undefined && open.to > begun ? open.to : begun,
    open,
    cursorAhead: committed !== undefined && committed.offset > next ? committed.offset : undefined,
  };
}

/** A batch of the ledger that has to be looked at again. */
export interface DoubtfulBatch {
  readonly from: bigint;
  /** Inclusive. */
  readonly to: bigint;
}

/**
 * Batches of the ledger's last 20,000 records whose rows are not all there, or are there twice: a power cut takes from a
 * store what it had not synced, and not always in the order it was written. `horizonS`: rows before it may have expired.
 */
export async function findDoubtfulBatches(
  store: ColumnStore,
  place: LogPlace,
  next: bigint,
  horizonS: number,
  signal: AbortSignal,
): Promise<readonly DoubtfulBatch[]> {
  const plan = planOf('recheck', { epoch: place.epoch, partition: place.partition, next, horizon: horizonS });
  const { rows } = await store.query<{ first: string; last: string }>(plan, signal);
  return rows.map(({ first, last }) => ({ from: BigInt(first), to: BigInt(last) }));
}

/**
 * Hours whose rollups have to be looked at because the machine was started since they were written; none otherwise.
 * `bootedMs`: when the machine started, ms since 1970.
 */
export async function findUnsyncedHours(
  store: ColumnStore,
  place: LogPlace,
  next: bigint,
  bootedMs: number,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const params = { epoch: place.epoch, partition: place.partition, next, booted: Math.floor(bootedMs) };
  const { rows } = await store.query<{ hours: readonly number[] }>(planOf('unsynced_hours', params), signal);
  return rows[0]?.hours ?? [];
}
