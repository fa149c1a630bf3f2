import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { AppError } from '@flowledger/platform';
import { errnoOf, nodeFileSystem } from './file-system.js';
import { metaPath, partitionPaths, segmentBases } from './layout.js';
import { readMeta } from './meta.js';

/** A file of the log as a copy needs it: its path below the log's directory, and its bytes as they are now. */
export interface LogFileCopy {
  readonly path: string;
  readonly content: Readable;
}

/** Kept beside the log by the ingestor: which chunks of export files are in the log. */
const MANIFEST = 'imports.manifest';

/**
 * The files that make a copy of the log while its writer goes on; each must be read before the next is asked for. Segments
 * come newest first, so that what retention removes meanwhile is missing at the old end only. A record cut at the end of
 * the newest is a torn tail, repaired when the copy is opened. Heads, indexes, locks and offsets of groups are not
 * copied: the first two are made again, and the tables say what was loaded. Rejects LOG_UNAVAILABLE without a log.
 */
export async function* openLogFiles(directory: string): AsyncGenerator<LogFileCopy> {
  const meta = await readMeta(nodeFileSystem, directory);
  if (meta === undefined)
    throw new AppError('LOG_UNAVAILABLE', `there is no event log in ${directory}`, { retry: false });
  // Before the segments: a chunk that is forgotten is looked up in the tables, one that is not there would be refused.
  for (const path of [metaPath(directory), join(directory, MANIFEST)]) {
    const file = await copyOf(directory, path);
    if (file !== undefined) yield file;
  }
  for (let partition = 0; partition < meta.partitions; partition++) {
    const paths = partitionPaths(directory, partition);
    const bases = segmentBases(await readdir(paths.directory)).toReversed();
    for (const base of bases) {
      const file = await copyOf(directory, paths.segment(base));
      if (file === undefined) break;
      yield file;
    }
  }
}

async function copyOf(directory: string, path: string): Promise<LogFileCopy | undefined> {
  try {
    const handle = await open(path, 'r');
    return { path: path.slice(directory.length + 1), content: handle.createReadStream() };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
