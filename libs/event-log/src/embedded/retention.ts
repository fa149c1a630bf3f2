import { AppError } from '@flowledger/platform';
import type { Clock } from '@flowledger/platform';
import type { FileSystem } from './file-system.js';
import { readCommitted } from './group-offsets.js';
import type { PartitionWriter } from './partition-writer.js';
import { planByAge, planBySize } from './retention-plan.js';
import type { PartitionHoldings, Removal } from './retention-plan.js';
import { SerialQueue } from './serial-queue.js';

/** Records that retention removed. */
export interface RemovedRange {
  readonly partition: number;
  readonly from: bigint;
  /** One past the last removed record. */
  readonly to: bigint;
  readonly events: bigint;
  readonly bytes: number;
  /** `age` and `size`: the limits. `full`: to make room for new records. `trim`: asked for. */
  readonly reason: 'age' | 'size' | 'full' | 'trim';
  /** Removed although some protected group had not committed it. */
  readonly uncommitted: boolean;
}

export interface RetentionLimits {
  /** Bytes of all segments of the log together. */
  readonly maxBytes: number;
  /** How long a record is kept at least when there is room, ms; committed older ones are removed. */
  readonly maxAgeMs: number;
  /** Consumer groups whose uncommitted records are protected. */
  readonly groups: readonly string[];
}

export interface RetentionOptions extends RetentionLimits {
  readonly directory: string;
  readonly minFreeBytes: number;
  readonly fullPolicy: 'refuse' | 'drop_oldest';
  readonly onRemoved: (range: RemovedRange) => void;
}

/** An active segment is sealed at this share of the maximum age, so that quiet partitions age out as well. */
const SEALS_PER_AGE = 8;

/** Decides whether there is room for more, and removes whole old segments to make some. */
export class Retention {
  private readonly queue = new SerialQueue();

  constructor(
    private readonly fs: FileSystem,
    private readonly clock: Clock,
    private readonly options: RetentionOptions,
    private readonly writers: readonly PartitionWriter[],
  ) {}

  /** Resolves when `bytes` more may be written, removing what may be removed. Rejects LOG_FULL (retry). */
  async admit(bytes: number): Promise<void> {
    if ((await this.shortage(bytes)) <= 0) return;
    await this.queue.run(async () => {
      const short = await this.shortage(bytes);
      if (short <= 0) return;
      await this.removeBySize(short);
      const still = await this.shortage(bytes);
      if (still <= 0) return;
      const details = { needBytes: still, maxBytes: this.options.maxBytes, policy: this.options.fullPolicy };
      throw new AppError('LOG_FULL', 'the event log has reached its limit of space', {
        retry: true,
        details,
      });
    });
  }

  /** After the disk refused a write: frees about `bytes`; false when there was nothing to free. */
  relieve(bytes: number): Promise<boolean> {
    return this.queue.run(async () => (await this.removeBySize(bytes)).length > 0);
  }

  /** Applies age and size limits now. Never removes what a protected group has not committed. */
  apply(): Promise<readonly RemovedRange[]> {
    return this.queue.run(async () => {
      const now = this.clock.now();
      const { maxAgeMs, maxBytes } = this.options;
      for (const writer of this.writers) {
        const { oldestMs } = writer.activeSegment;
        if (oldestMs > 0 && oldestMs < now - maxAgeMs / SEALS_PER_AGE) await writer.roll();
      }
      const aged = planByAge(await this.holdings(), now - maxAgeMs);
      const removed = await this.remove(aged, 'age');
      const over = this.totalBytes() - maxBytes;
      if (over <= 0) return removed;
      return [...removed, ...(await this.remove(planBySize(await this.holdings(), over, false), 'size'))];
    });
  }

  /** Removes whole segments of one partition that end at or before `before`, committed or not. */
  trim(partition: number, before: bigint): Promise<readonly RemovedRange[]> {
    return this.queue.run(() => this.remove([{ partition, before }], 'trim'));
  }

  private totalBytes(): number {
    return this.writers.reduce((sum, writer) => sum + writer.bytes, 0);
  }

  private async shortage(bytes: number): Promise<number> {
    const { directory, maxBytes, minFreeBytes } = this.options;
    const over = this.totalBytes() + bytes - maxBytes;
    if (minFreeBytes <= 0) return over;
    return Math.max(over, minFreeBytes + bytes - (await this.fs.freeBytes(directory)));
  }

  private async removeBySize(need: number): Promise<readonly RemovedRange[]> {
    const dropUncommitted = this.options.fullPolicy === 'drop_oldest';
    return this.remove(planBySize(await this.holdings(), need, dropUncommitted), 'full');
  }

  private async committedByAll(partition: number): Promise<bigint> {
    let lowest: bigint | undefined;
    for (const group of this.options.groups) {
      const committed = await readCommitted(this.fs, this.options.directory, group, partition);
      const offset = committed?.offset ?? 0n;
      if (lowest === undefined || offset < lowest) lowest = offset;
    }
    return lowest ?? this.writers[partition]?.activeSegment.end ?? 0n;
  }

  private holdings(): Promise<readonly PartitionHoldings[]> {
    return Promise.all(
      this.writers.map(async (writer, partition) => {
        const { sealedSegments: sealed } = writer;
        return { partition, sealed, committed: await this.committedByAll(partition) };
      }),
    );
  }

  private async remove(
    removals: readonly Removal[],
    reason: RemovedRange['reason'],
  ): Promise<RemovedRange[]> {
    const ranges: RemovedRange[] = [];
    for (const { partition, before } of removals) {
      const committed = await this.committedByAll(partition);
      const removed = (await this.writers[partition]?.removeBefore(before)) ?? [];
      const first = removed[0];
      const last = removed.at(-1);
      if (first === undefined || last === undefined) continue;
      const range: RemovedRange = {
        partition,
        from: first.base,
        to: last.end,
        events: last.eventsBeforeEnd - first.eventsBefore,
        bytes: removed.reduce((sum, segment) => sum + segment.bytes, 0),
        reason,
        uncommitted: last.end > committed,
      };
      ranges.push(range);
      this.options.onRemoved(range);
    }
    return ranges;
  }
}
