import { open, mkdir, readdir, rename, rm, stat, statfs, unlink, utimes } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** One open file. Every method rejects with a Node system error (`code` is the errno name). */
export interface LogFile {
  /** Bytes at `position`; shorter than `length` only where the file ends. The buffer is the caller's. */
  read(position: number, length: number): Promise<Buffer>;
  /** Writes all of the chunks one after another from `position`, or rejects after writing any prefix of them. */
  write(chunks: readonly Uint8Array[], position: number): Promise<void>;
  /** Resolves when the content and the length are on the disk (fdatasync). Never call it again after a rejection. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** `read`: must exist. `update`: must exist, read and write. `fresh`: created, or emptied when it exists. */
export type OpenMode = 'read' | 'update' | 'fresh';

/**
 * The few file operations the embedded log stands on. An interface because power cuts, full disks and failing fsyncs
 * are promises of the log and must be testable; `nodeFileSystem` is the real one. Rejections are Node system errors.
 */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<LogFile>;
  /** Names in a directory, unordered. */
  list(directory: string): Promise<readonly string[]>;
  /** Creates the directory and its missing parents; what it had to create is on the disk when it resolves. */
  makeDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Removes a directory with its content; a missing one is fine. */
  removeDirectory(path: string): Promise<void>;
  /** Resolves when the directory's entries (creations, renames, removals) are on the disk. */
  syncDirectory(path: string): Promise<void>;
  /** Sets the file's modification time to now. */
  touch(path: string): Promise<void>;
  modifiedMs(path: string): Promise<number>;
  /** Bytes an unprivileged writer may still use on the volume that holds `path`. */
  freeBytes(path: string): Promise<number>;
}

/** The errno name of a system error (`ENOENT`, `ENOSPC`, …), or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const OPEN_FLAGS: Readonly<Record<OpenMode, string>> = { read: 'r', update: 'r+', fresh: 'w+' };

async function readFully(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function writeFully(
  handle: FileHandle,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<void> {
  const total = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  if (total === 0) return;
  const { bytesWritten } = await handle.writev([...chunks], position);
  if (bytesWritten === total) return;
  // A short write is rare (signal, quota edge): the copy makes the remainder one contiguous run.
  const all = Buffer.concat(chunks);
  let written = bytesWritten;
  while (written < total) {
    const step = await handle.write(all, written, total - written, position + written);
    written += step.bytesWritten;
  }
}

function nodeFile(handle: FileHandle): LogFile {
  return {
    read: (position, length) => readFully(handle, position, length),
    write: (chunks, position) => writeFully(handle, chunks, position),
    sync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    size: async () => (await handle.stat()).size,
    close: () => handle.close(),
  };
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The machine's file system. Directories are created for the owner and group only: flows are sensitive. */
export const nodeFileSystem: FileSystem = {
  open: async (path, mode) => nodeFile(await open(path, OPEN_FLAGS[mode], 0o640)),
  list: (directory) => readdir(directory),
  makeDirectory: async (path) => {
    const first = await mkdir(path, { recursive: true, mode: 0o750 });
    if (first === undefined) return;
    for (let created = path; created.length >= first.length; created = dirname(created)) {
      await syncDirectory(dirname(created));
    }
  },
  rename,
  remove: unlink,
  removeDirectory: (path) => rm(path, { recursive: true, force: true }),
  syncDirectory,
  touch: async (path) => {
    const now = new Date();
    await utimes(path, now, now);
  },
  modifiedMs: async (path) => (await stat(path)).mtimeMs,
  freeBytes: async (path) => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};

/** The whole content of a small file. */
export async function readSmallFile(fs: FileSystem, path: string): Promise<Buffer> {
  const file = await fs.open(path, 'read');
  try {
    return await file.read(0, await file.size());
  } finally {
    await file.close();
  }
}

/** Writes a small file and fsyncs its content, not its directory entry. */
export async function writeSmallFile(fs: FileSystem, path: string, content: Uint8Array): Promise<void> {
  const file = await fs.open(path, 'fresh');
  try {
    await file.write([content], 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Replaces a small file so that a crash at any instant leaves the old or the new content, durable when resolved:
 * temporary file, fsync, rename, fsync of the directory. Callers serialise calls for one path.
 */
export async function replaceSmallFile(fs: FileSystem, path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeSmallFile(fs, temporary, content);
  await fs.rename(temporary, path);
  await fs.syncDirectory(dirname(path));
}

/** Removes a file that may be missing. */
export async function removeIfThere(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.remove(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
