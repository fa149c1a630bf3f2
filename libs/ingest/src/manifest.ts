import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

const ENTRY_BYTES = 32 + 4 + 8;

/**
 * Which chunks of imported files the log already holds, so that the same file twice costs no appends. It is a shortcut,
 * not the authority: a chunk that was appended but not yet noted here (a kill in between) is appended again and its
 * events are removed as duplicates by the loader. Entries older than the raw retention no longer count, because the
 * rows they led to are gone.
 *
 * File format: entries of 44 bytes: SHA-256 of the chunk, index in its stream (UInt32 LE), time of the note in ms
 * (Float64 LE). A torn last entry is cut off.
 */
export class ImportManifest {
  readonly #file: FileHandle;
  readonly #entries: Map<string, number>;
  readonly #maxAgeMs: number;
  /** Notes that wait for the write under way. */
  #waiting: Buffer[] = [];
  /** The write that will take what waits; undefined while nothing does. */
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle, entries: Map<string, number>, maxAgeMs: number) {
    this.#file = file;
    this.#entries = entries;
    this.#maxAgeMs = maxAgeMs;
  }

  static async open(path: string, maxAgeMs: number): Promise<ImportManifest> {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'a+');
    const bytes = await file.readFile();
    const size = bytes.length - (bytes.length % ENTRY_BYTES);
    if (size !== bytes.length) await file.truncate(size);
    const entries = new Map<string, number>();
    for (let at = 0; at < size; at += ENTRY_BYTES) {
      const key = keyOf(bytes.subarray(at, at + 32), bytes.readUInt32LE(at + 32));
      entries.set(key, bytes.readDoubleLE(at + 36));
    }
    return new ImportManifest(file, entries, maxAgeMs);
  }

  has(digest: Buffer, index: number, nowMs: number): boolean {
    const noted = this.#entries.get(keyOf(digest, index));
    return noted !== undefined && nowMs - noted <= this.#maxAgeMs;
  }

  /**
   * Notes chunks whose append is durable; durable itself when resolved. What comes while the disk is at work is written
   * together: one sync for each chunk were as many as the log itself needs.
   */
  add(chunks: readonly { readonly digest: Buffer; readonly index: number }[], nowMs: number): Promise<void> {
    const bytes = Buffer.alloc(chunks.length * ENTRY_BYTES);
    chunks.forEach((chunk, i) => {
      chunk.digest.copy(bytes, i * ENTRY_BYTES);
      bytes.writeUInt32LE(chunk.index, i * ENTRY_BYTES + 32);
      bytes.writeDoubleLE(nowMs, i * ENTRY_BYTES + 36);
      this.#entries.set(keyOf(chunk.digest, chunk.index), nowMs);
    });
    this.#waiting.push(bytes);
    if (this.#next !== undefined) return this.#next;
    // A write that failed is told to those who wait for it; the next one is tried all the same.
    const write = (): Promise<void> => this.#write();
    this.#next = this.#last = this.#last.then(write, write);
    return this.#next;
  }

  async #write(): Promise<void> {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#next = undefined;
    await this.#file.appendFile(bytes);
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#file.close();
  }
}

function keyOf(digest: Uint8Array, index: number): string {
  return `${Buffer.from(digest.buffer, digest.byteOffset, digest.length).toString('latin1')}${index}`;
}
