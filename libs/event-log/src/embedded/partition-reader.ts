import { AppError } from '@flowledger/platform';
import type { Clock } from '@flowledger/platform';
import type { LogBatch, PartitionBounds, ReadOptions, StoredRecord } from '../port.js';
import { errnoOf } from './file-system.js';
import type { FileSystem, LogFile } from './file-system.js';
import type { Head } from './head.js';
import { segmentBases } from './layout.js';
import type { PartitionPaths } from './layout.js';
import { decodePayload } from './payload-codec.js';
import { checksumSeed, decodeRecordHeader, RECORD_HEADER_BYTES, recordIsIntact } from './record.js';
import type { RecordHeader } from './record.js';
import { corrupt, loadIndex, readSegmentHeader, walkRecords } from './segment-file.js';
import type { SegmentIdentity } from './segment-file.js';
import { SparseIndex } from './segment-index.js';

/** Where a reader learns what is durable: the writer of the same process, or the head file of another. */
export interface HeadSource {
  current(): Promise<Head>;
  /** Resolves once `end` may lie beyond `offset`, or after `ms`, or when `signal` aborts. */
  waitBeyond(offset: bigint, ms: number, signal?: AbortSignal): Promise<void>;
}

export interface PartitionIdentity {
  readonly partition: number;
  readonly epoch: bigint;
  readonly paths: PartitionPaths;
}

interface RawRecord {
  readonly header: RecordHeader;
  readonly payload: Buffer;
}

const MIN_CHUNK_BYTES = 64 * 1024;
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;
/** A little more than the last read would have needed. */
const CHUNK_MARGIN = 1.25;
const REMEMBERED_CURSORS = 32;
const REMEMBERED_INDEXES = 16;

/** Drops the oldest entries of an insertion-ordered map until it holds at most `limit`. */
function forgetOldest<K>(map: Map<K, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}

/** Reads one partition of the embedded log, in the writer's process or in another one. Holds no file open. */
export class PartitionReader {
  private bases: readonly bigint[] = [];
  private basesVersion = -1;
  private readonly seed: number;
  /** Position of the record that follows the end of a recent read, so that sequential reads never search. */
  private readonly cursors = new Map<bigint, { readonly base: bigint; readonly position: number }>();
  private readonly indexes = new Map<bigint, SparseIndex>();
  /** Stored bytes for a byte of value in the last read: a chunk that is read and not used costs as much as one that is. */
  private packing = 1;

  constructor(
    private readonly fs: FileSystem,
    private readonly identity: PartitionIdentity,
    private readonly heads: HeadSource,
    private readonly clock: Clock,
  ) {
    this.seed = checksumSeed(identity.epoch, identity.partition);
  }

  /** See `EventLog.bounds`. */
  async bounds(): Promise<PartitionBounds> {
    const { start, end, eventsBeforeStart, eventsBeforeEnd, bytes } = await this.heads.current();
    return { start, end, eventsBeforeStart, eventsBeforeEnd, bytes };
  }

  /**
   * See `EventLog.read`. When retention removed `from`, the batch starts at the first kept record and says so at once.
   * An aborted signal ends the wait with an empty batch. Rejects LOG_CORRUPT, INVALID_ARGUMENT.
   */
  async read(from: bigint, options: ReadOptions): Promise<LogBatch> {
    if (from < 0n)
      throw new AppError('INVALID_ARGUMENT', `cannot read from offset ${from}`, { retry: false });
    const { partition } = this.identity;
    const deadline = this.clock.monotonic() + options.maxWaitMs;
    for (;;) {
      const head = await this.heads.current();
      const truncated = from < head.start ? { from, to: head.start } : undefined;
      const at = truncated === undefined ? from : head.start;
      if (at < head.end) {
        const records = await this.readKept(head, at, options.maxBytes);
        if (records === undefined) continue;
        return truncated === undefined ? { partition, records } : { partition, records, truncated };
      }
      if (truncated !== undefined) return { partition, records: [], truncated };
      const remaining = deadline - this.clock.monotonic();
      if (remaining <= 0 || options.signal?.aborted === true) return { partition, records: [] };
      await this.heads.waitBeyond(at, remaining, options.signal);
    }
  }

  /** Records from `at`, which `head` says are kept; undefined when retention removed them meanwhile. */
  private async readKept(head: Head, at: bigint, maxBytes: number): Promise<StoredRecord[] | undefined> {
    try {
      return await this.readSegment(head, at, maxBytes);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      this.basesVersion = -1;
      if ((await this.heads.current()).start > at) return undefined;
      throw corrupt(this.segment(at), 0, 'missing segment file');
    }
  }

  private segment(base: bigint): SegmentIdentity {
    const { partition, epoch, paths } = this.identity;
    return { path: paths.segment(base), partition, epoch, base };
  }

  private async readSegment(head: Head, at: bigint, maxBytes: number): Promise<StoredRecord[]> {
    const { base, limit } = await this.span(head, at);
    const segment = this.segment(base);
    const file = await this.fs.open(segment.path, 'read');
    try {
      const position = await this.locate(file, segment, at);
      const raw = await this.collect(file, segment, { offset: at, position }, limit, maxBytes);
      return await Promise.all(raw.map((record) => this.decode(segment, record)));
    } finally {
      await file.close();
    }
  }

  /** The segment that holds `at`, and the offset at which it or the durable part of the log ends. */
  private async span(head: Head, at: bigint): Promise<{ base: bigint; limit: bigint }> {
    if (this.basesVersion !== head.listVersion) {
      this.bases = segmentBases(await this.fs.list(this.identity.paths.directory));
      this.basesVersion = head.listVersion;
    }
    const next = this.bases.findIndex((base) => base > at);
    const base = this.bases[(next < 0 ? this.bases.length : next) - 1] ?? at;
    const nextBase = next < 0 ? undefined : this.bases[next];
    return { base, limit: nextBase !== undefined && nextBase < head.end ? nextBase : head.end };
  }

  private async locate(file: LogFile, segment: SegmentIdentity, at: bigint): Promise<number> {
    const cursor = this.cursors.get(at);
    if (cursor !== undefined && cursor.base === segment.base) return cursor.position;
    await readSegmentHeader(file, segment);
    const index = await this.indexOf(segment.base);
    const place = await walkRecords(file, segment, index.floor(at), at, (header, position) => {
      index.note(header.offset, position);
    });
    return place.position;
  }

  private async indexOf(base: bigint): Promise<SparseIndex> {
    const known = this.indexes.get(base);
    if (known !== undefined) return known;
    const loaded = await loadIndex(this.fs, this.identity.paths.index(base));
    const index = loaded?.summary.base === base ? loaded.index : new SparseIndex(base);
    this.indexes.set(base, index);
    forgetOldest(this.indexes, REMEMBERED_INDEXES);
    return index;
  }

  private async collect(
    file: LogFile,
    segment: SegmentIdentity,
    from: { readonly offset: bigint; readonly position: number },
    limit: bigint,
    maxBytes: number,
  ): Promise<RawRecord[]> {
    const records: RawRecord[] = [];
    let { offset, position } = from;
    let collected = 0;
    let stored = 0;
    const likely = Math.ceil(maxBytes * this.packing * CHUNK_MARGIN);
    let want = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, likely));
    while (offset < limit && (collected < maxBytes || records.length === 0)) {
      const chunk = await file.read(position, want);
      let at = 0;
      while (offset < limit && (collected < maxBytes || records.length === 0)) {
        const header = decodeRecordHeader(chunk, at);
        if (header === undefined && at + RECORD_HEADER_BYTES > chunk.length && at > 0) break;
        if (header === undefined || header.offset !== offset)
          throw corrupt(segment, position + at, 'broken record');
        const end = at + RECORD_HEADER_BYTES + header.storedLength;
        if (end > chunk.length && at > 0) break;
        if (end > chunk.length && want < end) {
          want = end;
          break;
        }
        if (!recordIsIntact(chunk, at, header, this.seed))
          throw corrupt(segment, position + at, 'bad checksum');
        records.push({ header, payload: chunk.subarray(at + RECORD_HEADER_BYTES, end) });
        collected += header.valueLength;
        stored += end - at;
        offset += 1n;
        at = end;
      }
      position += at;
    }
    if (collected > 0) this.packing = stored / collected;
    this.cursors.set(offset, { base: segment.base, position });
    forgetOldest(this.cursors, REMEMBERED_CURSORS);
    return records;
  }

  private async decode(segment: SegmentIdentity, record: RawRecord): Promise<StoredRecord> {
    const { offset, appendedMs, events, codec, valueLength } = record.header;
    const value = await decodePayload({ codec, bytes: record.payload, valueLength });
    if (value === undefined) throw corrupt(segment, 0, `record ${offset} does not unpack`);
    return { offset, appendedMs, events, value };
  }
}
