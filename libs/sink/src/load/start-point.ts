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
