import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { AppError } from '@flowledger/platform';
import type { CommittedOffset } from '../port.js';
import { errnoOf, readSmallFile, replaceSmallFile, writeSmallFile } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { latestGeneration } from './generation-lock.js';
import { generationName, groupPath, offsetName } from './layout.js';

/** Kafka's default limit for commit metadata (`offset.metadata.max.bytes`); the port promises no more. */
export const MAX_METADATA_BYTES = 4096;
const OFFSET_MAGIC = 0x314f4c46;
const FIXED_BYTES = 20;
const LOOK_AGAIN = 10;

/** File content: magic u32 | crc u32 of the rest | offset u64 | metadata length u32 | metadata UTF-8. */
function encodeOffset(committed: CommittedOffset): Buffer {
  const metadata = Buffer.from(committed.metadata, 'utf8');
  const fixed = Buffer.alloc(FIXED_BYTES);
  fixed.writeUInt32LE(OFFSET_MAGIC, 0);
  fixed.writeBigUInt64LE(committed.offset, 8);
  fixed.writeUInt32LE(metadata.length, 16);
  const bytes = Buffer.concat([fixed, metadata]);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

function decodeOffset(bytes: Buffer): CommittedOffset | undefined {
  if (bytes.length < FIXED_BYTES || bytes.readUInt32LE(0) !== OFFSET_MAGIC) return undefined;
  if (crc32(bytes.subarray(8)) !== bytes.readUInt32LE(4)) return undefined;
  if (bytes.length !== FIXED_BYTES + bytes.readUInt32LE(16)) return undefined;
  return { offset: bytes.readBigUInt64LE(8), metadata: bytes.toString('utf8', FIXED_BYTES) };
}

/** Refuses group names that are not plain file names. Throws INVALID_ARGUMENT. */
export function checkGroupName(group: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(group)) return;
  throw new AppError('INVALID_ARGUMENT', `consumer group name ${JSON.stringify(group)} is not a plain name`, {
    retry: false,
  });
}

/** Refuses what a commit may not hold. Throws INVALID_ARGUMENT, TOO_LARGE. */
export function checkCommit(next: CommittedOffset): void {
  if (next.offset < 0n)
    throw new AppError('INVALID_ARGUMENT', `cannot commit offset ${next.offset}`, { retry: false });
  const bytes = Buffer.byteLength(next.metadata, 'utf8');
  if (bytes <= MAX_METADATA_BYTES) return;
  const details = { bytes, limit: MAX_METADATA_BYTES };
  throw new AppError('TOO_LARGE', 'commit metadata is longer than 4 KiB', { retry: false, details });
}

async function readOffset(fs: FileSystem, path: string): Promise<CommittedOffset | undefined> {
  try {
    const committed = decodeOffset(await readSmallFile(fs, path));
    if (committed !== undefined) return committed;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  throw new AppError('LOG_CORRUPT', `damaged consumer offset file ${path}`, { retry: false });
}

/** Writes one committed offset into the directory of the generation that owns the group; durable when resolved. */
export async function writeCommitted(
  fs: FileSystem,
  generationDirectory: string,
  partition: number,
  next: CommittedOffset,
): Promise<void> {
  await replaceSmallFile(fs, join(generationDirectory, offsetName(partition)), encodeOffset(next));
}

/** Copies every partition's committed offset from one generation's directory to the next one's (not yet visible). */
export async function inheritCommitted(
  fs: FileSystem,
  partitions: number,
  previous: string | undefined,
  next: string,
): Promise<void> {
  if (previous === undefined) return;
  for (let partition = 0; partition < partitions; partition += 1) {
    const committed = await readOffset(fs, join(previous, offsetName(partition)));
    if (committed === undefined) continue;
    await writeSmallFile(fs, join(next, offsetName(partition)), encodeOffset(committed));
  }
}

/** What a group last committed, without joining it; undefined when nothing was. Rejects LOG_CORRUPT. */
export async function readCommitted(
  fs: FileSystem,
  directory: string,
  group: string,
  partition: number,
): Promise<CommittedOffset | undefined> {
  checkGroupName(group);
  const root = groupPath(directory, group);
  for (let look = 0; look < LOOK_AGAIN; look += 1) {
    const generation = await latestGeneration(fs, root);
    if (generation === 0) return undefined;
    const committed = await readOffset(fs, join(root, generationName(generation), offsetName(partition)));
    // Absence counts only when the group did not change hands, and the directory vanish, while we looked.
    if (committed !== undefined || (await latestGeneration(fs, root)) === generation) return committed;
  }
  throw new AppError('LOG_UNAVAILABLE', `consumer group ${group} keeps changing hands`, { retry: true });
}
