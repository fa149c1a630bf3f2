import type { EventLog, StoredRecord } from '@flowledger/event-log';
import { readEnvelope } from '@flowledger/model';
import type { LedgerRow } from '@flowledger/query';

/** How long an event may be on its way from the log to the tables before windows that may hold it are in doubt, ms. */
export const ARRIVAL_GRACE_MS = 10_000;
/** An event this old when the log took it belongs to the past of the window, not to its live end, ms. */
const LIVE_EDGE_MS = 30_000;
/** Bytes of pending records that are looked at, a partition; more than this is not "just arriving". */
const LOOK_BYTES = 1024 * 1024;

/** How the books of the log and of the tables compare. */
export interface Accounting {
  /** Events of the log that are in no book yet; 0 = all are accounted for. Never negative. */
  readonly unaccounted: bigint;
  /**
   * Those that put an answer in doubt: they have waited longer than {@link ARRIVAL_GRACE_MS}, were overtaken by later
   * records, or are from before the last half minute. The rest is the live end of every window that reaches until now.
   */
  readonly overdue: bigint;
}

type LogReader = Pick<EventLog, 'epoch' | 'partitions' | 'bounds' | 'read'>;

/**
 * Compares the ledger with the log. The ledger must have been read before this is called: then whatever was loaded in
 * between can only make the log's side larger, and no event is missing that is in a book.
 */
export async function accountFor(
  log: LogReader,
  ledger: readonly LedgerRow[],
  nowMs: number,
): Promise<Accounting> {
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  const parts = await Promise.all(
    partitions.map((partition) =>
      accountForPartition(log, partition, bookOf(ledger, log.epoch, partition), nowMs),
    ),
  );
  return {
    unaccounted: parts.reduce((sum, part) => sum + part.unaccounted, 0n),
    overdue: parts.reduce((sum, part) => sum + part.overdue, 0n),
  };
}

interface Book {
  readonly booked: bigint;
  /** First offset after every book. */
  readonly next: bigint;
}

function bookOf(ledger: readonly LedgerRow[], epoch: bigint, partition: number): Book {
  const row = ledger.find((one) => BigInt(one._le) === epoch && Number(one._lp) === partition);
  if (row === undefined) return { booked: 0n, next: 0n };
  const counts = [row.flow_count, row.other_count, row.duplicate_count, row.dead_count, row.skipped_count];
  return {
    booked: counts.reduce((sum, count) => sum + BigInt(count), 0n),
    next: BigInt(row.last_offset) + 1n,
  };
}

async function accountForPartition(
  log: LogReader,
  partition: number,
  { booked, next }: Book,
  nowMs: number,
): Promise<Accounting> {
  const { start, end, eventsBeforeEnd } = await log.bounds(partition);
  const unaccounted = eventsBeforeEnd > booked ? eventsBeforeEnd - booked : 0n;
  if (unaccounted === 0n) return { unaccounted, overdue: 0n };
  const from = next > start ? next : start;
  const { records } = await log.read(partition, from, { maxBytes: LOOK_BYTES, maxWaitMs: 0 });
  const pending = records.filter((record) => record.offset < end);
  const whole =
    pending.length > 0 && pending.reduce((sum, record) => sum + BigInt(record.events), 0n) >= unaccounted;
  const arriving = whole && pending.every((record) => isArriving(record, nowMs));
  return { unaccounted, overdue: arriving ? 0n : unaccounted };
}

function isArriving(record: StoredRecord, nowMs: number): boolean {
  if (nowMs - record.appendedMs >= ARRIVAL_GRACE_MS) return false;
  const envelope = readEnvelope(record.value);
  if (!envelope.ok) return false;
  const first = envelope.value.header.firstTimeNs;
  return first !== undefined && first >= BigInt(nowMs - LIVE_EDGE_MS) * 1_000_000n;
}
