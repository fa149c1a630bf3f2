import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** One line without its end, or what was kept of one that is too long. */
export interface Line {
  readonly bytes: Uint8Array;
  /** The line was longer than the limit; `bytes` holds its first 64 KiB. */
  readonly oversized: boolean;
}

export interface LinesOptions {
  /** Longest line, bytes. Default 1 MiB (reliability note 3.2). */
  readonly maxLineBytes?: number;
}

const KEPT_OF_OVERSIZED = 64 * 1024;
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/** Thrown by {@link readLines} after the complete lines of a damaged gzip stream were handed out. */
export class DamagedGzip extends Error {}

/**
 * Lines of a byte stream in groups (one group per chunk read, so that the caller pays no promise per line). Gzip is
 * recognised by its magic bytes, members may follow one another. A byte order mark, CRLF and empty lines are taken
 * away. Memory is bounded by the longest line plus one chunk.
 */
export async function* readLines(
  input: Readable,
  options: LinesOptions = {},
): AsyncGenerator<readonly Line[]> {
  const maxLine = options.maxLineBytes ?? 1024 * 1024;
  const splitter = new LineSplitter(maxLine);
  const source = await plainStream(input);
  try {
    for await (const chunk of source.stream) {
      const lines = splitter.push(chunk as Buffer);
      if (lines.length > 0) yield lines;
    }
  } catch (error) {
    const rest = splitter.end();
    if (rest.length > 0) yield rest;
    if (source.gzip && isZlibError(error)) throw new DamagedGzip('gzip stream is damaged', { cause: error });
    throw error;
  }
  const rest = splitter.end();
  if (rest.length > 0) yield rest;
}

function isZlibError(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
  );
}

async function plainStream(input: Readable): Promise<{ stream: AsyncIterable<unknown>; gzip: boolean }> {
  const iterator = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const all = rest(head, iterator);
  if (!(head[0] === 0x1f && head[1] === 0x8b)) return { stream: all, gzip: false };
  const raw = Readable.from(all, { objectMode: false });
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  raw.on('error', (error) => gunzip.destroy(error));
  return { stream: raw.pipe(gunzip), gzip: true };
}

async function* rest(head: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
}

class LineSplitter {
  readonly #maxLine: number;
  #parts: Buffer[] = [];
  #length = 0;
  #skipping = false;
  #atStart = true;

  constructor(maxLine: number) {
    this.#maxLine = maxLine;
  }

  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      if (end < 0) break;
      if (this.#isPlain(chunk, from, end)) lines.push({ bytes: chunk.subarray(from, end), oversized: false });
      else {
        this.#take(chunk.subarray(from, end));
        this.#finish(lines);
      }
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
    return lines;
  }

  /** Nearly every line: it lies in this chunk, is neither the first nor empty nor too long, and ends in a newline only. */
  #isPlain(chunk: Buffer, from: number, end: number): boolean {
    const pending = this.#parts.length > 0 || this.#atStart || this.#skipping;
    return !pending && end > from && end - from <= this.#maxLine && chunk[end - 1] !== CARRIAGE_RETURN;
  }

  end(): Line[] {
    const lines: Line[] = [];
    this.#finish(lines);
    return lines;
  }

  /** Keeps a piece of the current line; past the limit only the first 64 KiB stay. */
  #take(piece: Buffer): void {
    if (piece.length === 0 || this.#skipping) return;
    this.#parts.push(piece);
    this.#length += piece.length;
    if (this.#length <= this.#maxLine) return;
    const kept = Buffer.from(Buffer.concat(this.#parts).subarray(0, KEPT_OF_OVERSIZED));
    this.#parts = [kept];
    this.#length = kept.length;
    this.#skipping = true;
  }

  #finish(lines: Line[]): void {
    let bytes =
      this.#parts.length === 1
        ? (this.#parts[0] ?? Buffer.alloc(0))
        : Buffer.concat(this.#parts, this.#length);
    if (this.#atStart && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
      bytes = bytes.subarray(3);
    this.#atStart = false;
    if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1);
    if (bytes.length > 0) lines.push({ bytes, oversized: this.#skipping });
    this.#parts = [];
    this.#length = 0;
    this.#skipping = false;
  }
}
