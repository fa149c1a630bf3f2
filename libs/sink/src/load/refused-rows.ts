import type { StoredRecord } from '@flowledger/event-log';
import { decodeEnvelope, type ColumnBatch } from '@flowledger/model';
import { bytesColumn, milliColumn, numberColumn, uint64Column, wordColumn } from '../batch/make-columns.js';
import type { RowPosition } from '../batch/read-column.js';
import type { LogPlace } from '../dedup/deduplicator.js';

/** `dead_letters.reason` of a row that decoded well and that the store refused for certain. */
export const STORE_REJECTED_REASON = 'store_rejected';
const KEPT_BYTES = 64 * 1024;

/** Dead letters for refused rows, with the original bytes from their records. Pure. */
export function refusedRows(
  place: LogPlace,
  records: ReadonlyMap<bigint, StoredRecord>,
  refused: readonly RowPosition[],
): ColumnBatch {
  const rows = refused.map((at) => originOf(records, at));
  const header = (pick: 'tenant' | 'cluster' | 'stream' | 'source' | 'codec') =>
    rows.map((row) => row.header?.[pick] ?? '');
  return {
    table: 'dead_letters',
    rows: refused.length,
    columns: [
      uint64Column(
        '_le',
        refused.map(() => place.epoch),
      ),
      numberColumn(
        '_lp',
        'UInt16',
        refused.map(() => place.partition),
      ),
      uint64Column(
        '_lo',
        refused.map((at) => at.offset),
      ),
      numberColumn(
        '_li',
        'UInt32',
        refused.map((at) => at.index),
      ),
      wordColumn('tenant', header('tenant')),
      wordColumn('cluster', header('cluster')),
      wordColumn('node', header('stream')),
      milliColumn(
        'received',
        rows.map((row) => row.header?.receivedMs ?? 0),
      ),
      wordColumn('source', header('source')),
      wordColumn('codec', header('codec')),
      wordColumn(
        'reason',
        refused.map(() => STORE_REJECTED_REASON),
      ),
      uint64Column(
        'size',
        rows.map((row) => BigInt(row.bytes.length)),
      ),
      bytesColumn(
        'bytes',
        rows.map((row) => row.bytes.subarray(0, KEPT_BYTES)),
      ),
    ],
  };
}

function originOf(records: ReadonlyMap<bigint, StoredRecord>, at: RowPosition) {
  const record = records.get(at.offset);
  const envelope = record === undefined ? undefined : decodeEnvelope(record.value);
  if (envelope?.ok !== true) return { header: undefined, bytes: new Uint8Array(0) };
  return { header: envelope.value.header, bytes: envelope.value.events[at.index] ?? new Uint8Array(0) };
}
