import type { Clock } from '@flowledger/platform';
import type { FailStop } from './fail-stop.js';
import { removeIfThere, writeSmallFile } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { HeadFile } from './head.js';
import type { Head } from './head.js';
import type { HeadSource, PartitionIdentity } from './partition-reader.js';
import { createSegment } from './partition-recovery.js';
import type { ActiveSegment, RecoveredPartition } from './partition-recovery.js';
import { checksumSeed } from './record.js';
import type { SegmentArchive } from './segment-archive.js';
import type { SegmentSummary } from './segment-index.js';
import { diskFull, recordBytes, SegmentWriter } from './segment-writer.js';
import type { PreparedRecord } from './segment-writer.js';
import { SerialQueue } from './serial-queue.js';
import { Wakeup } from './wakeup.js';

export interface PartitionWriterOptions {
  readonly segmentBytes: number;
  /** `disk`: fsync before acknowledgement. `process`: acknowledged in the page cache, fsynced within `flushMs`. */
  readonly durability: 'disk' | 'process';
  readonly flushMs: number;
}

/** What a partition's writer needs from the log it belongs to. */
export interface WriterContext {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly failStop: FailStop;
  readonly options: PartitionWriterOptions;
  /** Where segments go before they are removed; undefined: nowhere. */
  readonly archive: SegmentArchive | undefined;
}

/**
 * The only writer of one partition's files. Everything that touches them runs in one serial queue. After any failure
 * that leaves the disk's state unknown the shared {@link FailStop} refuses all further writes of the log.
 */
export class PartitionWriter implements HeadSource {
  private readonly queue = new SerialQueue();
  private readonly wakeup: Wakeup;
  private readonly seed: number;
  private readonly closing = new AbortController();
  private sealed: readonly SegmentSummary[];
  private sealedBytes: number;
  private active: SegmentWriter;
  private published: Head;
  private flushing: Promise<void> | undefined;

  private constructor(
    private readonly context: WriterContext,
    readonly identity: PartitionIdentity,
    private readonly headFile: HeadFile,
    recovered: RecoveredPartition,
  ) {
    this.wakeup = new Wakeup(context.clock);
    this.seed = checksumSeed(identity.epoch, identity.partition);
    this.sealed = recovered.sealed;
    this.sealedBytes = recovered.sealed.reduce((sum, segment) => sum + segment.bytes, 0);
    this.active = new SegmentWriter(recovered.active, this.seed, context.failStop);
    const { end, eventsBeforeEnd } = recovered.active.summary;
    const { sequence, listVersion } = recovered.head ?? { sequence: 0, listVersion: 0 };
    this.published = this.describe({ sequence, listVersion: listVersion + 1, end, eventsBeforeEnd });
  }

  /** Takes over a recovered partition and publishes its state. The caller closes it. */
  static async start(
    context: WriterContext,
    identity: PartitionIdentity,
    recovered: RecoveredPartition,
  ): Promise<PartitionWriter> {
    const { head, directory } = identity.paths;
    const headFile = await HeadFile.open(context.fs, head, recovered.head !== undefined);
    const writer = new PartitionWriter(context, identity, headFile, recovered);
    await writer.publish(true);
    await context.fs.syncDirectory(directory);
    return writer;
  }

  current(): Promise<Head> {
    return Promise.resolve(this.published);
  }

  async waitBeyond(offset: bigint, ms: number, signal?: AbortSignal): Promise<void> {
    if (this.published.end <= offset && !this.closing.signal.aborted) await this.wakeup.wait(ms, signal);
  }

  /** Bytes of all segment files. */
  get bytes(): number {
    return this.sealedBytes + this.active.summary.bytes;
  }

  /** Segments that will not change any more, oldest first. */
  get sealedSegments(): readonly SegmentSummary[] {
    return this.sealed;
  }

  /** The segment being written. */
  get activeSegment(): SegmentSummary {
    return this.active.summary;
  }

  /**
   * Appends records with one write and, at durability `disk`, one fsync; resolves with the first one's offset when
   * all are durable and published. Rejects LOG_FULL (nothing kept, retry) or LOG_UNAVAILABLE.
   */
  append(records: readonly PreparedRecord[]): Promise<bigint> {
    return this.queue.run(async () => {
      this.context.failStop.check();
      const size = records.reduce((sum, record) => sum + recordBytes(record), 0);
      const { segmentBytes, durability } = this.context.options;
      if (this.active.summary.bytes + size > segmentBytes) await this.rollNow();
      const first = this.active.summary.end;
      await this.active.write(records, this.context.clock.now());
      if (durability === 'disk') await this.active.sync();
      else this.flushSoon();
      await this.publish(false);
      return first;
    });
  }

  /** Seals the active segment if it holds records, so that retention can remove it. */
  roll(): Promise<void> {
    return this.queue.run(async () => {
      this.context.failStop.check();
      await this.rollNow();
    });
  }

  /** Removes sealed segments that end at or before `before`; readers learn the new start before the files go. */
  removeBefore(before: bigint): Promise<readonly SegmentSummary[]> {
    return this.queue.run(async () => {
      this.context.failStop.check();
      const { fs, archive } = this.context;
      const { paths } = this.identity;
      const removed = this.sealed.filter((segment) => segment.end <= before);
      if (removed.length === 0) return removed;
      for (const { base } of removed) await archive?.keep(this.identity, base);
      this.sealed = this.sealed.slice(removed.length);
      this.sealedBytes -= removed.reduce((sum, segment) => sum + segment.bytes, 0);
      await this.publish(true);
      for (const { base } of removed) {
        await fs.remove(paths.segment(base));
        await removeIfThere(fs, paths.index(base));
        // One by one, so that a power cut can never leave a hole between the kept segments.
        await fs.syncDirectory(paths.directory);
      }
      return removed;
    });
  }

  /** Makes everything durable and closes the files. Idempotent; rejects when the last flush fails. */
  async close(): Promise<void> {
    if (this.closing.signal.aborted) return;
    this.closing.abort();
    await this.flushing;
    await this.queue.run(async () => {
      try {
        if (this.context.failStop.reason === undefined) await this.flushNow();
      } finally {
        await this.active.close();
        await this.headFile.close();
        this.wakeup.wake();
      }
    });
  }

  private async flushNow(): Promise<void> {
    if (this.active.synced === this.active.summary.bytes) return;
    await this.active.sync();
    await this.publish(false);
  }

  /** Starts the delayed fsync of durability `process`. */
  private flushSoon(): void {
    if (this.flushing !== undefined) return;
    const { clock, options, failStop } = this.context;
    const flush = async (): Promise<void> => {
      await clock.sleep(options.flushMs, this.closing.signal).catch(() => undefined);
      this.flushing = undefined;
      await this.queue.run(() => this.flushNow());
    };
    // Nobody awaits a background flush, so its failure is remembered where the next append meets it.
    this.flushing = flush().catch((error: unknown) => {
      failStop.trip('a background flush failed', error);
    });
  }

  private async rollNow(): Promise<void> {
    const { base, end, eventsBeforeEnd, bytes } = this.active.summary;
    if (end === base) return;
    const { fs, failStop } = this.context;
    await this.flushNow();
    let next: ActiveSegment;
    try {
      next = await createSegment(fs, this.identity, end, eventsBeforeEnd);
    } catch (error) {
      throw diskFull(error) ?? failStop.trip('a segment could not be created', error);
    }
    // The index is a cache that is rebuilt when it is missing, so a full disk may cost it.
    await writeSmallFile(fs, this.identity.paths.index(base), this.active.index()).catch(() => undefined);
    const done = this.active;
    this.sealed = [...this.sealed, done.summary];
    this.sealedBytes += bytes;
    this.active = new SegmentWriter(next, this.seed, failStop);
    await done.close();
    await this.publish(true);
  }

  private describe(last: Pick<Head, 'sequence' | 'listVersion' | 'end' | 'eventsBeforeEnd'>): Head {
    const { summary, synced } = this.active;
    const oldest = this.sealed[0] ?? summary;
    const durable = synced === summary.bytes ? summary : last;
    return {
      sequence: last.sequence + 1,
      start: oldest.base,
      eventsBeforeStart: oldest.eventsBefore,
      end: durable.end,
      eventsBeforeEnd: durable.eventsBeforeEnd,
      acceptedEnd: summary.end,
      bytes: this.bytes,
      segmentBase: summary.base,
      syncedPosition: synced,
      listVersion: last.listVersion,
    };
  }

  /** Tells readers. `listed`: segments came or went; the head must then survive a power cut as well. */
  private async publish(listed: boolean): Promise<void> {
    const { listVersion } = this.published;
    const head = this.describe({ ...this.published, listVersion: listed ? listVersion + 1 : listVersion });
    try {
      await this.headFile.publish(head);
      if (listed) await this.headFile.sync();
    } catch (error) {
      throw this.context.failStop.trip('the head could not be published', error);
    }
    this.published = head;
    this.wakeup.wake();
  }
}
