import { dirname } from 'node:path';
import type { FileSystem } from './file-system.js';
import { errnoOf, readSmallFile, replaceSmallFile } from './file-system.js';
import { metaPath, partitionPaths } from './layout.js';
import type { PartitionIdentity } from './partition-reader.js';

const COPY_BYTES = 4 * 1024 * 1024;

/**
 * Where segments go before retention removes them: the same layout in another directory, possibly on another disk, so it is
 * copied and never moved. Durable when `keep` resolves; doing it again changes nothing. A segment that cannot be
 * kept is not removed either: the log then grows to its limit and refuses, and nothing is lost.
 */
export class SegmentArchive {
  #described = false;

  constructor(
    private readonly fs: FileSystem,
    /** The log's own directory. */
    private readonly directory: string,
    private readonly archive: string,
  ) {}

  /** Copies one sealed segment with its index. Rejects with the system's error. */
  async keep(identity: PartitionIdentity, base: bigint): Promise<void> {
    const { fs, archive } = this;
    const to = partitionPaths(archive, identity.partition);
    await fs.makeDirectory(to.directory);
    if (!this.#described) await this.#describe();
    const index = await readSmallFile(fs, identity.paths.index(base)).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (index !== undefined) await replaceSmallFile(fs, to.index(base), index);
    await this.#copy(identity.paths.segment(base), to.segment(base));
  }

  /** The epoch belongs to the segments: without it nobody could tell whose they are. */
  async #describe(): Promise<void> {
    const meta = await readSmallFile(this.fs, metaPath(this.directory));
    await replaceSmallFile(this.fs, metaPath(this.archive), meta);
    this.#described = true;
  }

  async #copy(from: string, to: string): Promise<void> {
    const temporary = `${to}.tmp`;
    const source = await this.fs.open(from, 'read');
    try {
      const target = await this.fs.open(temporary, 'fresh');
      try {
        const size = await source.size();
        for (let at = 0; at < size; at += COPY_BYTES)
          await target.write([await source.read(at, Math.min(COPY_BYTES, size - at))], at);
        await target.sync();
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
    }
    await this.fs.rename(temporary, to);
    await this.fs.syncDirectory(dirname(to));
  }
}
