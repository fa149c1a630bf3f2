import { AppError, isAppError, withLinkedSignal } from '@flowledger/platform';
import type { Clock } from '@flowledger/platform';
import type { CommittedOffset, LogBatch, PartitionLease, ReadOptions } from '../port.js';
import { asLogFault } from './fail-stop.js';
import type { FileSystem } from './file-system.js';
import { GenerationLock } from './generation-lock.js';
import type { HeldLock } from './generation-lock.js';
import {
  checkCommit,
  checkGroupName,
  inheritCommitted,
  readCommitted,
  writeCommitted,
} from './group-offsets.js';
import { Heartbeat } from './heartbeat.js';
import { groupPath } from './layout.js';
import type { ProcessTable } from './process-table.js';
import { SerialQueue } from './serial-queue.js';

export interface ConsumerGroupOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly processes: ProcessTable;
  readonly directory: string;
  readonly partitions: number;
  readonly read: (partition: number, from: bigint, options: ReadOptions) => Promise<LogBatch>;
}

type OnLease = (lease: PartitionLease) => Promise<void>;

/** How often a member that waits for the group looks whether the owner is gone. */
const STANDBY_POLL_MS = 100;

/** What a handler may well throw because it was told to stop. */
function isParting(error: unknown): boolean {
  return (
    isAppError(error, 'LEASE_LOST') ||
    isAppError(error, 'CANCELLED') ||
    (error instanceof Error && error.name === 'AbortError')
  );
}

const leaseLost = (what: string): AppError => new AppError('LEASE_LOST', what, { retry: false });

/**
 * Consumer groups of the embedded log: one member owns all partitions, the others stand by and take over when it
 * leaves or dies.
 */
export class ConsumerGroup {
  constructor(
    private readonly options: ConsumerGroupOptions,
    private readonly group: string,
  ) {
    checkGroupName(group);
  }

  /** See `EventLog.consume`. */
  async consume(onLease: OnLease, signal: AbortSignal): Promise<void> {
    const { fs, clock, processes, directory, partitions } = this.options;
    const lock = new GenerationLock(fs, groupPath(directory, this.group), processes, clock);
    while (!signal.aborted) {
      const inherit = (previous: string | undefined, next: string): Promise<void> =>
        inheritCommitted(fs, partitions, previous, next);
      const held = await asLogFault('join a consumer group', lock.tryAcquire(inherit));
      if (held === undefined) await clock.sleep(STANDBY_POLL_MS, signal).catch(() => undefined);
      else await this.own(held, onLease, signal);
    }
  }

  /** Serves all partitions until the signal aborts, the group is lost or a handler fails. */
  private async own(held: HeldLock, onLease: OnLease, signal: AbortSignal): Promise<void> {
    const ending = new AbortController();
    const ended = new Promise<void>((resolve) => {
      ending.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    let lost = false;
    const faults: unknown[] = [];
    const leave = (): void => ending.abort();
    signal.addEventListener('abort', leave, { once: true });
    const heartbeat = new Heartbeat(held, this.options.clock, () => {
      lost = true;
      leave();
    });
    const serve = async (partition: number): Promise<void> => {
      try {
        await onLease(await this.lease(held, partition, ending));
      } catch (error) {
        if (!(ending.signal.aborted && isParting(error))) faults.push(error);
        leave();
      }
    };
    if (signal.aborted) leave();
    const serving = Array.from({ length: this.options.partitions }, (_, partition) => serve(partition));
    try {
      await Promise.all([ended, ...serving]);
    } finally {
      signal.removeEventListener('abort', leave);
      await heartbeat.stop();
      await held.release();
    }
    // Losing the group makes handlers fail in their own ways; that is not a fault of theirs, and we stand by again.
    if (faults.length > 0 && !lost) throw faults[0];
  }

  private async lease(held: HeldLock, partition: number, ending: AbortController): Promise<PartitionLease> {
    const { fs, directory, read } = this.options;
    const { signal } = ending;
    const commits = new SerialQueue();
    const commit = async (next: CommittedOffset): Promise<void> => {
      checkCommit(next);
      if (signal.aborted) throw leaseLost(`partition ${partition} was given up`);
      if (!(await held.isCurrent())) {
        ending.abort();
        throw leaseLost(`another member of ${this.group} took partition ${partition} over`);
      }
      await asLogFault('commit a consumer offset', writeCommitted(fs, held.directory, partition, next));
    };
    return {
      partition,
      generation: held.generation,
      committed: await readCommitted(fs, directory, this.group, partition),
      signal,
      read: (from, options) =>
        withLinkedSignal([signal, options.signal], (either) =>
          read(partition, from, { ...options, signal: either }),
        ),
      commit: (next) => commits.run(() => commit(next)),
    };
  }
}
