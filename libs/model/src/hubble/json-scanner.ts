import type { RejectReason } from '../outcome.js';
import type { WireWriter } from '../wire/wire-writer.js';

/** `"` */
export const QUOTE = 0x22;
/** `\` */
export const BACKSLASH = 0x5c;
/** `{` */
export const OPEN_BRACE = 0x7b;
/** `}` */
export const CLOSE_BRACE = 0x7d;
/** `[` */
export const OPEN_BRACKET = 0x5b;
/** `]` */
export const CLOSE_BRACKET = 0x5d;
/** `,` */
export const COMMA = 0x2c;
/** `:` */
export const COLON = 0x3a;

/** Deepest nesting that is read (reliability note, B17). */
export const MAX_DEPTH = 64;

/** Byte after a backslash to the byte it stands for; 0 for `u` and for what is no escape. */
const ESCAPES = new Uint8Array(128);
for (const [letter, value] of Object.entries({
  '"': 0x22,
  '\\': 0x5c,
  '/': 0x2f,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
}))
  ESCAPES[letter.charCodeAt(0)] = value;

/**
 * A strict JSON scanner (RFC 8259) over UTF-8 bytes already known to be well-formed. It never throws: on a fault it
 * sets {@link fault} and stands still. Strings are written where they are needed, numbers are left as text, and nothing
 * becomes a JavaScript object, so that neither 2^53 nor `__proto__` matters.
 */
export class JsonScanner {
  buf: Uint8Array = new Uint8Array(0);
  view = new DataView(this.buf.buffer);
  pos = 0;
  end = 0;
  fault: RejectReason | undefined;

  load(buf: Uint8Array, start: number, end: number): void {
    if (buf !== this.buf) {
      this.buf = buf;
      this.view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
    }
    this.pos = start;
    this.end = end;
    this.fault = undefined;
  }

  /** Sets the fault, the first one only; returns false. */
  fail(reason: RejectReason = 'json_syntax'): boolean {
    this.fault ??= reason;
    return false;
  }

  /** The next byte that is no white space, without taking it; -1 at the end. */
  peek(): number {
    while (this.pos < this.end) {
      const byte = this.buf[this.pos] ?? 0;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.pos++;
    }
    return -1;
  }

  /** Takes `byte` when it comes next. */
  take(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.pos++;
    return true;
  }

  expect(byte: number): boolean {
    return this.take(byte) || this.fail();
  }

  /** Takes a literal such as `null` when it comes next. */
  literal(word: string): boolean {
    if (this.pos + word.length > this.end) return false;
    for (let i = 0; i < word.length; i++) if (this.buf[this.pos + i] !== word.charCodeAt(i)) return false;
    this.pos += word.length;
    return true;
  }

  /**
   * Passes over a string that starts here and returns whether it has escapes; its body is then between the position
   * before, plus one, and the position after, minus one.
   */
  skipString(): boolean {
    let escaped = false;
    const { buf, end } = this;
    let i = this.pos + 1;
    for (; i < end; i++) {
      const byte = buf[i] ?? 0;
      if (byte === QUOTE) break;
      if (byte < 0x20) return this.fail();
      if (byte === BACKSLASH) {
        escaped = true;
        i++;
      }
    }
    if (i >= end) return this.fail();
    this.pos = i + 1;
    return escaped;
  }

  /** Writes the body of the string that starts here, unescaped, as UTF-8. */
  string(out: WireWriter): void {
    const { buf, end } = this;
    const start = this.pos + 1;
    out.reserve(end - start);
    const to = out.buf;
    const from = out.pos;
    let at = from;
    for (let i = start; i < end; i++) {
      const byte = buf[i] ?? 0;
      if (byte === QUOTE) {
        out.pos = at;
        this.pos = i + 1;
        return;
      }
      if (byte < 0x20 || byte === BACKSLASH) break;
      to[at++] = byte;
    }
    // Something is special about it: once more, with care.
    this.skipString();
    if (this.fault === undefined) this.#unescape(out, start, this.pos - 1);
  }

  #unescape(out: WireWriter, start: number, end: number): void {
    const { buf } = this;
    let i = start;
    out.reserve(end - start);
    while (i < end) {
      const byte = buf[i++] ?? 0;
      if (byte !== BACKSLASH) {
        out.buf[out.pos++] = byte;
        continue;
      }
      const letter = buf[i++] ?? 0;
      const plain = ESCAPES[letter] ?? 0;
      if (plain !== 0) out.buf[out.pos++] = plain;
      else if (letter === 0x75) i = this.#unicode(out, i, end);
      else this.fail();
      if (this.fault !== undefined) return;
    }
  }

  /** A `\uXXXX` whose digits start at `at`, and the second half of a surrogate pair; returns where it ends. */
  #unicode(out: WireWriter, at: number, end: number): number {
    let code = this.#hex4(at, end);
    let next = at + 4;
    if (code >= 0xdc00 && code <= 0xdfff) this.fail('invalid_utf8');
    if (code >= 0xd800 && code <= 0xdbff) {
      const pair = this.buf[next] === BACKSLASH && this.buf[next + 1] === 0x75;
      const low = pair ? this.#hex4(next + 2, end) : 0;
      if (low < 0xdc00 || low > 0xdfff) this.fail('invalid_utf8');
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      next += 6;
    }
    if (this.fault === undefined) writeCodePoint(out, code);
    return next;
  }

  #hex4(at: number, end: number): number {
    if (at + 4 > end) {
      this.fail();
      return 0;
    }
    const text = String.fromCharCode(...this.buf.subarray(at, at + 4));
    if (/^[0-9a-fA-F]{4}$/.test(text)) return Number.parseInt(text, 16);
    this.fail();
    return 0;
  }

  /** Text of the number that starts here, by the JSON grammar; '' after a fault. */
  number(): string {
    const start = this.pos;
    this.take(0x2d);
    if (!this.literal('0') && !this.#digits()) this.fail();
    if (this.literal('.') && !this.#digits()) this.fail();
    const byte = this.buf[this.pos] ?? 0;
    if (this.pos < this.end && (byte === 0x65 || byte === 0x45)) {
      this.pos++;
      if (!this.literal('+')) this.literal('-');
      if (!this.#digits()) this.fail();
    }
    if (this.fault !== undefined) return '';
    return String.fromCharCode(...this.buf.subarray(start, Math.min(this.pos, start + 400)));
  }

  #digits(): boolean {
    const start = this.pos;
    while (this.pos < this.end && (this.buf[this.pos] ?? 0) >= 0x30 && (this.buf[this.pos] ?? 0) <= 0x39)
      this.pos++;
    return this.pos > start;
  }

  /** Passes over any value, at most {@link MAX_DEPTH} deep counted from `depth`. */
  skipValue(depth: number): void {
    const byte = this.peek();
    if (depth > MAX_DEPTH) this.fail('json_depth');
    else if (byte === QUOTE) this.#skipCheckedString();
    else if (byte === OPEN_BRACE) this.#skipMembers(depth, CLOSE_BRACE);
    else if (byte === OPEN_BRACKET) this.#skipMembers(depth, CLOSE_BRACKET);
    else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) this.#skipNumber();
    else if (!this.literal('true') && !this.literal('false') && !this.literal('null')) this.fail();
  }

  /** Numbers that are not finite are refused everywhere. */
  #skipNumber(): void {
    const text = this.number();
    if (text !== '' && !Number.isFinite(Number(text))) this.fail('json_value');
  }

  #skipCheckedString(): void {
    const start = this.pos + 1;
    if (this.skipString()) this.#checkEscapes(start, this.pos - 1);
  }

  #checkEscapes(start: number, end: number): void {
    for (let i = start; i < end; i++) {
      if (this.buf[i] !== BACKSLASH) continue;
      const letter = this.buf[++i] ?? 0;
      if (letter === 0x75) this.#hex4(i + 1, end);
      else if ((ESCAPES[letter] ?? 0) === 0) this.fail();
    }
  }

  #skipMembers(depth: number, close: number): void {
    this.pos++;
    if (this.take(close)) return;
    do {
      if (close === CLOSE_BRACE) {
        if (this.peek() !== QUOTE) this.fail();
        else this.#skipCheckedString();
        if (this.fault === undefined) this.expect(COLON);
      }
      if (this.fault !== undefined) return;
      this.skipValue(depth + 1);
      if (this.fault !== undefined) return;
    } while (this.take(COMMA));
    this.expect(close);
  }
}

function writeCodePoint(out: WireWriter, code: number): void {
  out.reserve(4);
  const { buf } = out;
  if (code < 0x80) buf[out.pos++] = code;
  else if (code < 0x800) {
    buf[out.pos++] = 0xc0 | (code >>> 6);
    buf[out.pos++] = 0x80 | (code & 63);
  } else if (code < 0x10000) {
    buf[out.pos++] = 0xe0 | (code >>> 12);
    buf[out.pos++] = 0x80 | ((code >>> 6) & 63);
    buf[out.pos++] = 0x80 | (code & 63);
  } else {
    buf[out.pos++] = 0xf0 | (code >>> 18);
    buf[out.pos++] = 0x80 | ((code >>> 12) & 63);
    buf[out.pos++] = 0x80 | ((code >>> 6) & 63);
    buf[out.pos++] = 0x80 | (code & 63);
  }
}
