import { decodeRecordHeader, findRecordMagic, RECORD_HEADER_BYTES, recordIsIntact } from './record.js';
import { SEGMENT_HEADER_BYTES } from './record.js';
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

/** Everything learnt from the bytes of one segment file. */
export interface SegmentScan {
  /** The sound records from the start; `bytes` is where the first unsound byte lies, or the end. */
  readonly summary: SegmentSummary;
  readonly index: SparseIndex;
  readonly damage: Damage | undefined;
}

/**
 * Reads a whole segment file (header already checked) and checks every CRC and offset. Pure.
 *
 * A write that was cut off can leave any mixture of its bytes, even a hole followed by sound records, because the disk
 * is free to order what was not synced. So a hole is a torn write unless some later sound record says, in
 * `syncedBefore`, that the hole's bytes were already safe when it was written.
 */
export function scanSegment(file: Buffer, base: bigint, eventsBefore: bigint, seed: number): SegmentScan {
  const index = new SparseIndex(base);
  let position = SEGMENT_HEADER_BYTES;
  let offset = base;
  let events = eventsBefore;
  let newestMs = 0;
  let oldestMs = 0;
  while (position < file.length) {
    const header = decodeRecordHeader(file, position);
    if (header === undefined || header.offset !== offset || header.eventsBefore !== events) break;
    if (!recordIsIntact(file, position, header, seed)) break;
    index.note(offset, position);
    newestMs = Math.max(newestMs, header.appendedMs);
    oldestMs = oldestMs === 0 ? header.appendedMs : Math.min(oldestMs, header.appendedMs);
    offset += 1n;
    events += BigInt(header.events);
    position += RECORD_HEADER_BYTES + header.storedLength;
  }
  const summary = {
    base,
    end: offset,
    eventsBefore,
    eventsBeforeEnd: events,
    bytes: position,
    newestMs,
    oldestMs,
  };
  if (position >= file.length) return { summary, index, damage: undefined };
  const beforeSynced = someLaterRecordFollowsSync(file, position, offset, seed);
  return { summary, index, damage: { position, bytes: file.length - position, beforeSynced } };
}

function someLaterRecordFollowsSync(file: Buffer, hole: number, expected: bigint, seed: number): boolean {
  let at = findRecordMagic(file, hole);
  while (at >= 0) {
    const header = decodeRecordHeader(file, at);
    const later = header !== undefined && header.offset > expected && header.syncedBefore > hole;
    if (later && recordIsIntact(file, at, header, seed)) return true;
    at = findRecordMagic(file, at + 1);
  }
  return false;
}
