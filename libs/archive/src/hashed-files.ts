import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BackupFile } from './backup-manifest.js';

/** Writes a stream to a new file below a folder, synced to disk, and tells its size and hash. */
export async function writeHashed(
  folder: string,
  path: string,
  source: Readable,
  through: readonly Transform[],
  signal: AbortSignal,
): Promise<BackupFile> {
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true });
  const hash = createHash('sha256');
  let bytes = 0;
  const count = new Transform({
    transform: (chunk: Uint8Array, _encoding, done) => {
      bytes += chunk.length;
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline([source, ...through, count, createWriteStream(target, { flags: 'wx' })], { signal });
  const handle = await open(target, 'r+');
  await handle.sync().finally(() => handle.close());
  return { path, bytes, sha256: hash.digest('hex') };
}

/** True when the file is there as the manifest says. */
export async function isWhole(folder: string, file: BackupFile, signal: AbortSignal): Promise<boolean> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(join(folder, file.path)), hash, { signal });
  } catch {
    signal.throwIfAborted();
    return false;
  }
  return hash.digest('hex') === file.sha256;
}
