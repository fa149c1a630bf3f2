import type { Checkpoint } from './checkpoints.js';
import { gzipFingerprint, isTelling, sameContent, type Fingerprint } from './file-identity.js';
import type { FileMetrics } from './file-metrics.js';
import type { FoundFile } from './find-files.js';
import { readGzip, type FollowedFile, type LineSink } from './followed-file.js';
import type { FormerFiles } from './former-files.js';

interface Archive {
  readonly file: FoundFile;
  readonly head: Fingerprint;
  offset: number;
  closed: boolean;
}

const NOTHING: Fingerprint = { hash: '', bytes: 0 };

/**
 * Reads compressed backups once, from where their content was read before it was compressed. One that is cut short is
 * tried again while it still changes: then the compressor is at work.
 */
export class ArchiveReader {
  readonly #archives = new Map<string, Archive>();

  constructor(
    private readonly metrics: FileMetrics,
    private readonly sink: LineSink,
  ) {}

  get checkpoints(): readonly Checkpoint[] {
    return [...this.#archives.values()].map(({ file, head, offset, closed }) => ({
      path: file.path,
      inode: file.inode,
      head,
      offset,
      closed,
    }));
  }

  async read(file: FoundFile, former: FormerFiles, open: readonly FollowedFile[]): Promise<void> {
    const known = this.#archives.get(file.inode);
    const changed =
      known === undefined || known.file.size !== file.size || known.file.modifiedMs !== file.modifiedMs;
    if (known?.closed === true || former.isDone(file.inode) || file.size === 0) return;
    const head = await gzipFingerprint(file.path);
    const archive: Archive = { file, head: head ?? NOTHING, offset: 0, closed: false };
    archive.offset = known?.offset ?? (head === undefined ? 0 : this.#readBefore(head, former, open));
    this.#archives.set(file.inode, archive);
    const end = head === undefined ? 'damaged' : await this.#content(archive);
    if (end === 'damaged' && changed) return;
    if (end === 'damaged' && head !== undefined) await this.#content(archive, true);
    archive.closed = true;
    if (end === 'damaged') this.metrics.inc({ event: 'gz_corrupt' });
  }

  #content(archive: Archive, salvage = false): ReturnType<typeof readGzip> {
    const reached = (offset: number): void => {
      archive.offset = offset;
    };
    return readGzip(archive.file.path, archive.offset, this.sink, reached, salvage);
  }

  /** How far this content was read while it was a plain file, which may still be there. */
  #readBefore(head: Fingerprint, former: FormerFiles, open: readonly FollowedFile[]): number {
    const live = isTelling(head) ? open.find((file) => sameContent(file.head, head)) : undefined;
    return Math.max(live?.offset ?? 0, former.offsetOfContent(head));
  }
}
