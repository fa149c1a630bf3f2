import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ClickHouseError } from './clickhouse-error.js';

/** One spooled request body. `remove` deletes the file and gives its bytes back; call it once, always. */
export interface SpooledBody {
  readonly path: string;
  readonly bytes: number;
  remove(): Promise<void>;
}

/** Written at once: a body arrives in pieces of 64 KiB, and a write each costs more than the copy. */
const WRITE_BYTES = 1024 * 1024;
const NAME = /^[0-9a-f-]{36}\.spool$/;

/**
 * Files that hold insert data while the engine reads it (INFILE is the only way in that is safe for foreign bytes).
 * Bounded twice: per body and in total. Give it a directory in memory for speed; it deletes its own leftovers at start.
 */
export class Spool {
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #maxBodyBytes: number;
  #used = 0;

  private constructor(directory: string, maxBytes: number, maxBodyBytes: number) {
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Opens the directory. Throws when its path has characters that the engine would take for a file pattern. */
  static async open(directory: string, maxBytes: number, maxBodyBytes: number): Promise<Spool> {
    const path = resolve(directory);
    if (/[*?{}[\]'\\\n]/.test(path))
      throw new Error(`spool directory must not contain * ? { } [ ] ' \\: ${path}`);
    await mkdir(path, { recursive: true });
    for (const name of await readdir(path)) if (NAME.test(name)) await rm(join(path, name), { force: true });
    return new Spool(path, maxBytes, maxBodyBytes);
  }

  /** Bytes that bodies hold now. */
  get used(): number {
    return this.#used;
  }

  /**
   * Writes `first` and then `rest` to a new file. Rejects with 307 (HTTP 413) when the body is over its limit and with
   * 243 NOT_ENOUGH_SPACE when the spool is full; nothing stays behind then.
   */
  async write(first: Uint8Array, rest: Readable | null): Promise<SpooledBody> {
    const path = join(this.#directory, `${randomUUID()}.spool`);
    let bytes = 0;
    const remove = async (): Promise<void> => {
      await rm(path, { force: true });
      this.#used -= bytes;
    };
    const counted = (piece: Uint8Array): Uint8Array => {
      const refusal = this.#refusal(bytes, piece.length);
      if (refusal !== null) throw refusal;
      bytes += piece.length;
      this.#used += piece.length;
      return piece;
    };
    let writing: Promise<void> | undefined;
    try {
      const head = first.length > 0 ? [counted(first)] : [];
      await pipeline(
        rest ?? Readable.from([]),
        (pieces) => (writing = writeFile(path, head, pieces, counted)),
      );
      return { path, bytes, remove };
    } catch (error) {
      // The pipeline does not wait for it: a file that is still being opened would come back after its removal.
      await writing?.catch(() => undefined);
      await remove();
      throw error;
    }
  }

  #refusal(bytes: number, more: number): ClickHouseError | null {
    if (bytes + more > this.#maxBodyBytes) {
      return new ClickHouseError(
        307,
        'TOO_MANY_BYTES',
        `Request body is larger than ${this.#maxBodyBytes} bytes`,
        413,
      );
    }
    if (this.#used + more > this.#maxBytes) {
      return new ClickHouseError(243, 'NOT_ENOUGH_SPACE', `Spool is full: ${this.#maxBytes} bytes`, 503);
    }
    return null;
  }
}

async function writeFile(
  path: string,
  head: Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
  counted: (piece: Uint8Array) => Uint8Array,
): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    let waiting = head;
    let size = 0;
    for await (const piece of rest) {
      waiting.push(counted(piece));
      size += piece.length;
      if (size < WRITE_BYTES) continue;
      await writeAll(file, waiting);
      [waiting, size] = [[], 0];
    }
    await writeAll(file, waiting);
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  if (pieces.length === 0) return;
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const { bytesWritten } = await file.writev(pieces);
  if (bytesWritten < size)
    throw new ClickHouseError(243, 'NOT_ENOUGH_SPACE', 'No room in the spool directory', 503);
}
