import type { RejectReason } from '../outcome.js';
import { isUtf8 } from '../utf8.js';
import { WIRE_VARINT } from '../wire/wire-types.js';
import { WireWriter } from '../wire/wire-writer.js';
import { integer, parseInteger } from './json-integer.js';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  JsonScanner,
  MAX_DEPTH,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './json-scanner.js';
import { JSON_SCHEMA, type JsonField, type JsonMessage } from './json-schema.js';
import { instant, parseInstant } from './json-time.js';
import { unwrapLogLine } from './log-line.js';

/**
 * The number under which a JSON member that has no field, or whose value its field cannot hold, travels inside its
 * message: `name NUL value-text`. The highest number protobuf allows; it ends in the column `extra`.
 */
export const JSON_MEMBER = 536_870_911;

const EXPORT_EVENT = messageOf('observer.ExportEvent');
const FLOW = messageOf('flow.Flow');
/** Members of a JSON log record that may hold our line as text. */
const LOG_MEMBERS: readonly string[] = ['msg', 'message', 'log'];

/** Why a line is no event: a dead letter's reason, an event kind we do not keep, or nothing on the line at all. */
export type LineRefusal = RejectReason | 'unsupported_kind' | 'blank';

/**
 * Turns one export line, in any shape of hubble note 2.6, into the wire form of `observer.ExportEvent`, so that JSON
 * and protobuf go through one decoder. After {@link transcode} the message is `wire.buf[0, wire.pos)`.
 */
export class JsonTranscoder {
  readonly wire = new WireWriter(4096);
  readonly #scanner = new JsonScanner();
  readonly #inner = new WireWriter();
  readonly #spans: Int32Array[] = [];
  /** What the outermost object showed. */
  #members = 0;
  #flowKeys = 0;
  #otherObjects = 0;
  #logMember = -1;
  /** Name of the member being read. */
  #keyStart = 0;
  #keyEnd = 0;

  /** Undefined when the line is an event. */
  transcode(line: Uint8Array, start: number, end: number): LineRefusal | undefined {
    let from = start;
    let to = end;
    if (line[from] === 0xef && line[from + 1] === 0xbb && line[from + 2] === 0xbf) from += 3;
    while (from < to && isSpace(line[from])) from++;
    while (to > from && isSpace(line[to - 1])) to--;
    if (from >= to) return 'blank';
    if (!isUtf8(line, from, to)) return 'invalid_utf8';
    if (line[from] === OPEN_BRACE) return this.#object(line, from, to, true);
    this.#inner.reset();
    if (unwrapLogLine(line, from, to, this.#inner)) return this.#unwrapped();
    return this.#noObject(line, from, to);
  }

  /** A value that is no object holds no event; a text that is no value is no JSON. */
  #noObject(line: Uint8Array, from: number, to: number): RejectReason {
    const scanner = this.#scanner;
    scanner.load(line, from, to);
    scanner.skipValue(1);
    return scanner.fault ?? (scanner.peek() === -1 ? 'schema' : 'json_trailing');
  }

  #unwrapped(): LineRefusal | undefined {
    const text = this.#inner.finish();
    if (!isUtf8(text, 0, text.length)) return 'invalid_utf8';
    return this.#object(text, 0, text.length, false);
  }

  #object(line: Uint8Array, from: number, to: number, mayWrap: boolean): LineRefusal | undefined {
    const scanner = this.#scanner;
    scanner.load(line, from, to);
    this.wire.reset();
    this.#members = 0;
    this.#flowKeys = 0;
    this.#otherObjects = 0;
    this.#logMember = -1;
    this.#readObject(EXPORT_EVENT, 0);
    if (scanner.fault !== undefined) return scanner.fault;
    if (scanner.peek() !== -1) return 'json_trailing';
    if (this.#members > 0) return undefined;
    if (this.#flowKeys > 0) return this.#bareFlow(line, from, to);
    if (this.#logMember >= 0 && mayWrap) return this.#logRecord(line, this.#logMember, to);
    return this.#otherObjects > 0 ? 'unsupported_kind' : 'schema';
  }

  /** `hubble observe` up to 0.10 printed the flow itself, without an envelope. */
  #bareFlow(line: Uint8Array, from: number, to: number): RejectReason | undefined {
    const scanner = this.#scanner;
    scanner.load(line, from, to);
    this.wire.reset();
    const mark = this.wire.open(1);
    this.#readObject(FLOW, 1);
    this.wire.close(mark);
    return scanner.fault;
  }

  /** A log record in JSON whose message is our line. */
  #logRecord(line: Uint8Array, at: number, to: number): LineRefusal | undefined {
    this.#inner.reset();
    this.#scanner.load(line, at, to);
    this.#scanner.string(this.#inner);
    return this.#scanner.fault ?? this.#unwrapped();
  }

  /** Reads an object as `message`; `depth` 0 is the line itself. */
  #readObject(message: JsonMessage, depth: number): void {
    const scanner = this.#scanner;
    if (depth > MAX_DEPTH) scanner.fail('json_depth');
    if (!scanner.expect(OPEN_BRACE) || scanner.take(CLOSE_BRACE)) return;
    const spans = this.#spansAt(depth, message.fields.length);
    do {
      if (scanner.peek() !== QUOTE) scanner.fail();
      const keyStart = scanner.pos + 1;
      const escaped = scanner.skipString();
      const keyEnd = scanner.pos - 1;
      if (scanner.fault !== undefined || !scanner.expect(COLON)) return;
      const field = escaped
        ? this.#findEscaped(message, keyStart)
        : message.find(scanner.view, scanner.buf, keyStart, keyEnd);
      scanner.peek();
      if (field === undefined) this.#unknown(depth, keyStart, keyEnd);
      else this.#member(field, depth, spans, keyStart, keyEnd);
      if (scanner.fault !== undefined) return;
    } while (scanner.take(COMMA));
    scanner.expect(CLOSE_BRACE);
  }

  /** Where each field of the object at `depth` was written: start and end, -1 for not yet. */
  #spansAt(depth: number, fields: number): Int32Array {
    let spans = this.#spans[depth];
    if (spans === undefined || spans.length < fields * 2)
      this.#spans[depth] = spans = new Int32Array(Math.max(fields * 2, 100));
    return spans.fill(-1);
  }

  #findEscaped(message: JsonMessage, keyStart: number): JsonField | undefined {
    const scanner = this.#scanner;
    const after = scanner.pos;
    const key = new WireWriter(64);
    scanner.pos = keyStart - 1;
    scanner.string(key);
    scanner.pos = after;
    return message.find(new DataView(key.buf.buffer), key.buf, 0, key.pos);
  }

  #member(field: JsonField, depth: number, spans: Int32Array, keyStart: number, keyEnd: number): void {
    const scanner = this.#scanner;
    const before = this.wire.pos;
    const valueStart = scanner.pos;
    if (scanner.literal('null')) return;
    if (depth === 0 && field.field.oneof !== undefined) this.#members++;
    this.#keyStart = keyStart;
    this.#keyEnd = keyEnd;
    const held = field.field.repeated ? this.#list(field, depth) : this.#value(field, depth);
    if (scanner.fault !== undefined) return;
    if (!held) {
      this.wire.pos = before;
      this.#aside(keyStart, keyEnd, valueStart, scanner.pos);
    }
    const at = field.index * 2;
    const earlier = spans[at] ?? -1;
    let removed = 0;
    if (earlier >= 0) removed = this.#forget(spans, earlier, spans[at + 1] ?? earlier);
    spans[at] = before - removed;
    spans[at + 1] = this.wire.pos;
  }

  /** The last of two members with one name counts: cuts the first one out again. */
  #forget(spans: Int32Array, start: number, end: number): number {
    this.wire.remove(start, end);
    for (let i = 0; i < spans.length; i++)
      if ((spans[i] ?? 0) >= end) spans[i] = (spans[i] ?? 0) - (end - start);
    return end - start;
  }

  #list(field: JsonField, depth: number): boolean {
    const scanner = this.#scanner;
    if (!scanner.take(OPEN_BRACKET)) return scanner.fail('json_value');
    if (scanner.take(CLOSE_BRACKET)) return true;
    let held = true;
    do {
      scanner.peek();
      held = this.#value(field, depth) && held;
      if (scanner.fault !== undefined) return false;
    } while (scanner.take(COMMA));
    return scanner.expect(CLOSE_BRACKET) && held;
  }

  /** Writes one value as a field; false, without a fault, when the field cannot hold it. */
  #value(field: JsonField, depth: number): boolean {
    const { number } = field.field;
    switch (field.kind) {
      case 'string':
        return this.#string(number);
      case 'bool':
        return this.#bool(number);
      case 'integer':
        return this.#integer(field);
      case 'enum':
        return this.#enum(field);
      case 'timestamp':
        return this.#timestamp(field, depth);
      case 'wrapper':
        return this.#wrapper(field, depth);
      case 'message':
        return this.#message(field, depth);
      case 'unreadable':
        this.#scanner.skipValue(depth + 1);
        return false;
    }
  }

  #string(number: number): boolean {
    const scanner = this.#scanner;
    if (scanner.peek() !== QUOTE) return this.#wrongType();
    const mark = this.wire.open(number);
    scanner.string(this.wire);
    this.wire.close(mark);
    return true;
  }

  /** Says whether the value is of another type, or no value at all. */
  #wrongType(): boolean {
    this.#scanner.skipValue(1);
    return this.#scanner.fail('json_value');
  }

  #bool(number: number): boolean {
    const scanner = this.#scanner;
    const yes = scanner.literal('true');
    if (!yes && !scanner.literal('false')) return this.#wrongType();
    this.wire.uint32Field(number, yes ? 1 : 0);
    return true;
  }

  #integer(field: JsonField): boolean {
    const { number, scalar } = field.field;
    const small = this.#smallInteger();
    if (small >= 0) {
      this.wire.uint32Field(number, small);
      return true;
    }
    const text = this.#numberText();
    if (text === undefined) return false;
    const result = parseInteger(text, scalar ?? 'int32');
    if (result === 'not_integer') return this.#scanner.fail('json_value');
    if (result === 'out_of_range') return false;
    this.wire.tag(number, WIRE_VARINT);
    this.wire.varint64(integer.lo, integer.hi);
    return true;
  }

  /** Up to nine plain digits, which every integer type holds; -1 when something else comes. */
  #smallInteger(): number {
    const scanner = this.#scanner;
    const { buf, end } = scanner;
    let i = scanner.pos;
    let value = 0;
    while (i < end && i - scanner.pos < 10) {
      const digit = (buf[i] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      i++;
    }
    const length = i - scanner.pos;
    const next = buf[i];
    const plain = next === COMMA || next === CLOSE_BRACE || next === CLOSE_BRACKET;
    if (length === 0 || length > 9 || !plain || (length > 1 && buf[scanner.pos] === 0x30)) return -1;
    scanner.pos = i;
    return value;
  }

  /** Text of a number, or of a string that holds one. */
  #numberText(): string | undefined {
    const scanner = this.#scanner;
    const byte = scanner.peek();
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return scanner.number();
    if (byte === QUOTE) return this.#plainText();
    this.#wrongType();
    return undefined;
  }

  /** A short string value as JavaScript text. */
  #plainText(): string {
    const text = new WireWriter(64);
    this.#scanner.string(text);
    return new TextDecoder().decode(text.buf.subarray(0, text.pos));
  }

  #enum(field: JsonField): boolean {
    const scanner = this.#scanner;
    let number: number | undefined;
    if (scanner.peek() === QUOTE) {
      const start = scanner.pos + 1;
      const escaped = scanner.skipString();
      // A name that we do not know is of a newer Hubble: the flow is kept, the name goes to `extra`.
      if (!escaped && scanner.fault === undefined) number = this.#nameAt(field, start, scanner.pos - 1);
    } else {
      const text = this.#numberText();
      if (text === undefined) return false;
      if (parseInteger(text, 'int32') === 'ok') number = integer.lo | 0;
    }
    if (number === undefined) return false;
    this.wire.tag(field.field.number, WIRE_VARINT);
    this.wire.int32(number);
    return true;
  }

  #nameAt(field: JsonField, start: number, end: number): number | undefined {
    const name = String.fromCharCode(...this.#scanner.buf.subarray(start, Math.min(end, start + 100)));
    return field.numbers?.get(name);
  }

  /** RFC 3339 text, or an object of seconds and nanos. A text that is no time is kept as an impossible one. */
  #timestamp(field: JsonField, depth: number): boolean {
    const scanner = this.#scanner;
    if (scanner.peek() === OPEN_BRACE) return this.#message(field, depth);
    if (scanner.peek() !== QUOTE) return this.#wrongType();
    const start = scanner.pos + 1;
    scanner.skipString();
    if (scanner.fault !== undefined) return false;
    const known = parseInstant(scanner.buf, start, scanner.pos - 1);
    const mark = this.wire.open(field.field.number);
    if (known) {
      this.wire.tag(1, WIRE_VARINT);
      this.wire.varint64(instant.secondsLo, instant.secondsHi);
    }
    this.wire.tag(2, WIRE_VARINT);
    this.wire.int32(known ? instant.nanos : -1);
    this.wire.close(mark);
    if (!known) this.#aside(this.#keyStart, this.#keyEnd, start - 1, scanner.pos);
    return true;
  }

  /** A wrapper is its bare value; `{"value":…}` is accepted too. */
  #wrapper(field: JsonField, depth: number): boolean {
    const scanner = this.#scanner;
    const inner = messageOf(field.field.message ?? '').fields[0];
    if (scanner.peek() === OPEN_BRACE || inner === undefined) return this.#message(field, depth);
    const mark = this.wire.open(field.field.number);
    const held = this.#value(inner, depth);
    this.wire.close(mark);
    return held;
  }

  #message(field: JsonField, depth: number): boolean {
    if (this.#scanner.peek() !== OPEN_BRACE) return this.#wrongType();
    const mark = this.wire.open(field.field.number);
    this.#readObject(messageOf(field.field.message ?? ''), depth + 1);
    this.wire.close(mark);
    return true;
  }

  /** A member without a field: part of the flow that we do not know yet, or a sign of what the line is. */
  #unknown(depth: number, keyStart: number, keyEnd: number): void {
    const scanner = this.#scanner;
    const valueStart = scanner.pos;
    const byte = scanner.peek();
    scanner.skipValue(depth + 1);
    if (scanner.fault !== undefined) return;
    if (depth > 0) {
      this.#aside(keyStart, keyEnd, valueStart, scanner.pos);
      return;
    }
    const { buf, view } = scanner;
    if (FLOW.find(view, buf, keyStart, keyEnd) !== undefined) this.#flowKeys++;
    else if (byte === OPEN_BRACE) this.#otherObjects++;
    else if (byte === QUOTE && isLogMember(buf, keyStart, keyEnd)) this.#logMember = valueStart;
  }

  #aside(keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    const { wire } = this;
    const { buf } = this.#scanner;
    const mark = wire.open(JSON_MEMBER);
    wire.copy(buf, keyStart, keyEnd);
    wire.reserve(1);
    wire.buf[wire.pos++] = 0;
    wire.copy(buf, valueStart, valueEnd);
    wire.close(mark);
  }
}

function messageOf(name: string): JsonMessage {
  const message = JSON_SCHEMA.get(name);
  if (message === undefined) throw new RangeError(`no message ${name} in the schema`);
  return message;
}

function isLogMember(bytes: Uint8Array, start: number, end: number): boolean {
  const key = String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 16)));
  return LOG_MEMBERS.includes(key);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
