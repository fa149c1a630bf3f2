import type { ColumnStore } from '@flowledger/column-store';
import type { EventLog } from '@flowledger/event-log';
import { planOf } from '../sql.js';

/** Records of one partition. */
export interface OffsetRange {
  readonly partition: number;
  readonly from: bigint;
  /** Exclusive. */
  readonly end: bigint;
}

/**
 * What the log holds now. Where retention removed the beginning, a range starts at the first batch of the ledger that
 * lies wholly in the log, so that no line of the ledger reaches over its start.
 */
export async function coveredRanges(
  log: EventLog,
  live: ColumnStore,
  signal: AbortSignal,
): Promise<readonly OffsetRange[]> {
  const ranges: OffsetRange[] = [];
  for (let partition = 0; partition < log.partitions; partition++) {
    const { start, end } = await log.bounds(partition);
    const from = start === 0n ? 0n : await boundary(log, live, partition, start, signal);
    ranges.push({ partition, from: from ?? end, end });
  }
  return ranges;
}

async function boundary(
  log: EventLog,
  live: ColumnStore,
  partition: number,
  start: bigint,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  const plan = planOf('ledger_boundary', { epoch: log.epoch, partition, start });
  const row = (await live.query<{ batches: string; first: string }>(plan, signal)).rows[0];
  return row === undefined || row.batches === '0' ? undefined : BigInt(row.first);
}

/** The parts of all partitions that come before what is covered. */
export function uncoveredRanges(ranges: readonly OffsetRange[]): readonly OffsetRange[] {
  return ranges
    .filter(({ from }) => from > 0n)
    .map(({ partition, from }) => ({ partition, from: 0n, end: from }));
}
