import type { RejectReason } from '../outcome.js';
import {
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_GROUP,
  WIRE_GROUP_END,
  WIRE_VARINT,
} from './wire-types.js';

const MAX_GROUP_DEPTH = 64;

/**
 * Reads the protobuf wire format in place, without objects. It never throws: on malformed bytes it sets {@link bad}
 * and moves to the end, so that loops of the form `while (reader.pos < end)` stop; callers look at `bad` once, when the
 * message is read. A 64-bit number is left in {@link lo} and {@link hi}.
 */
export class WireReader {
  buf: Uint8Array = new Uint8Array(0);
  /** The memory of {@link buf}. */
  view = new DataView(this.buf.buffer);
  pos = 0;
  /** End of the innermost message being read; no read passes it. */
  end = 0;
  bad = false;
  /** Why, once {@link bad} is set; the first fault counts. */
  reason: RejectReason = 'wire';
  lo = 0;
  hi = 0;

  /** Starts on `buf[start, end)`. */
  load(buf: Uint8Array, start: number, end: number): void {
    if (buf !== this.buf) {
      this.buf = buf;
      this.view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
    }
    this.pos = start;
    this.end = end;
    this.bad = false;
  }

  /** Marks the bytes as malformed and moves to the end; returns 0 so that reads can end with it. */
  fail(reason: RejectReason = 'wire'): number {
    if (!this.bad) this.reason = reason;
    this.bad = true;
    this.pos = this.end;
    return 0;
  }

  /** A varint cut to its low 32 bits, unsigned: tags, lengths, uint32, and int32 or enums after `| 0`. */
  uint32(): number {
    const { buf, end } = this;
    let pos = this.pos;
    if (pos >= end) return this.fail();
    let byte = buf[pos++] ?? 0;
    let value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      if (pos >= end || shift > 63) return this.fail();
      byte = buf[pos++] ?? 0;
      if (shift < 32) value |= (byte & 127) << shift;
    }
    this.pos = pos;
    return value >>> 0;
  }

  /** A varint of up to 64 bits into {@link lo} and {@link hi}, both unsigned. */
  varint64(): void {
    const { buf, end } = this;
    let lo = 0;
    let hi = 0;
    let shift = 0;
    for (;;) {
      if (this.pos >= end || shift > 63) {
        this.fail();
        return;
      }
      const byte = buf[this.pos++] ?? 0;
      const bits = byte & 127;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi |= bits >>> 4;
      } else hi |= bits << (shift - 32);
      if (byte < 128) break;
      shift += 7;
    }
    this.lo = lo >>> 0;
    this.hi = hi >>> 0;
  }

  /** True when the varint is not zero in any of its 64 bits (protobuf bool). */
  bool(): boolean {
    this.varint64();
    return (this.lo | this.hi) !== 0;
  }

  /** Reads a length and returns the end of that length-delimited field; the body starts at {@link pos}. */
  lengthEnd(): number {
    const length = this.uint32();
    const end = this.pos + length;
    if (end > this.end) this.fail();
    return this.bad ? this.pos : end;
  }

  /** Little-endian 64-bit number into {@link lo} and {@link hi}. */
  fixed64(): void {
    this.lo = this.fixed32();
    this.hi = this.fixed32();
  }

  fixed32(): number {
    const { buf, pos } = this;
    if (pos + 4 > this.end) return this.fail();
    this.pos = pos + 4;
    return (
      ((buf[pos] ?? 0) |
        ((buf[pos + 1] ?? 0) << 8) |
        ((buf[pos + 2] ?? 0) << 16) |
        ((buf[pos + 3] ?? 0) << 24)) >>>
      0
    );
  }

  /** Passes over the value that follows `tag`; groups are passed over whole. */
  skip(tag: number): void {
    if (tag >>> 3 === 0) this.fail();
    else if ((tag & 7) === WIRE_GROUP) this.#skipGroup(tag >>> 3);
    else this.#skipScalar(tag);
  }

  #skipScalar(tag: number): void {
    const type = tag & 7;
    if (type === WIRE_VARINT) this.varint64();
    else if (type === WIRE_FIXED64) this.fixed64();
    else if (type === WIRE_FIXED32) this.fixed32();
    else if (type === WIRE_BYTES) this.pos = this.lengthEnd();
    else this.fail();
  }

  #skipGroup(field: number): void {
    const open = [field];
    while (open.length > 0 && !this.bad) {
      const tag = this.uint32();
      const type = tag & 7;
      if (tag >>> 3 === 0 || open.length > MAX_GROUP_DEPTH) this.fail();
      else if (type === WIRE_GROUP) open.push(tag >>> 3);
      else if (type !== WIRE_GROUP_END) this.#skipScalar(tag);
      else if (open.pop() !== tag >>> 3) this.fail();
    }
  }
}
