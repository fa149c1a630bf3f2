import { AppError, withLinkedSignal } from '@flowledger/platform';
import type {
  AppendRecord,
  CommittedOffset,
  EventLog,
  LogBatch,
  LogPosition,
  PartitionBounds,
  PartitionLease,
  ReadOptions,
} from '../port.js';
import { ConsumerGroup } from './consumer-group.js';
import { asLogFault } from './fail-stop.js';
import { readCommitted } from './group-offsets.js';
import { partitionPaths } from './layout.js';
import { LogWriter } from './log-writer.js';
import { checkPartitions, readMeta } from './meta.js';
import type { LogMeta } from './meta.js';
import { resolveOptions } from './options.js';
import type { EmbeddedLogOptions, ResolvedOptions } from './options.js';
import { PartitionReader } from './partition-reader.js';
import type { HeadSource } from './partition-reader.js';
import type { RecoveryNote } from './partition-recovery.js';
import { PolledHead } from './polled-head.js';
import type { RemovedRange } from './retention.js';

/** An {@link EventLog} in files of this machine, with what only its operator needs. */
export interface EmbeddedLog extends EventLog {
  /** What opening found and put right; empty in a reader. */
  readonly notes: readonly RecoveryNote[];
  /** Why the writer refuses records for good (readiness must be false then), or undefined. */
  readonly stopped: string | undefined;
  /** Applies the age and size limits now. Writer only: rejects LOG_UNAVAILABLE in a reader. */
  retain(): Promise<readonly RemovedRange[]>;
  /** Removes whole segments of a partition that end at or before `before`, committed or not. Writer only. */
  trim(partition: number, before: bigint): Promise<readonly RemovedRange[]>;
}

const READER_POLL_MS = 50;

interface ReadSide {
  readonly meta: LogMeta;
  readonly heads: readonly HeadSource[];
  close(): Promise<void>;
}

async function openHeads(options: ResolvedOptions, meta: LogMeta): Promise<PolledHead[]> {
  const { fileSystem, directory, clock } = options;
  const heads: PolledHead[] = [];
  try {
    for (let partition = 0; partition < meta.partitions; partition += 1) {
      heads.push(await PolledHead.open(fileSystem, partitionPaths(directory, partition).head, clock));
    }
    return heads;
  } catch (error) {
    await Promise.all(heads.map((head) => head.close()));
    throw error;
  }
}

/** Opens the log of another process, waiting up to `openWaitMs` for it to be created. */
async function openReadSide(options: ResolvedOptions): Promise<ReadSide> {
  const { fileSystem, directory, clock } = options;
  const deadline = clock.monotonic() + options.openWaitMs;
  for (;;) {
    const meta = await asLogFault('read its meta file', readMeta(fileSystem, directory));
    if (meta?.state === 'ready') {
      checkPartitions(options.partitions, meta);
      const heads = await asLogFault('open its head files', openHeads(options, meta));
      const close = async (): Promise<void> => {
        await Promise.all(heads.map((head) => head.close()));
      };
      return { meta, heads, close };
    }
    if (clock.monotonic() >= deadline) {
      throw new AppError('LOG_UNAVAILABLE', `there is no event log in ${directory} yet`, { retry: true });
    }
    await clock.sleep(READER_POLL_MS);
  }
}

class OpenLog implements EmbeddedLog {
  readonly epoch: bigint;
  readonly partitions: number;
  private readonly readers: readonly PartitionReader[];
  private readonly closing = new AbortController();
  private readonly consuming = new Set<Promise<void>>();
  private closed: Promise<void> | undefined;

  constructor(
    private readonly options: ResolvedOptions,
    side: ReadSide,
    private readonly writer: LogWriter | undefined,
    private readonly release: () => Promise<void>,
  ) {
    const { epoch, partitions } = side.meta;
    this.epoch = epoch;
    this.partitions = partitions;
    this.readers = side.heads.map((heads, partition) => {
      const identity = { partition, epoch, paths: partitionPaths(options.directory, partition) };
      return new PartitionReader(options.fileSystem, identity, heads, options.clock);
    });
  }

  get notes(): readonly RecoveryNote[] {
    return this.writer?.notes ?? [];
  }

  get stopped(): string | undefined {
    return this.writer?.stopped;
  }

  async append(records: readonly AppendRecord[]): Promise<readonly LogPosition[]> {
    return this.writing().append(records);
  }

  async bounds(partition: number): Promise<PartitionBounds> {
    return asLogFault('read its bounds', this.reader(partition).bounds());
  }

  async read(partition: number, from: bigint, options: ReadOptions): Promise<LogBatch> {
    const reader = this.reader(partition);
    const signals = [this.closing.signal, options.signal];
    const reading = withLinkedSignal(signals, (signal) => reader.read(from, { ...options, signal }));
    return asLogFault('be read', reading);
  }

  async committed(group: string, partition: number): Promise<CommittedOffset | undefined> {
    this.reader(partition);
    const { fileSystem, directory } = this.options;
    return asLogFault('read a consumer offset', readCommitted(fileSystem, directory, group, partition));
  }

  async consume(
    group: string,
    onLease: (lease: PartitionLease) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    this.checkOpen();
    const { fileSystem: fs, clock, processes, directory } = this.options;
    const { partitions } = this;
    const read = this.read.bind(this);
    const member = new ConsumerGroup({ fs, clock, processes, directory, partitions, read }, group);
    const consuming = withLinkedSignal([this.closing.signal, signal], (either) =>
      member.consume(onLease, either),
    );
    this.consuming.add(consuming);
    try {
      await consuming;
    } finally {
      this.consuming.delete(consuming);
    }
  }

  async retain(): Promise<readonly RemovedRange[]> {
    return asLogFault('apply retention', this.writing().retention.apply());
  }

  async trim(partition: number, before: bigint): Promise<readonly RemovedRange[]> {
    this.reader(partition);
    return asLogFault('be trimmed', this.writing().retention.trim(partition, before));
  }

  close(): Promise<void> {
    this.closed ??= this.closeNow();
    return this.closed;
  }

  private async closeNow(): Promise<void> {
    this.closing.abort();
    await Promise.allSettled(this.consuming);
    await this.release();
  }

  private checkOpen(): void {
    if (this.closed !== undefined)
      throw new AppError('LOG_UNAVAILABLE', 'event log is closed', { retry: false });
  }

  private writing(): LogWriter {
    this.checkOpen();
    if (this.writer !== undefined) return this.writer;
    throw new AppError('LOG_UNAVAILABLE', 'the event log was opened for reading', { retry: false });
  }

  private reader(partition: number): PartitionReader {
    this.checkOpen();
    const reader = this.readers[partition];
    if (reader !== undefined) return reader;
    const text = `partition ${partition} is not one of the log's ${this.partitions}`;
    throw new AppError('INVALID_ARGUMENT', text, { retry: false });
  }
}

/**
 * Opens the embedded event log of a directory. The caller closes it. Rejects CONFIG_INVALID (partition count),
 * CONFLICT (a second writer), LOG_CORRUPT (damage that no crash explains, naming segment and byte), LOG_UNAVAILABLE
 * (retry: nothing there yet for a reader, or a system error).
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const resolved = resolveOptions(options);
  checkPartitions(options.partitions, undefined);
  if (options.mode === 'reader') {
    const side = await openReadSide(resolved);
    return new OpenLog(resolved, side, undefined, () => side.close());
  }
  const writer = await LogWriter.open(resolved);
  const side: ReadSide = { meta: writer.meta, heads: writer.partitions, close: () => writer.close() };
  return new OpenLog(resolved, side, writer, side.close);
}
