import { crc32 } from 'node:zlib';
import type { FileSystem, LogFile } from './file-system.js';

/** What the writer publishes about one partition: everything a reader may rely on. */
export interface Head {
  /** Rises with every publication. */
  readonly sequence: number;
  readonly start: bigint;
  readonly eventsBeforeStart: bigint;
  /** One past the last record that is on the disk. Readers never go beyond it. */
  readonly end: bigint;
  readonly eventsBeforeEnd: bigint;
  /** One past the last acknowledged record; beyond `end` only at durability `process`. */
  readonly acceptedEnd: bigint;
  readonly bytes: number;
  /** The segment being written and how much of its file is on the disk. */
  readonly segmentBase: bigint;
  readonly syncedPosition: number;
  /** Rises whenever a segment is added or removed, so that readers know to list the directory again. */
  readonly listVersion: number;
}

const HEAD_MAGIC = 0x31484c46;
const SLOT_BYTES = 96;
/** The slots lie in different pages, so one torn page leaves the other slot whole. */
const SLOT_DISTANCE = 4096;
/** Length of a head file: two slots. */
export const HEAD_FILE_BYTES = SLOT_DISTANCE + SLOT_BYTES;

/** One slot of the head file. */
export function encodeHead(head: Head): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  const values = [
    BigInt(head.sequence),
    head.start,
    head.eventsBeforeStart,
    head.end,
    head.eventsBeforeEnd,
    head.acceptedEnd,
    BigInt(head.bytes),
    head.segmentBase,
    BigInt(head.syncedPosition),
    BigInt(head.listVersion),
  ];
  bytes.writeUInt32LE(HEAD_MAGIC, 0);
  values.forEach((value, index) => bytes.writeBigUInt64LE(value, 8 + index * 8));
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

function decodeSlot(file: Buffer, at: number): Head | undefined {
  if (file.length < at + SLOT_BYTES || file.readUInt32LE(at) !== HEAD_MAGIC) return undefined;
  if (crc32(file.subarray(at + 8, at + SLOT_BYTES)) !== file.readUInt32LE(at + 4)) return undefined;
  const field = (index: number): bigint => file.readBigUInt64LE(at + 8 + index * 8);
  return {
    sequence: Number(field(0)),
    start: field(1),
    eventsBeforeStart: field(2),
    end: field(3),
    eventsBeforeEnd: field(4),
    acceptedEnd: field(5),
    bytes: Number(field(6)),
    segmentBase: field(7),
    syncedPosition: Number(field(8)),
    listVersion: Number(field(9)),
  };
}

/** The newest sound slot of a head file, or undefined when both are damaged or absent. */
export function decodeHeadFile(file: Buffer): Head | undefined {
  const first = decodeSlot(file, 0);
  const second = decodeSlot(file, SLOT_DISTANCE);
  if (first === undefined || second === undefined) return first ?? second;
  return first.sequence > second.sequence ? first : second;
}

/**
 * The writer's handle on a head file. Publications alternate between the slots, so a reader that races with a write,
 * or a write torn by a crash, still finds the previous one. Publications are not fsynced one by one: records carry
 * enough to recover without the head (see `syncedBefore`).
 */
export class HeadFile {
  private constructor(private readonly file: LogFile) {}

  /**
   * Opens the file for publishing, creating it when absent. Its full length is written here, so that a publication
   * never needs space that a full disk could refuse. The caller closes it.
   */
  static async open(fs: FileSystem, path: string, exists: boolean): Promise<HeadFile> {
    const file = await fs.open(path, exists ? 'update' : 'fresh');
    const size = await file.size();
    if (size < HEAD_FILE_BYTES) await file.write([Buffer.alloc(HEAD_FILE_BYTES - size)], size);
    return new HeadFile(file);
  }

  async publish(head: Head): Promise<void> {
    await this.file.write([encodeHead(head)], (head.sequence % 2) * SLOT_DISTANCE);
  }

  async sync(): Promise<void> {
    await this.file.sync();
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
