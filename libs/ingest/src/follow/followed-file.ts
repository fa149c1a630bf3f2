import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { constants, createGunzip } from 'node:zlib';
import type { Checkpoint } from './checkpoints.js';
import { fingerprintOf, HEAD_BYTES, sameContent, type Fingerprint } from './file-identity.js';
import { LineCutter, type CutLine } from './line-cutter.js';

/** Takes lines of one chunk; resolves when more may come. */
export type LineSink = (lines: readonly CutLine[]) => Promise<void>;

const CHUNK_BYTES = 256 * 1024;

/**
 * One plain file that may still grow, read by its open handle: a rename or a removal does not end it. A beginning that
 * changed, or a length below what was read, is content that was replaced under the same inode (copy-truncate).
 */
export class FollowedFile {
  path: string;
  readonly inode: string;
  head: Fingerprint;
  /** Offset after the last line that was handed out. */
  offset: number;
  readonly #handle: FileHandle;
  #cutter: LineCutter;

  constructor(path: string, inode: string, handle: FileHandle, head: Fingerprint, offset: number) {
    this.path = path;
    this.inode = inode;
    this.head = head;
    this.offset = offset;
    this.#handle = handle;
    this.#cutter = new LineCutter(offset);
  }

  /** As it would be saved now. */
  checkpoint(closed = false): Checkpoint {
    const { path, inode, head, offset } = this;
    return { path, inode, head, offset, closed };
  }

  /** Looks whether the content is still the one that was being read; forgets the old one otherwise. */
  async wasReplaced(): Promise<boolean> {
    const { size } = await this.#handle.stat();
    const head = await fingerprintOf(this.#handle, this.head.bytes);
    if (size >= this.#cutter.offset && (this.head.bytes === 0 || sameContent(head, this.head))) return false;
    this.head = await fingerprintOf(this.#handle, HEAD_BYTES);
    this.offset = 0;
    this.#cutter = new LineCutter(0);
    return true;
  }

  /** Hands out all complete lines that are there; true when there were bytes. */
  async read(sink: LineSink, signal: AbortSignal): Promise<boolean> {
    let any = false;
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    while (!signal.aborted) {
      const { bytesRead } = await this.#handle.read(buffer, 0, CHUNK_BYTES, this.#cutter.offset);
      if (bytesRead === 0) break;
      any = true;
      // Lines are kept until their envelope is durable, the buffer is not.
      await this.#hand(this.#cutter.push(Buffer.from(buffer.subarray(0, bytesRead))), sink);
    }
    if (any && this.head.bytes < HEAD_BYTES) this.head = await fingerprintOf(this.#handle, HEAD_BYTES);
    return any;
  }

  /** No more will be written: a last line without an end is a line. */
  async finish(sink: LineSink): Promise<void> {
    await this.#hand(this.#cutter.finish(), sink);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #hand(lines: readonly CutLine[], sink: LineSink): Promise<void> {
    const last = lines.at(-1);
    if (last === undefined) return;
    // First, so that a batch which is closed while the sink waits says how far its lines reach.
    this.offset = last.end;
    await sink(lines);
  }
}

/** What became of a compressed file. */
export type GzipEnd = 'complete' | 'damaged';

/**
 * Reads the content of a gzip file (members may follow one another) from `offset` on; `reached` is told how far. Of a
 * damaged file the last lines before the damage are only handed out with `salvage`, which gives up on the rest.
 */
export async function readGzip(
  path: string,
  offset: number,
  sink: LineSink,
  reached: (offset: number) => void,
  salvage = false,
): Promise<GzipEnd> {
  const cutter = new LineCutter(offset);
  const input = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const content = createGunzip({
    chunkSize: CHUNK_BYTES,
    finishFlush: salvage ? constants.Z_SYNC_FLUSH : constants.Z_FINISH,
  });
  input.on('error', (error) => content.destroy(error));
  let at = 0;
  const hand = async (lines: readonly CutLine[]): Promise<void> => {
    const last = lines.at(-1);
    if (last === undefined) return;
    reached(last.end);
    await sink(lines);
  };
  try {
    for await (const chunk of input.pipe(content) as AsyncIterable<Buffer>) {
      const skip = Math.min(chunk.length, Math.max(0, offset - at));
      at += chunk.length;
      if (skip < chunk.length) await hand(cutter.push(chunk.subarray(skip)));
    }
  } catch (error) {
    if (isDamage(error)) return 'damaged';
    throw error;
  } finally {
    input.destroy();
  }
  if (salvage) return 'damaged';
  await hand(cutter.finish());
  return 'complete';
}

function isDamage(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
  );
}
