import type { ColumnBatch } from '@flowledger/model';
import { milliColumn, numberColumn, uint64Column } from '../batch/make-columns.js';
import type { LogPlace } from '../dedup/deduplicator.js';
import type { BatchAccount } from './load-batch.js';

/** The line of `load_ledger` that closes a batch; written last, so it proves everything before it. */
export function ledgerRow(
  place: LogPlace,
  range: { from: bigint; to: bigint },
  account: BatchAccount,
): ColumnBatch {
  const count = (name: string, value: number) => uint64Column(name, [BigInt(value)]);
  return {
    table: 'load_ledger',
    rows: 1,
    columns: [
      uint64Column('_le', [place.epoch]),
      numberColumn('_lp', 'UInt16', [place.partition]),
      uint64Column('from_offset', [range.from]),
      uint64Column('to_offset', [range.to]),
      count('events', account.events),
      count('flows', account.flows),
      count('other_events', account.otherEvents),
      count('duplicates', account.duplicates),
      count('dead', account.dead),
      count('skipped', account.skipped),
      numberColumn('min_minute', "DateTime('UTC')", [account.minutes[0]]),
      numberColumn('max_minute', "DateTime('UTC')", [account.minutes[1]]),
      milliColumn('first_received', [account.firstReceivedMs]),
      milliColumn('last_received', [account.lastReceivedMs]),
    ],
  };
}

/** A line of `load_repairs`: minutes whose rollups may be wrong (`done` 0) or were made right (`done` 1). */
export function repairRow(
  place: LogPlace,
  range: { from: bigint; to: bigint },
  repair: { minutes: readonly [number, number]; rowsMissing: number; rollupRows: number; done: boolean },
): ColumnBatch {
  return {
    table: 'load_repairs',
    rows: 1,
    columns: [
      uint64Column('_le', [place.epoch]),
      numberColumn('_lp', 'UInt16', [place.partition]),
      uint64Column('from_offset', [range.from]),
      uint64Column('to_offset', [range.to]),
      numberColumn('min_minute', "DateTime('UTC')", [repair.minutes[0]]),
      numberColumn('max_minute', "DateTime('UTC')", [repair.minutes[1]]),
      uint64Column('rows_missing', [BigInt(repair.rowsMissing)]),
      uint64Column('rollup_rows_corrected', [BigInt(repair.rollupRows)]),
      numberColumn('done', 'UInt8', [repair.done ? 1 : 0]),
    ],
  };
}
