import type { LogFile } from './file-system.js';
import {
  decodeRecordHeader,
  findRecordMagic,
  RECORD_HEADER_BYTES,
  recordIsIntact,
  SEGMENT_HEADER_BYTES,
} from './record.js';
import type { RecordHeader } from './record.js';
import { SparseIndex } from './segment-index.js';
import type { SegmentSummary } from './segment-index.js';

/** Where a segment stops making sense. */
export interface Damage {
  readonly position: number;
  /** Bytes from there to the end of the file. */
  readonly bytes: number;
  /** True when records written after the damaged place was on the disk are still sound: not a torn write. */
  readonly beforeSynced: boolean;
}

/** Everything learnt from reading one segment file. */
export interface SegmentScan {
  /** The sound records from the start; `bytes` is where the first unsound byte lies, or the end. */
  readonly summary: SegmentSummary;
  readonly index: SparseIndex;
  readonly damage: Damage | undefined;
}

const WINDOW_BYTES = 4 * 1024 * 1024;

/** Reads forward through a file with one bounded buffer. */
class Window {
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;

  constructor(
    private readonly file: LogFile,
    readonly size: number,
  ) {}

  /** A buffer and an index into it where `position` lies, with `length` bytes behind it unless the file ends. */
  async show(position: number, length: number): Promise<{ bytes: Buffer; index: number }> {
    const held = position >= this.at && position + length <= this.at + this.bytes.length;
    if (!held) {
      this.bytes = await this.file.read(
        position,
        Math.min(this.size - position, Math.max(length, WINDOW_BYTES)),
      );
      this.at = position;
    }
    return { bytes: this.bytes, index: position - this.at };
  }

  /** The sound record at `position`, or undefined. */
  async record(position: number, seed: number): Promise<RecordHeader | undefined> {
    const opening = await this.show(position, RECORD_HEADER_BYTES);
    const header = decodeRecordHeader(opening.bytes, opening.index);
    if (header === undefined) return undefined;
    const length = RECORD_HEADER_BYTES + header.storedLength;
    if (position + length > this.size) return undefined;
    const { bytes, index } = await this.show(position, length);
    return recordIsIntact(bytes, index, header, seed) ? header : undefined;
  }
}

/**
 * Reads a whole segment file (header already checked) and checks every CRC and offset, in bounded memory.
 *
 * A write that was cut off can leave any mixture of its bytes, even a hole followed by sound records, because the disk
 * is free to order what was not synced. So a hole is a torn write unless some later sound record says, in
 * `syncedBefore`, that the hole's bytes were already safe when it was written.
 */
export async function scanSegment(
  file: LogFile,
  base: bigint,
  eventsBefore: bigint,
  seed: number,
): Promise<SegmentScan> {
  const window = new Window(file, await file.size());
  const index = new SparseIndex(base);
  let position = SEGMENT_HEADER_BYTES;
  let offset = base;
  let events = eventsBefore;
  let newestMs = 0;
  let oldestMs = 0;
  while (position < window.size) {
    const header = await window.record(position, seed);
    if (header === undefined || header.offset !== offset || header.eventsBefore !== events) break;
    index.note(offset, position);
    newestMs = Math.max(newestMs, header.appendedMs);
    oldestMs = oldestMs === 0 ? header.appendedMs : Math.min(oldestMs, header.appendedMs);
    offset += 1n;
    events += BigInt(header.events);
    position += RECORD_HEADER_BYTES + header.storedLength;
  }
  const ends = { end: offset, eventsBefore, eventsBeforeEnd: events, bytes: position };
  const summary: SegmentSummary = { base, ...ends, newestMs, oldestMs };
  if (position >= window.size) return { summary, index, damage: undefined };
  const beforeSynced = await laterRecordFollowsSync(window, position, offset, seed);
  return { summary, index, damage: { position, bytes: window.size - position, beforeSynced } };
}

async function laterRecordFollowsSync(
  window: Window,
  hole: number,
  expected: bigint,
  seed: number,
): Promise<boolean> {
  let position = hole;
  while (position + RECORD_HEADER_BYTES <= window.size) {
    const { bytes, index } = await window.show(position, RECORD_HEADER_BYTES);
    const found = findRecordMagic(bytes, index);
    // Without a find, the last bytes of the window may still be the first of a magic number.
    position += found < 0 ? Math.max(1, bytes.length - index - 3) : found - index;
    if (found < 0) continue;
    const header = await window.record(position, seed);
    if (header !== undefined && header.offset > expected && header.syncedBefore > hole) return true;
    position += 1;
  }
  return false;
}

/** Writes a range of a file over itself in bounded memory, so that the kernel counts its pages as changed. */
export async function rewriteRange(file: LogFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += WINDOW_BYTES) {
    await file.write([await file.read(at, Math.min(WINDOW_BYTES, to - at))], at);
  }
}
