import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from './wire-types.js';

const UTF8 = new TextEncoder();

/**
 * Writes the protobuf wire format into one growing buffer. The buffer is reused after {@link reset}: take a copy with
 * {@link finish}, or read `buf` up to `pos` before the next message.
 */
export class WireWriter {
  buf: Uint8Array;
  pos = 0;

  constructor(capacity = 1024) {
    this.buf = new Uint8Array(capacity);
  }

  reset(): void {
    this.pos = 0;
  }

  /** A copy of what was written since the last reset. */
  finish(): Uint8Array {
    return this.buf.slice(0, this.pos);
  }

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    const needed = this.pos + bytes;
    if (needed <= this.buf.length) return;
    const grown = new Uint8Array(Math.max(needed, this.buf.length * 2));
    grown.set(this.buf.subarray(0, this.pos));
    this.buf = grown;
  }

  /** An unsigned 32-bit varint. */
  uint32(value: number): void {
    this.reserve(5);
    let rest = value >>> 0;
    while (rest > 127) {
      this.buf[this.pos++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.buf[this.pos++] = rest;
  }

  /** A 64-bit varint given as two unsigned 32-bit halves. */
  varint64(lo: number, hi: number): void {
    this.reserve(10);
    let low = lo >>> 0;
    let high = hi >>> 0;
    while (high !== 0 || low > 127) {
      this.buf[this.pos++] = (low & 127) | 128;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.buf[this.pos++] = low;
  }

  /** A signed 32-bit varint: negative numbers take ten bytes, as protobuf's int32 does. */
  int32(value: number): void {
    this.varint64(value | 0, value < 0 ? -1 : 0);
  }

  tag(field: number, wireType: number): void {
    this.uint32(((field << 3) | wireType) >>> 0);
  }

  uint64Field(field: number, value: bigint): void {
    this.tag(field, WIRE_VARINT);
    this.varint64(Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn));
  }

  uint32Field(field: number, value: number): void {
    this.tag(field, WIRE_VARINT);
    this.uint32(value);
  }

  fixed64Field(field: number, value: bigint): void {
    this.tag(field, WIRE_FIXED64);
    this.reserve(8);
    new DataView(this.buf.buffer, this.buf.byteOffset).setBigInt64(this.pos, BigInt.asIntN(64, value), true);
    this.pos += 8;
  }

  bytesField(field: number, value: Uint8Array): void {
    this.tag(field, WIRE_BYTES);
    this.uint32(value.length);
    this.raw(value);
  }

  stringField(field: number, value: string): void {
    const start = this.pos;
    const mark = this.open(field);
    this.reserve(value.length);
    const { buf } = this;
    let at = this.pos;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) {
        this.pos = start;
        this.bytesField(field, UTF8.encode(value));
        return;
      }
      buf[at++] = code;
    }
    this.pos = at;
    this.close(mark);
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buf.set(bytes, this.pos);
    this.pos += bytes.length;
  }

  /** Copies `source[start, end)`. */
  copy(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    for (let i = start; i < end; i++) this.buf[this.pos++] = source[i] ?? 0;
  }

  /** Opens a length-delimited field; pass the result to {@link close} when its body is written. */
  open(field: number): number {
    this.tag(field, WIRE_BYTES);
    this.reserve(1);
    return this.pos++;
  }

  /** Fills in the length of the field opened at `mark`, moving the body when the length needs more than one byte. */
  close(mark: number): void {
    const length = this.pos - mark - 1;
    if (length < 128) {
      this.buf[mark] = length;
      return;
    }
    const extra = length < 0x4000 ? 1 : length < 0x200000 ? 2 : length < 0x10000000 ? 3 : 4;
    this.reserve(extra);
    this.buf.copyWithin(mark + 1 + extra, mark + 1, this.pos);
    const end = this.pos + extra;
    this.pos = mark;
    this.uint32(length);
    this.pos = end;
  }

  /** Cuts what was written in [start, end) out again. */
  remove(start: number, end: number): void {
    this.buf.copyWithin(start, end, this.pos);
    this.pos -= end - start;
  }
}
