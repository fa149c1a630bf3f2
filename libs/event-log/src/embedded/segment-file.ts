import { AppError } from '@flowledger/platform';
import type { FileSystem, LogFile } from './file-system.js';
import { errnoOf, readSmallFile } from './file-system.js';
import {
  decodeRecordHeader,
  decodeSegmentHeader,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
} from './record.js';
import type { RecordHeader } from './record.js';
import { decodeIndex, SparseIndex } from './segment-index.js';
import type { RecordPlace, SegmentSummary } from './segment-index.js';

/** Names one segment file of one log, for reading it and for saying where it is damaged. */
export interface SegmentIdentity {
  readonly path: string;
  readonly partition: number;
  readonly epoch: bigint;
  readonly base: bigint;
}

const WALK_CHUNK_BYTES = 256 * 1024;

/** The fault for bytes that were durable and are not what was written. Never repaired, never skipped. */
export function corrupt(segment: SegmentIdentity, position: number, what: string): AppError {
  const details = { partition: segment.partition, segment: segment.base.toString(), position };
  const text = `event log is corrupt: ${what} in segment ${segment.path} at byte ${position}`;
  return new AppError('LOG_CORRUPT', text, { retry: false, details });
}

/** Checks the opening header of a segment and returns the events before it. Rejects LOG_CORRUPT. */
export async function readSegmentHeader(file: LogFile, segment: SegmentIdentity): Promise<bigint> {
  const header = decodeSegmentHeader(await file.read(0, SEGMENT_HEADER_BYTES));
  if (header === undefined) throw corrupt(segment, 0, 'damaged segment header');
  const { partition, epoch, base } = header;
  if (partition !== segment.partition || epoch !== segment.epoch || base !== segment.base) {
    throw corrupt(segment, 0, 'segment header of another log or place');
  }
  return header.eventsBefore;
}

/**
 * Steps over record headers from a known record to `until`, without reading payloads that lie beyond a chunk, and
 * returns the place of `until`. Payload CRCs are not checked here; offsets are. Rejects LOG_CORRUPT when the chain of
 * headers breaks before `until`.
 */
export async function walkRecords(
  file: LogFile,
  segment: SegmentIdentity,
  from: RecordPlace,
  until: bigint,
  visit: (header: RecordHeader, position: number) => void,
): Promise<RecordPlace> {
  let { offset, position } = from;
  let chunk: Buffer = Buffer.alloc(0);
  let chunkAt = position;
  while (offset < until) {
    if (position < chunkAt || position + RECORD_HEADER_BYTES > chunkAt + chunk.length) {
      chunk = await file.read(position, WALK_CHUNK_BYTES);
      chunkAt = position;
    }
    const header = decodeRecordHeader(chunk, position - chunkAt);
    if (header === undefined || header.offset !== offset)
      throw corrupt(segment, position, 'broken record header');
    visit(header, position);
    offset += 1n;
    position += RECORD_HEADER_BYTES + header.storedLength;
  }
  return { offset, position };
}

/** The index file beside a segment; undefined when it is missing or damaged (it is only a cache). */
export async function loadIndex(
  fs: FileSystem,
  path: string,
): Promise<{ summary: SegmentSummary; index: SparseIndex } | undefined> {
  try {
    return decodeIndex(await readSmallFile(fs, path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Rebuilds summary and index of a sealed segment that ends at `end` by walking it. Rejects LOG_CORRUPT. */
export async function rebuildIndex(
  fs: FileSystem,
  segment: SegmentIdentity,
  end: bigint,
): Promise<{ summary: SegmentSummary; index: SparseIndex }> {
  const file = await fs.open(segment.path, 'read');
  try {
    const eventsBefore = await readSegmentHeader(file, segment);
    const index = new SparseIndex(segment.base);
    let events = eventsBefore;
    let newestMs = 0;
    let oldestMs = 0;
    const start = { offset: segment.base, position: SEGMENT_HEADER_BYTES };
    const last = await walkRecords(file, segment, start, end, (header, position) => {
      index.note(header.offset, position);
      events += BigInt(header.events);
      newestMs = Math.max(newestMs, header.appendedMs);
      oldestMs = oldestMs === 0 ? header.appendedMs : Math.min(oldestMs, header.appendedMs);
    });
    const bytes = await file.size();
    if (bytes !== last.position) throw corrupt(segment, last.position, 'sealed segment of the wrong length');
    const summary = {
      base: segment.base,
      end,
      eventsBefore,
      eventsBeforeEnd: events,
      bytes,
      newestMs,
      oldestMs,
    };
    return { summary, index };
  } finally {
    await file.close();
  }
}
