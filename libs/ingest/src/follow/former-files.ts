import type { Checkpoint } from './checkpoints.js';
import { isTelling, sameContent, type Fingerprint } from './file-identity.js';

/** Most files that are remembered after they are gone. */
const MOST_FORMER = 500;

/**
 * Files that were read and are not open: those of an earlier run, and content that was rotated away. They say where
 * reading goes on when the content turns up again, under its inode or as a copy.
 */
export class FormerFiles {
  #files: Checkpoint[];

  constructor(files: readonly Checkpoint[]) {
    this.#files = [...files];
  }

  get all(): readonly Checkpoint[] {
    return this.#files;
  }

  add(file: Checkpoint): void {
    this.#files = [...this.#files.filter((former) => !isSame(former, file)), file].slice(-MOST_FORMER);
  }

  /** A compressed file that was read to its end. */
  isDone(inode: string): boolean {
    return this.#files.some(
      (former) => former.closed && former.inode === inode && former.path.endsWith('.gz'),
    );
  }

  /** How far this content was read elsewhere; 0 when it is not known, or too short to be told by content. */
  offsetOfContent(head: Fingerprint): number {
    if (!isTelling(head)) return 0;
    return this.#files.find((former) => sameContent(former.head, head))?.offset ?? 0;
  }

  /**
   * Where reading of a newly opened file begins. Its own inode counts only with its own beginning (inodes are used again);
   * `headOf` gives the beginning at another length, because a file may have grown since it was saved.
   */
  async offsetOf(
    inode: string,
    head: Fingerprint,
    size: number,
    headOf: (bytes: number) => Promise<Fingerprint>,
  ): Promise<number> {
    const own = this.#files.find((former) => former.inode === inode && !former.closed);
    if (own !== undefined && size >= own.offset && sameContent(await headOf(own.head.bytes), own.head)) {
      this.#files = this.#files.filter((former) => former !== own);
      return own.offset;
    }
    const copied = this.offsetOfContent(head);
    return copied <= size ? copied : 0;
  }
}

function isSame(a: Checkpoint, b: Checkpoint): boolean {
  return a.inode === b.inode && sameContent(a.head, b.head);
}
