import { readFile } from 'node:fs/promises';
import { replaceFile } from '../relay/progress-file.js';
import type { Fingerprint } from './file-identity.js';

/** How far one file was read; everything before `offset` is durable in the log. */
export interface Checkpoint {
  readonly path: string;
  /** `device:inode`. */
  readonly inode: string;
  readonly head: Fingerprint;
  /** Offset after the last complete line; of a gzip file, in its content. */
  readonly offset: number;
  /** Nothing more can come: a compressed file that was read to its end, or content that is no longer at this inode. */
  readonly closed: boolean;
}

/** Checkpoints of an earlier run; none when there is no file that can be read: then files are read from their start. */
export async function readCheckpoints(path: string): Promise<readonly Checkpoint[]> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'));
    const files = isObject(parsed) ? parsed['files'] : undefined;
    return Array.isArray(files) ? files.flatMap((file: unknown) => readCheckpoint(file) ?? []) : [];
  } catch {
    return [];
  }
}

/** Replaces the file; see {@link replaceFile}. */
export async function writeCheckpoints(path: string, files: readonly Checkpoint[]): Promise<void> {
  await replaceFile(path, JSON.stringify({ version: 1, files }));
}

function readCheckpoint(value: unknown): Checkpoint | undefined {
  if (!isObject(value)) return undefined;
  const { path, inode, head, offset, closed } = value;
  if (typeof path !== 'string' || typeof inode !== 'string' || !isObject(head)) return undefined;
  const { hash, bytes } = head;
  if (typeof hash !== 'string' || !isOffset(bytes) || !isOffset(offset)) return undefined;
  return { path, inode, head: { hash, bytes }, offset, closed: closed === true };
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
