/** A line of a growing file. */
export interface CutLine {
  /** Without its end, byte order mark and carriage return. Of a line that is too long, the first 64 KiB. */
  readonly bytes: Uint8Array;
  /** Offset of the byte after its newline. */
  readonly end: number;
}

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const KEPT_OF_OVERSIZED = 64 * 1024;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Cuts what is appended to a file into lines and keeps a last line that has no end yet. Knows where each line ends, so
 * that reading can go on there. Holds at most one line of the longest length; what is longer is passed over in constant
 * memory.
 */
export class LineCutter {
  #held: Buffer[] = [];
  #heldBytes = 0;
  #skipping = false;
  #offset: number;

  constructor(
    offset: number,
    private readonly maxLineBytes = 1024 * 1024,
  ) {
    this.#offset = offset;
  }

  /** Offset of the next byte to be pushed. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes of a last line without an end. */
  get partialBytes(): number {
    return this.#heldBytes;
  }

  /** The complete lines that end in this chunk; empty ones are left out. */
  push(chunk: Buffer): CutLine[] {
    const lines: CutLine[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#hold(chunk.subarray(from, end));
      this.#cut(this.#offset + end + 1, lines);
      from = end + 1;
    }
    // Copied, because a small rest would keep the whole chunk in memory.
    if (from < chunk.length) this.#hold(Buffer.from(chunk.subarray(from)));
    this.#offset += chunk.length;
    return lines;
  }

  /** No more will come: what is held is the last line. */
  finish(): CutLine[] {
    const lines: CutLine[] = [];
    this.#cut(this.#offset, lines);
    return lines;
  }

  #hold(piece: Buffer): void {
    if (piece.length === 0 || this.#skipping) return;
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (this.#heldBytes <= this.maxLineBytes) return;
    this.#held = [Buffer.from(Buffer.concat(this.#held).subarray(0, KEPT_OF_OVERSIZED))];
    this.#heldBytes = KEPT_OF_OVERSIZED;
    this.#skipping = true;
  }

  #cut(end: number, lines: CutLine[]): void {
    let bytes = this.#held.length === 1 ? (this.#held[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#skipping = false;
    if (bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) bytes = bytes.subarray(3);
    if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1);
    if (bytes.length > 0) lines.push({ bytes, end });
  }
}
