/** What a loader says about one partition; plain values, changed in place as it works. */
export interface PartitionStatus {
  readonly partition: number;
  state: 'recovering' | 'loading' | 'idle';
  /** Set while the loader waits for the store (`blocked`: for somebody to mend the installation). */
  waiting: 'store' | 'blocked' | undefined;
  /** Next offset to be loaded. */
  next: bigint;
  /** Events in all records before `next`. */
  eventsBefore: bigint;
  /** When the log took the oldest record that is being loaded, ms since 1970; undefined when there is none. */
  oldestAppendedMs: number | undefined;
  rows: number;
  batches: number;
  repairs: number;
  lastError: string | undefined;
}

/** A partition that was just leased. */
export function newPartitionStatus(partition: number): PartitionStatus {
  return {
    partition,
    state: 'recovering',
    waiting: undefined,
    next: 0n,
    eventsBefore: 0n,
    oldestAppendedMs: undefined,
    rows: 0,
    batches: 0,
    repairs: 0,
    lastError: undefined,
  };
}
