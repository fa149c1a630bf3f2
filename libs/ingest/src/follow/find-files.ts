import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Checkpoint } from './checkpoints.js';
import { expandGlob } from './file-glob.js';
import { fingerprintOf, gzipFingerprint, isGzip, sameContent, type Fingerprint } from './file-identity.js';

/** A regular file that is there now. */
export interface FoundFile {
  readonly path: string;
  /** `device:inode`. */
  readonly inode: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly gzip: boolean;
}

/** The regular files that patterns name, oldest change first; what cannot be looked at is left out until it can. */
export async function findFiles(patterns: readonly string[]): Promise<readonly FoundFile[]> {
  const paths = new Set((await Promise.all(patterns.map(expandGlob))).flat());
  const files = (await Promise.all([...paths].map(describeFile))).filter((file) => file !== undefined);
  return files.toSorted((a, b) => a.modifiedMs - b.modifiedMs || (a.path < b.path ? -1 : 1));
}

/** Files that were being read and are none of those found: neither inode nor beginning may differ (inodes are used again). */
export async function missingFiles(
  former: readonly Checkpoint[],
  found: readonly FoundFile[],
): Promise<readonly Checkpoint[]> {
  const missing: Checkpoint[] = [];
  for (const checkpoint of former) {
    if (checkpoint.closed) continue;
    const same = await Promise.all(found.map((file) => isSameFile(file, checkpoint)));
    if (!same.includes(true)) missing.push(checkpoint);
  }
  return missing;
}

async function isSameFile(file: FoundFile, { inode, head }: Checkpoint): Promise<boolean> {
  try {
    if (file.gzip) {
      const content = await gzipFingerprint(file.path);
      return content !== undefined && sameContent(content, head);
    }
    return file.inode === inode && sameContent(await beginningOf(file.path, head.bytes), head);
  } catch {
    return false;
  }
}

async function beginningOf(path: string, bytes: number): Promise<Fingerprint> {
  const handle = await open(path, 'r');
  try {
    return await fingerprintOf(handle, bytes);
  } finally {
    await handle.close();
  }
}

/**
 * Where files went that were being read and that no pattern finds any more: beside their old path, under another name, or
 * compressed (the content's beginning tells).
 */
export async function findRotated(missing: readonly Checkpoint[]): Promise<readonly FoundFile[]> {
  const found = await Promise.all(
    missing.map(async (checkpoint) => {
      const folder = dirname(checkpoint.path);
      const stem = basename(checkpoint.path, extname(checkpoint.path));
      const names = await readdir(folder).catch((): string[] => []);
      for (const name of names.filter((candidate) => candidate.startsWith(stem))) {
        const file = await describeFile(join(folder, name));
        if (file !== undefined && (await isSameFile(file, checkpoint))) return file;
      }
      return undefined;
    }),
  );
  return found.filter((file) => file !== undefined);
}

async function describeFile(path: string): Promise<FoundFile | undefined> {
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return undefined;
    const gzip = path.endsWith('.gz') || (await isGzip(path));
    const { dev, ino, size, mtimeMs: modifiedMs } = facts;
    return { path, inode: `${dev}:${ino}`, size, modifiedMs, gzip };
  } catch {
    return undefined;
  }
}
