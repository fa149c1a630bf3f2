import { AppError } from '@flowledger/platform';
import type { FailStop } from './fail-stop.js';
import { errnoOf } from './file-system.js';
import type { ActiveSegment } from './partition-recovery.js';
import type { EncodedPayload } from './payload-codec.js';
import { encodeRecordHeader, RECORD_HEADER_BYTES } from './record.js';
import { encodeIndex } from './segment-index.js';
import type { RecordPlace, SegmentSummary } from './segment-index.js';

/** A record ready to be written. */
export interface PreparedRecord {
  readonly events: number;
  readonly payload: EncodedPayload;
}

/** Bytes a record takes in its segment. */
export function recordBytes(record: PreparedRecord): number {
  return RECORD_HEADER_BYTES + record.payload.bytes.byteLength;
}

/** The fault for a system error that says the disk or the quota is full; undefined for any other error. */
export function diskFull(cause: unknown): AppError | undefined {
  if (!['ENOSPC', 'EDQUOT'].includes(errnoOf(cause) ?? '')) return undefined;
  return new AppError('LOG_FULL', 'the disk of the event log is full', { retry: true, cause });
}

/** The one segment of a partition that grows. Calls must not overlap; the partition's queue sees to that. */
export class SegmentWriter {
  private current: SegmentSummary;
  private syncedBytes: number;

  /** `active` must be wholly on the disk. */
  constructor(
    private readonly active: ActiveSegment,
    private readonly seed: number,
    private readonly failStop: FailStop,
  ) {
    this.current = active.summary;
    this.syncedBytes = active.summary.bytes;
  }

  /** What the segment holds, written or synced. */
  get summary(): SegmentSummary {
    return this.current;
  }

  /** Length of the file that is known to be on the disk. */
  get synced(): number {
    return this.syncedBytes;
  }

  /**
   * Writes records with one call, not yet synced. A full disk takes back what was written and rejects LOG_FULL; any
   * other failure trips the fail-stop and rejects LOG_UNAVAILABLE.
   */
  async write(records: readonly PreparedRecord[], appendedMs: number): Promise<void> {
    const chunks: Uint8Array[] = [];
    const places: RecordPlace[] = [];
    let { end, eventsBeforeEnd, bytes } = this.current;
    for (const { events, payload } of records) {
      const { codec, valueLength } = payload;
      const storedLength = payload.bytes.byteLength;
      const syncedBefore = this.syncedBytes;
      const header = { storedLength, codec, offset: end, appendedMs, events, valueLength, syncedBefore };
      chunks.push(encodeRecordHeader({ ...header, eventsBefore: eventsBeforeEnd }, payload.bytes, this.seed));
      chunks.push(payload.bytes);
      places.push({ offset: end, position: bytes });
      end += 1n;
      eventsBeforeEnd += BigInt(events);
      bytes += recordBytes({ events, payload });
    }
    try {
      await this.active.file.write(chunks, this.current.bytes);
    } catch (error) {
      throw await this.undoWrite(error);
    }
    for (const { offset, position } of places) this.active.index.note(offset, position);
    const newestMs = Math.max(this.current.newestMs, appendedMs);
    const oldestMs = this.current.oldestMs === 0 ? appendedMs : Math.min(this.current.oldestMs, appendedMs);
    this.current = { ...this.current, end, eventsBeforeEnd, bytes, newestMs, oldestMs };
  }

  /** Makes everything written durable. A failure is final: it trips the fail-stop. */
  async sync(): Promise<void> {
    if (this.syncedBytes === this.current.bytes) return;
    try {
      await this.active.file.sync();
    } catch (error) {
      throw this.failStop.trip('an fsync failed', error);
    }
    this.syncedBytes = this.current.bytes;
  }

  /** Content of the index file for the segment as it is now. */
  index(): Buffer {
    return encodeIndex(this.current, this.active.index);
  }

  async close(): Promise<void> {
    await this.active.file.close();
  }

  private async undoWrite(cause: unknown): Promise<AppError> {
    const full = diskFull(cause);
    if (full === undefined) return this.failStop.trip('a write failed', cause);
    try {
      await this.active.file.truncate(this.current.bytes);
    } catch (error) {
      return this.failStop.trip('a partial write could not be taken back', error);
    }
    return full;
  }
}
