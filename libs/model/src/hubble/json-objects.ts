import { WIRE_VARINT } from '../wire/wire-types.js';
import { WireWriter } from '../wire/wire-writer.js';
import { JsonMemo } from './json-memo.js';
import { JsonScalars } from './json-scalars.js';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  MAX_DEPTH,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  type JsonScanner,
} from './json-scanner.js';
import { MemberSpans } from './member-spans.js';
import { jsonMessage, REMEMBERED_FIELDS, type JsonField, type JsonMessage } from './json-schema.js';
import { instant, parseInstant } from './json-time.js';

/**
 * The number under which a JSON member that has no field, or whose value its field cannot hold, travels inside its
 * message: `name NUL value-text`. The highest number protobuf allows; it ends in the column `extra`.
 */
export const JSON_MEMBER = 536_870_911;

const FLOW = jsonMessage('flow.Flow');
/** Members of a JSON log record that may hold our line as text. */
const LOG_MEMBERS: readonly string[] = ['msg', 'message', 'log'];

/** Writes JSON objects as protobuf messages of the schema, and notes what the outermost one looks like. */
export class JsonObjects {
  /** Events of the outermost object, its members that belong to a flow, and its other members that are objects. */
  members = 0;
  flowKeys = 0;
  otherObjects = 0;
  /** Where the text of a log record's message starts; -1 when there is none. */
  logMember = -1;
  readonly #scalars: JsonScalars;
  readonly #spans = new MemberSpans();
  readonly #memos = REMEMBERED_FIELDS.map(() => new JsonMemo());
  /** Name of the member being read. */
  #keyStart = 0;
  #keyEnd = 0;

  constructor(
    private readonly scanner: JsonScanner,
    private readonly wire: WireWriter,
  ) {
    this.#scalars = new JsonScalars(scanner, wire);
  }

  /** Forgets the line before. */
  begin(): void {
    this.members = 0;
    this.flowKeys = 0;
    this.otherObjects = 0;
    this.logMember = -1;
  }

  /** Reads an object as `message`; `depth` 0 is the line itself. */
  readObject(message: JsonMessage, depth: number): void {
    const scanner = this.scanner;
    if (depth > MAX_DEPTH) scanner.fail('json_depth');
    if (!scanner.expect(OPEN_BRACE) || scanner.take(CLOSE_BRACE)) return;
    const object = this.#spans.begin(depth, message.fields.length);
    do {
      const keyStart = scanner.pos + 1;
      const expected = message.expected(scanner.view, scanner.buf, scanner.pos, scanner.end);
      if (expected === undefined) this.#anyMember(message, depth, object);
      else {
        scanner.pos += message.memberLength;
        const keyEnd = scanner.pos - 2;
        scanner.peek();
        this.#member(expected, depth, object, keyStart, keyEnd);
      }
      if (scanner.fault !== undefined) return;
    } while (scanner.take(COMMA));
    scanner.expect(CLOSE_BRACE);
  }

  #anyMember(message: JsonMessage, depth: number, object: number): void {
    const scanner = this.scanner;
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
    else this.#member(field, depth, object, keyStart, keyEnd);
  }

  #findEscaped(message: JsonMessage, keyStart: number): JsonField | undefined {
    const scanner = this.scanner;
    const after = scanner.pos;
    const key = new WireWriter(64);
    scanner.pos = keyStart - 1;
    scanner.string(key);
    scanner.pos = after;
    return message.find(new DataView(key.buf.buffer), key.buf, 0, key.pos);
  }

  #member(field: JsonField, depth: number, object: number, keyStart: number, keyEnd: number): void {
    const scanner = this.scanner;
    const before = this.wire.pos;
    const valueStart = scanner.pos;
    if (scanner.literal('null')) return;
    if (depth === 0 && field.field.oneof !== undefined) this.members++;
    this.#keyStart = keyStart;
    this.#keyEnd = keyEnd;
    const held = this.#field(field, depth);
    if (scanner.fault !== undefined) return;
    if (!held) {
      this.wire.pos = before;
      this.#aside(keyStart, keyEnd, valueStart, scanner.pos);
    }
    this.#spans.note(depth, object, field.index, this.wire, before);
  }

  /** Writes the value as a field, from memory where it can; false, without a fault, when the field cannot hold it. */
  #field(field: JsonField, depth: number): boolean {
    const { repeated } = field.field;
    if (!repeated && field.kind !== 'message') return this.#value(field, depth);
    const { scanner, wire } = this;
    const memo = field.remembered < 0 ? undefined : this.#memos[field.remembered];
    if (memo?.recall(scanner, wire) === true) return true;
    const [start, before] = [scanner.pos, wire.pos];
    const held = repeated ? this.#list(field, depth) : this.#value(field, depth);
    if (held && scanner.fault === undefined) memo?.remember(scanner, start, wire, before);
    return held;
  }

  #list(field: JsonField, depth: number): boolean {
    const scanner = this.scanner;
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
        return this.#scalars.string(number);
      case 'bool':
        return this.#scalars.bool(number);
      case 'integer':
        return this.#scalars.integer(field);
      case 'enum':
        return this.#scalars.enum(field);
      case 'timestamp':
        return this.#timestamp(field, depth);
      case 'wrapper':
        return this.#wrapper(field, depth);
      case 'message':
        return this.#message(field, depth);
      case 'unreadable':
        this.scanner.skipValue(depth + 1);
        return false;
    }
  }

  /** RFC 3339 text, or an object of seconds and nanos. A text that is no time is kept as an impossible one. */
  #timestamp(field: JsonField, depth: number): boolean {
    const scanner = this.scanner;
    if (scanner.peek() === OPEN_BRACE) return this.#message(field, depth);
    if (scanner.peek() !== QUOTE) return this.#scalars.wrongType();
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
    const scanner = this.scanner;
    const inner = field.message?.fields[0];
    if (scanner.peek() === OPEN_BRACE || inner === undefined) return this.#message(field, depth);
    const mark = this.wire.open(field.field.number);
    const held = this.#value(inner, depth);
    this.wire.close(mark);
    return held;
  }

  #message(field: JsonField, depth: number): boolean {
    if (this.scanner.peek() !== OPEN_BRACE || field.message === undefined) return this.#scalars.wrongType();
    const mark = this.wire.open(field.field.number);
    this.readObject(field.message, depth + 1);
    this.wire.close(mark);
    return true;
  }

  /** A member without a field: part of the flow that we do not know yet, or a sign of what the line is. */
  #unknown(depth: number, keyStart: number, keyEnd: number): void {
    const scanner = this.scanner;
    const valueStart = scanner.pos;
    const byte = scanner.peek();
    scanner.skipValue(depth + 1);
    if (scanner.fault !== undefined) return;
    if (depth > 0) {
      this.#aside(keyStart, keyEnd, valueStart, scanner.pos);
      return;
    }
    const { buf, view } = scanner;
    if (FLOW.find(view, buf, keyStart, keyEnd) !== undefined) this.flowKeys++;
    else if (byte === OPEN_BRACE) this.otherObjects++;
    else if (byte === QUOTE && isLogMember(buf, keyStart, keyEnd)) this.logMember = valueStart;
  }

  #aside(keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    const { wire } = this;
    const { buf } = this.scanner;
    const mark = wire.open(JSON_MEMBER);
    wire.copy(buf, keyStart, keyEnd);
    wire.reserve(1);
    wire.buf[wire.pos++] = 0;
    wire.copy(buf, valueStart, valueEnd);
    wire.close(mark);
  }
}

function isLogMember(bytes: Uint8Array, start: number, end: number): boolean {
  const key = String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 16)));
  return LOG_MEMBERS.includes(key);
}
