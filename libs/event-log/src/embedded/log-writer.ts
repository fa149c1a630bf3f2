import { AppError, isAppError } from '@flowledger/platform';
import type { AppendRecord, LogPosition } from '../port.js';
import { ByteBudget } from './byte-budget.js';
import { asLogFault, FailStop } from './fail-stop.js';
import { GenerationLock } from './generation-lock.js';
import type { HeldLock } from './generation-lock.js';
import { GroupCommit } from './group-commit.js';
import { Heartbeat } from './heartbeat.js';
import { partitionPaths, writerLockPath } from './layout.js';
import { markReady, openMeta } from './meta.js';
import type { LogMeta } from './meta.js';
import type { ResolvedOptions } from './options.js';
import { recoverPartition } from './partition-recovery.js';
import type { RecoveryNote } from './partition-recovery.js';
import { PartitionWriter } from './partition-writer.js';
import type { WriterContext } from './partition-writer.js';
import { Retention } from './retention.js';
import { SegmentArchive } from './segment-archive.js';

/** How often, and how long at most, an opening writer watches the heartbeat of an owner that it cannot see. */
const OWNER_POLL_MS = 200;
const OWNER_WAIT_MS = 12_000;
/** Active segments together take at most this share of `maxBytes`, so that there is always something to remove. */
const ACTIVE_SHARE = 4;
const MAX_EVENTS = 0xffff_ffff;

const invalid = (text: string): AppError => new AppError('INVALID_ARGUMENT', text, { retry: false });

async function acquireWriterLock(options: ResolvedOptions): Promise<HeldLock> {
  const { fileSystem, directory, processes, clock } = options;
  const lock = new GenerationLock(fileSystem, writerLockPath(directory), processes, clock);
  const deadline = clock.monotonic() + OWNER_WAIT_MS;
  for (;;) {
    const held = await asLogFault(
      'take the writer lock',
      lock.tryAcquire(() => Promise.resolve()),
    );
    if (held !== undefined) return held;
    // Retry helps when that one is just ending.
    if (!lock.ownerIsUnseen || clock.monotonic() > deadline) {
      throw new AppError('CONFLICT', `another process writes the event log in ${directory}`, {
        retry: true,
      });
    }
    await clock.sleep(OWNER_POLL_MS);
  }
}

interface OpenedPartitions {
  readonly meta: LogMeta;
  readonly writers: readonly PartitionWriter[];
  readonly notes: readonly RecoveryNote[];
}

async function openPartitions(options: ResolvedOptions, failStop: FailStop): Promise<OpenedPartitions> {
  const { fileSystem: fs, clock, directory, durability, flushMs, retention } = options;
  const meta = await openMeta(fs, directory, options.partitions);
  const share = Math.floor(retention.maxBytes / (ACTIVE_SHARE * meta.partitions));
  const segmentBytes = Math.min(options.segmentBytes, share);
  const archive = options.archive === '' ? undefined : new SegmentArchive(fs, directory, options.archive);
  const context: WriterContext = {
    fs,
    clock,
    failStop,
    options: { segmentBytes, durability, flushMs },
    archive,
  };
  const writers: PartitionWriter[] = [];
  const notes: RecoveryNote[] = [];
  try {
    // One after another: recovery holds a whole segment in memory.
    for (let partition = 0; partition < meta.partitions; partition += 1) {
      const identity = { partition, epoch: meta.epoch, paths: partitionPaths(directory, partition) };
      const recovered = await recoverPartition(fs, identity, meta.state === 'creating');
      writers.push(await PartitionWriter.start(context, identity, recovered));
      notes.push(...recovered.notes);
    }
    await markReady(fs, directory, meta);
  } catch (error) {
    await Promise.allSettled(writers.map((writer) => writer.close()));
    throw error;
  }
  return { meta, writers, notes };
}

/** The writing side of an open log: partitions, lock, retention. At most one per log directory is open. */
export class LogWriter {
  readonly retention: Retention;
  private readonly commits: readonly GroupCommit[];
  private readonly budget: ByteBudget;
  private readonly inFlight = new Set<Promise<unknown>>();
  private readonly closing = new AbortController();
  private readonly heartbeat: Heartbeat;
  private readonly tending: Promise<void>;

  private constructor(
    private readonly options: ResolvedOptions,
    private readonly opened: OpenedPartitions,
    private readonly lock: HeldLock,
    private readonly failStop: FailStop,
  ) {
    const { fileSystem, clock, directory, minFreeBytes, fullPolicy, retention, onEvent } = options;
    const { writers, notes } = opened;
    for (const note of notes) onEvent({ kind: 'recovered', note });
    this.budget = new ByteBudget(options.maxPendingBytes);
    this.retention = new Retention(
      fileSystem,
      clock,
      {
        ...retention,
        directory,
        minFreeBytes,
        fullPolicy,
        onRemoved: (range) => onEvent({ kind: 'removed', range }),
      },
      writers,
    );
    this.heartbeat = new Heartbeat(lock, clock, () => {
      failStop.trip('another process took the log over', undefined);
    });
    this.commits = writers.map((writer) => this.commitsOf(writer));
    this.tending = this.tend();
  }

  /** Locks, recovers or creates the log. Rejects CONFLICT, CONFIG_INVALID, LOG_CORRUPT, LOG_UNAVAILABLE. */
  static async open(options: ResolvedOptions): Promise<LogWriter> {
    const lock = await acquireWriterLock(options);
    const failStop = new FailStop();
    try {
      const opened = await asLogFault('open its files', openPartitions(options, failStop));
      return new LogWriter(options, opened, lock, failStop);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  get meta(): LogMeta {
    return this.opened.meta;
  }

  get partitions(): readonly PartitionWriter[] {
    return this.opened.writers;
  }

  get notes(): readonly RecoveryNote[] {
    return this.opened.notes;
  }

  /** Why writes are refused for good, or undefined. */
  get stopped(): string | undefined {
    return this.failStop.reason;
  }

  /** See `EventLog.append`. Rejects also INVALID_ARGUMENT and TOO_LARGE, before anything is written. */
  append(records: readonly AppendRecord[]): Promise<readonly LogPosition[]> {
    const appending = this.appendNow(records);
    this.inFlight.add(appending);
    const forget = (): void => {
      this.inFlight.delete(appending);
    };
    appending.then(forget, forget);
    return appending;
  }

  /** Waits for appends under way, makes everything durable, releases the lock. Call once. */
  async close(): Promise<void> {
    this.closing.abort();
    await Promise.allSettled(this.inFlight);
    await this.tending;
    await this.heartbeat.stop();
    const closed = await Promise.allSettled(this.partitions.map((writer) => writer.close()));
    await this.lock.release();
    for (const result of closed) if (result.status === 'rejected') throw result.reason;
  }

  private commitsOf(writer: PartitionWriter): GroupCommit {
    return new GroupCommit({
      admit: async (bytes) => {
        this.failStop.check();
        await this.heartbeat.confirm();
        await this.retention.admit(bytes);
      },
      write: (records) => writer.append(records),
      relieve: (bytes) => this.retention.relieve(bytes),
    });
  }

  private async appendNow(records: readonly AppendRecord[]): Promise<readonly LogPosition[]> {
    if (this.closing.signal.aborted)
      throw new AppError('LOG_UNAVAILABLE', 'event log is closed', { retry: false });
    this.failStop.check();
    for (const record of records) this.checkRecord(record);
    const bytes = records.reduce((sum, record) => sum + record.value.byteLength, 0);
    await this.budget.acquire(bytes);
    try {
      return await asLogFault('append', this.commit(records));
    } finally {
      this.budget.release(bytes);
    }
  }

  private async commit(records: readonly AppendRecord[]): Promise<readonly LogPosition[]> {
    const perPartition = new Map<number, AppendRecord[]>();
    for (const record of records) {
      const group = perPartition.get(record.partition);
      if (group === undefined) perPartition.set(record.partition, [record]);
      else group.push(record);
    }
    const next = new Map<number, bigint>();
    const commits = [...perPartition].map(async ([partition, group]) => {
      const first = await this.commits[partition]?.append(group);
      next.set(partition, first ?? 0n);
    });
    // All must have ended before the bytes are given back, whatever became of the first.
    for (const result of await Promise.allSettled(commits))
      if (result.status === 'rejected') throw result.reason;
    return records.map(({ partition }) => {
      const offset = next.get(partition) ?? 0n;
      next.set(partition, offset + 1n);
      return { partition, offset };
    });
  }

  private checkRecord({ partition, events, value }: AppendRecord): void {
    if (!Number.isInteger(partition) || partition < 0 || partition >= this.meta.partitions) {
      throw invalid(`partition ${partition} is not one of the log's ${this.meta.partitions}`);
    }
    if (!Number.isInteger(events) || events < 0 || events > MAX_EVENTS)
      throw invalid(`${events} is no event count`);
    if (value.byteLength <= this.options.maxRecordBytes) return;
    const details = { bytes: value.byteLength, limit: this.options.maxRecordBytes };
    throw new AppError('TOO_LARGE', 'a record is larger than the event log takes', { retry: false, details });
  }

  /** Applies retention from time to time. What fails is told, and tried again the next time. */
  private async tend(): Promise<void> {
    const { clock, retentionIntervalMs, onEvent } = this.options;
    const { signal } = this.closing;
    while (!signal.aborted) {
      await clock.sleep(retentionIntervalMs, signal).catch(() => undefined);
      if (signal.aborted || this.stopped !== undefined) continue;
      try {
        await asLogFault('apply retention', this.retention.apply());
      } catch (error) {
        if (isAppError(error)) onEvent({ kind: 'fault', error });
      }
    }
  }
}
