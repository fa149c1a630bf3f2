import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ClickHouseError } from './clickhouse-error.js';

/** One spooled request body. `remove` deletes the file and gives its bytes back; call it once, always. */
export interface SpooledBody {
  readonly path: string;
  readonly bytes: number;
  remove(): Promise<void>;
}

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
    const count = new Transform({
      transform: (chunk: Uint8Array, _encoding, done) => {
        const refusal = this.#refusal(bytes, chunk.length);
        if (refusal === null) {
          bytes += chunk.length;
          this.#used += chunk.length;
        }
        done(refusal, chunk);
      },
    });
    try {
      if (first.length > 0) count.write(first);
      if (rest === null) count.end();
      const into = createWriteStream(path, { flags: 'wx', mode: 0o600 });
      await (rest === null ? pipeline(count, into) : pipeline(rest, count, into));
      return { path, bytes, remove };
    } catch (error) {
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
