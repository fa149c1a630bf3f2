import { AppError, systemClock } from '@flowledger/platform';
import type { EventLog, LogBatch, PartitionBounds, ReadOptions } from '../port.js';
import { nodeFileSystem } from './file-system.js';
import type { FileSystem } from './file-system.js';
import type { Head } from './head.js';
import { partitionPaths, segmentBases } from './layout.js';
import { readMeta } from './meta.js';
import { PartitionReader } from './partition-reader.js';
import type { PartitionIdentity } from './partition-reader.js';
import { checksumSeed } from './record.js';
import { loadIndex, readSegmentHeader } from './segment-file.js';
import type { SegmentSummary } from './segment-index.js';
import { scanSegment } from './segment-scan.js';

/** The part of a log that lies in an archive; read only. */
interface ArchivedPartition {
  readonly bounds: PartitionBounds;
  readonly reader: PartitionReader;
}

/**
 * The log with what its archive still holds in front of it, for reading: `bounds` and `read` reach back to the oldest
 * archived segment from which on nothing is missing. Appending, groups and commits are the log's own. `directory` is an
 * archive of segments, or the `log` folder of a backup. Rejects NOT_FOUND when no archive lies there, CONFLICT when
 * it is another log's.
 */
export async function withArchive(
  log: EventLog,
  directory: string,
  fs: FileSystem = nodeFileSystem,
): Promise<EventLog> {
  const meta = await readMeta(fs, directory);
  if (meta === undefined)
    throw new AppError('NOT_FOUND', `no archive of a log in ${directory}`, { retry: false });
  if (meta.epoch !== log.epoch || meta.partitions !== log.partitions)
    throw new AppError('CONFLICT', `${directory} holds segments of another log`, { retry: false });
  const parts = new Map<number, ArchivedPartition>();
  for (let partition = 0; partition < log.partitions; partition++) {
    const identity = { partition, epoch: log.epoch, paths: partitionPaths(directory, partition) };
    const archived = await openPartition(fs, identity);
    if (archived !== undefined) parts.set(partition, archived);
  }
  return joined(log, parts);
}

function joined(log: EventLog, parts: ReadonlyMap<number, ArchivedPartition>): EventLog {
  /** The archive of a partition, when it reaches the log. */
  const before = async (partition: number) => {
    const [kept, archived] = [await log.bounds(partition), parts.get(partition)];
    const reaches =
      archived !== undefined && archived.bounds.end >= kept.start && archived.bounds.start < kept.start;
    return { kept, archived: reaches ? archived : undefined };
  };
  return {
    epoch: log.epoch,
    partitions: log.partitions,
    append: (records) => log.append(records),
    bounds: async (partition) => {
      const { kept, archived } = await before(partition);
      if (archived === undefined) return kept;
      const { start, eventsBeforeStart } = archived.bounds;
      return { ...kept, start, eventsBeforeStart };
    },
    read: async (partition, from, options): Promise<LogBatch> => {
      const { kept, archived } = await before(partition);
      if (archived === undefined || from >= kept.start) return log.read(partition, from, options);
      const batch = await archived.reader.read(from, { ...options, maxWaitMs: 0 } satisfies ReadOptions);
      // The archive may overlap the log: there the log's own records are the ones to read.
      return { ...batch, records: batch.records.filter((record) => record.offset < kept.start) };
    },
    committed: (group, partition) => log.committed(group, partition),
    consume: (group, onLease, signal) => log.consume(group, onLease, signal),
    close: () => log.close(),
  };
}

/** The newest run of archived segments without a gap; undefined when there are none. */
async function openPartition(
  fs: FileSystem,
  identity: PartitionIdentity,
): Promise<ArchivedPartition | undefined> {
  const names = await fs.list(identity.paths.directory).catch(() => []);
  const run: SegmentSummary[] = [];
  for (const base of segmentBases(names).toReversed()) {
    const summary = await summaryOf(fs, identity, base);
    const after = run[0];
    if (after !== undefined && summary.end !== after.base) break;
    run.unshift(summary);
  }
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const bytes = run.reduce((sum, segment) => sum + segment.bytes, 0);
  const head: Head = {
    sequence: 0,
    start: first.base,
    eventsBeforeStart: first.eventsBefore,
    end: last.end,
    eventsBeforeEnd: last.eventsBeforeEnd,
    acceptedEnd: last.end,
    bytes,
    segmentBase: last.base,
    syncedPosition: last.bytes,
    listVersion: 0,
  };
  const still = { current: () => Promise.resolve(head), waitBeyond: () => Promise.resolve() };
  return { bounds: head, reader: new PartitionReader(fs, identity, still, systemClock) };
}

async function summaryOf(fs: FileSystem, identity: PartitionIdentity, base: bigint): Promise<SegmentSummary> {
  const { partition, epoch, paths } = identity;
  const indexed = await loadIndex(fs, paths.index(base));
  if (indexed?.summary.base === base) return indexed.summary;
  const file = await fs.open(paths.segment(base), 'read');
  try {
    const eventsBefore = await readSegmentHeader(file, { path: paths.segment(base), partition, epoch, base });
    return (await scanSegment(file, base, eventsBefore, checksumSeed(epoch, partition))).summary;
  } finally {
    await file.close();
  }
}
