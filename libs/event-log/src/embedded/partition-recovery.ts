import { AppError } from '@flowledger/platform';
import { errnoOf, readSmallFile, removeIfThere } from './file-system.js';
import type { FileSystem, LogFile } from './file-system.js';
import { decodeHeadFile } from './head.js';
import type { Head } from './head.js';
import { segmentBases } from './layout.js';
import type { PartitionIdentity } from './partition-reader.js';
import { checksumSeed, decodeSegmentHeader, encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './record.js';
import { corrupt, loadIndex, readSegmentHeader, rebuildIndex } from './segment-file.js';
import type { SegmentIdentity } from './segment-file.js';
import { SparseIndex } from './segment-index.js';
import type { SegmentSummary } from './segment-index.js';
import { rewriteRange, scanSegment } from './segment-scan.js';

/** Something that opening the log found and put right. */
export interface RecoveryNote {
  readonly partition: number;
  /**
   * `torn_tail`: bytes after the last sound record, never acknowledged at durability `disk`, were cut off.
   * `lost_range`: records acknowledged at durability `process` did not survive a power cut.
   */
  readonly kind: 'torn_tail' | 'lost_range';
  readonly segment: bigint;
  readonly position: number;
  readonly bytes: number;
  /** Offsets lost; empty for a torn tail. */
  readonly from: bigint;
  readonly to: bigint;
}

/** A segment opened for appending. */
export interface ActiveSegment {
  readonly file: LogFile;
  readonly summary: SegmentSummary;
  readonly index: SparseIndex;
}

export interface RecoveredPartition {
  /** Oldest first, contiguous, ending where `active` begins. */
  readonly sealed: readonly SegmentSummary[];
  readonly active: ActiveSegment;
  readonly head: Head | undefined;
  readonly notes: readonly RecoveryNote[];
}

function segmentIdentity(identity: PartitionIdentity, base: bigint): SegmentIdentity {
  const { partition, epoch, paths } = identity;
  return { path: paths.segment(base), partition, epoch, base };
}

async function readHead(fs: FileSystem, path: string): Promise<Head | undefined> {
  try {
    return decodeHeadFile(await readSmallFile(fs, path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Creates an empty segment, durable when resolved. On failure nothing is left behind. */
export async function createSegment(
  fs: FileSystem,
  identity: PartitionIdentity,
  base: bigint,
  eventsBefore: bigint,
): Promise<ActiveSegment> {
  const { partition, epoch, paths } = identity;
  const path = paths.segment(base);
  const file = await fs.open(path, 'fresh');
  try {
    await file.write([encodeSegmentHeader({ partition, epoch, base, eventsBefore })], 0);
    await file.sync();
    await fs.syncDirectory(paths.directory);
  } catch (error) {
    await file.close();
    await fs.remove(path);
    throw error;
  }
  const bytes = SEGMENT_HEADER_BYTES;
  const summary = {
    base,
    end: base,
    eventsBefore,
    eventsBeforeEnd: eventsBefore,
    bytes,
    newestMs: 0,
    oldestMs: 0,
  };
  return { file, summary, index: new SparseIndex(base) };
}

/** Finishes a removal that a crash interrupted: `start` was published, some older files are still there. */
async function removeBeforeStart(
  fs: FileSystem,
  identity: PartitionIdentity,
  bases: bigint[],
  start: bigint,
): Promise<void> {
  let removed = false;
  while (bases[0] !== undefined && bases[1] !== undefined && bases[1] <= start) {
    await fs.remove(identity.paths.segment(bases[0]));
    await removeIfThere(fs, identity.paths.index(bases[0]));
    bases.shift();
    removed = true;
  }
  if (removed) await fs.syncDirectory(identity.paths.directory);
}

async function sealedSummary(
  fs: FileSystem,
  identity: PartitionIdentity,
  base: bigint,
  end: bigint,
): Promise<SegmentSummary> {
  const loaded = await loadIndex(fs, identity.paths.index(base));
  if (loaded !== undefined && loaded.summary.base === base && loaded.summary.end === end)
    return loaded.summary;
  return (await rebuildIndex(fs, segmentIdentity(identity, base), end)).summary;
}

/** Removes the last segment when its creation was cut off before its header was durable: it never held a record. */
async function removeUnborn(
  fs: FileSystem,
  identity: PartitionIdentity,
  bases: bigint[],
  head: Head | undefined,
): Promise<void> {
  const last = bases.at(-1);
  if (last === undefined) return;
  const file = await fs.open(identity.paths.segment(last), 'read');
  const content = await file.read(0, SEGMENT_HEADER_BYTES + 1).finally(() => file.close());
  if (content.length > SEGMENT_HEADER_BYTES || decodeSegmentHeader(content) !== undefined) return;
  const segment = segmentIdentity(identity, last);
  if (head !== undefined && head.segmentBase === last) throw corrupt(segment, 0, 'damaged segment header');
  await fs.remove(segment.path);
  await fs.syncDirectory(identity.paths.directory);
  bases.pop();
}

function tornTail(segment: SegmentIdentity, position: number, bytes: number, end: bigint): RecoveryNote {
  return {
    partition: segment.partition,
    kind: 'torn_tail',
    segment: segment.base,
    position,
    bytes,
    from: end,
    to: end,
  };
}

/** Checks the newest segment byte by byte, cuts a torn tail off and makes what remains durable. */
async function recoverActive(
  fs: FileSystem,
  identity: PartitionIdentity,
  base: bigint,
  head: Head | undefined,
): Promise<{ active: ActiveSegment; notes: RecoveryNote[] }> {
  const segment = segmentIdentity(identity, base);
  const file = await fs.open(segment.path, 'update');
  try {
    return await checkAndRepair(file, segment, head);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function checkAndRepair(
  file: LogFile,
  segment: SegmentIdentity,
  head: Head | undefined,
): Promise<{ active: ActiveSegment; notes: RecoveryNote[] }> {
  const { epoch, partition, base } = segment;
  const eventsBefore = await readSegmentHeader(file, segment);
  const { summary, index, damage } = await scanSegment(
    file,
    base,
    eventsBefore,
    checksumSeed(epoch, partition),
  );
  const knownHere = head !== undefined && head.segmentBase === base;
  const published = knownHere ? head.syncedPosition : SEGMENT_HEADER_BYTES;
  if (summary.bytes < published || damage?.beforeSynced === true) {
    throw corrupt(segment, summary.bytes, 'damage before the end of what was durable');
  }
  const notes: RecoveryNote[] = [];
  if (damage !== undefined) {
    notes.push(tornTail(segment, damage.position, damage.bytes, summary.end));
    await file.truncate(summary.bytes);
  }
  // A tail in the page cache may be there because an fsync failed, in which case the kernel thinks that it is clean:
  // writing it again is the only way to be sure that the next fsync means something.
  await rewriteRange(file, knownHere ? published : 0, summary.bytes);
  await file.sync();
  return { active: { file, summary, index }, notes };
}

/**
 * Opens one partition for writing and puts right what a crash left. Creates it when `creating`. Rejects LOG_CORRUPT,
 * naming segment and byte, for anything a crash cannot explain.
 */
export async function recoverPartition(
  fs: FileSystem,
  identity: PartitionIdentity,
  creating: boolean,
): Promise<RecoveredPartition> {
  const { directory } = identity.paths;
  await fs.makeDirectory(directory);
  const head = await readHead(fs, identity.paths.head);
  const bases = segmentBases(await fs.list(directory));
  if (head !== undefined) await removeBeforeStart(fs, identity, bases, head.start);
  await removeUnborn(fs, identity, bases, head);
  const last = bases.at(-1);
  if (last === undefined && creating) {
    return { sealed: [], active: await createSegment(fs, identity, 0n, 0n), head, notes: [] };
  }
  if (last === undefined || (head !== undefined && last < head.segmentBase)) {
    throw new AppError('LOG_CORRUPT', `segments are missing in ${directory}`, { retry: false });
  }
  const sealed: SegmentSummary[] = [];
  for (const [at, base] of bases.entries()) {
    const next = bases[at + 1];
    if (next !== undefined) sealed.push(await sealedSummary(fs, identity, base, next));
  }
  const { active, notes } = await recoverActive(fs, identity, last, head);
  // The newest file's own entry may not be on the disk yet, and the head that will name it must not come first.
  await fs.syncDirectory(directory);
  const { end, base } = active.summary;
  if (head !== undefined && head.acceptedEnd > end) {
    const lost = { from: end, to: head.acceptedEnd, segment: base, position: active.summary.bytes, bytes: 0 };
    notes.push({ partition: identity.partition, kind: 'lost_range', ...lost });
  }
  return { sealed, active, head, notes };
}
