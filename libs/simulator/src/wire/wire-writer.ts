const encoder = new TextEncoder();
const BLOCK_BYTES = 65_536;

/**
 * Writes protobuf wire format into one growing buffer. Owned by one encoder and reused from message to message; fields
 * come out in the order they are written. Zero values are the caller's business (proto3 leaves them out).
 */
export class WireWriter {
  private buffer: Uint8Array;
  private position = 0;
  private block = new Uint8Array(0);
  private blockUsed = 0;

  constructor(capacity = 4096) {
    this.buffer = new Uint8Array(capacity);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.position;
  }

  /** Forgets what was written; the buffer is kept. */
  reset(): void {
    this.position = 0;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.buffer.slice(0, this.position);
  }

  /**
   * A view of a copy of what was written, cut from a larger block that such views share: cheaper than {@link finish} for
   * many messages. The block lives as long as any of its views.
   */
  take(): Uint8Array {
    if (this.blockUsed + this.position > this.block.length) {
      this.block = new Uint8Array(Math.max(BLOCK_BYTES, this.position));
      this.blockUsed = 0;
    }
    const start = this.blockUsed;
    this.blockUsed = start + this.position;
    this.block.set(this.buffer.subarray(0, this.position), start);
    return this.block.subarray(start, this.blockUsed);
  }

  /** Varint field; left out when 0. Exact up to 2^53. */
  uint(field: number, value: number): void {
    if (value === 0) return;
    this.reserve(20);
    this.varint(field * 8);
    this.varint(value);
  }

  /** Bool field; left out when false. */
  bool(field: number, value: boolean): void {
    if (value) this.uint(field, 1);
  }

  /** Length-delimited field of ready bytes; written even when empty. */
  bytes(field: number, value: Uint8Array): void {
    this.reserve(value.length + 20);
    this.varint(field * 8 + 2);
    this.varint(value.length);
    this.buffer.set(value, this.position);
    this.position += value.length;
  }

  /** String field; left out when empty. */
  string(field: number, value: string): void {
    if (value !== '') this.element(field, value);
  }

  /** One element of a repeated string field, empty or not. */
  element(field: number, value: string): void {
    this.reserve(value.length * 3 + 20);
    this.varint(field * 8 + 2);
    const mark = this.position++;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) {
        this.position = mark + 1;
        this.position += encoder.encodeInto(value, this.buffer.subarray(this.position)).written;
        break;
      }
      this.buffer[this.position++] = code;
    }
    this.end(mark);
  }

  /** Ready bytes without a tag: fields that were encoded before. */
  raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.buffer.set(value, this.position);
    this.position += value.length;
  }

  /** Opens a sub-message; pass the result to {@link end}. */
  begin(field: number): number {
    this.reserve(20);
    this.varint(field * 8 + 2);
    return this.position++;
  }

  /** Closes a sub-message: its length goes before it, moving it when the length needs more than one byte. */
  end(mark: number): void {
    const size = this.position - mark - 1;
    if (size < 128) {
      this.buffer[mark] = size;
      return;
    }
    const extra = size < 16_384 ? 1 : size < 2_097_152 ? 2 : 3;
    this.reserve(extra);
    this.buffer.copyWithin(mark + 1 + extra, mark + 1, this.position);
    const end = this.position + extra;
    this.position = mark;
    this.varint(size);
    this.position = end;
  }

  private varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.buffer[this.position++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.position++] = rest;
  }

  private reserve(bytes: number): void {
    const needed = this.position + bytes;
    if (needed <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    larger.set(this.buffer.subarray(0, this.position));
    this.buffer = larger;
  }
}
