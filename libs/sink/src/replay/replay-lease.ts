import type { EventLog, PartitionLease } from '@flowledger/event-log';
import type { OffsetRange } from './covered-ranges.js';

/**
 * Reads a range of one partition like a lease, outside any group: what a replay loads has no cursor but its own ledger.
 * `generation` must be new for every attempt, because tokens of repairs are made with it.
 */
export function replayLease(
  log: EventLog,
  { partition, from: first, end }: OffsetRange,
  generation: number,
  signal: AbortSignal,
): PartitionLease {
  return {
    partition,
    generation,
    committed: undefined,
    signal,
    read: async (from, options) => {
      if (from >= end) return { partition, records: [] };
      const batch = await log.read(partition, from < first ? first : from, { ...options, signal });
      return { ...batch, records: batch.records.filter((record) => record.offset < end) };
    },
    commit: async () => undefined,
  };
}
