import { WIRE_VARINT } from '../wire/wire-types.js';
import { WireWriter } from '../wire/wire-writer.js';
import { integer, parseInteger } from './json-integer.js';
import { CLOSE_BRACE, CLOSE_BRACKET, COMMA, QUOTE, type JsonScanner } from './json-scanner.js';
import type { JsonField } from './json-schema.js';

const TWO_32 = 0x1_0000_0000;

/**
 * Writes scalar JSON values as protobuf fields. Each method reads the value at the scanner and returns whether its
 * field could hold it; false without a fault means that it could not, and that the flow goes on without it.
 */
export class JsonScalars {
  constructor(
    private readonly scanner: JsonScanner,
    private readonly wire: WireWriter,
  ) {}

  /** Text as a string field. */
  string(number: number): boolean {
    const scanner = this.scanner;
    if (scanner.peek() !== QUOTE) return this.wrongType();
    const mark = this.wire.open(number);
    scanner.string(this.wire);
    this.wire.close(mark);
    return true;
  }

  /** Says whether the value is of another type, or no value at all. */
  wrongType(): boolean {
    this.scanner.skipValue(1);
    return this.scanner.fail('json_value');
  }

  /** `true` or `false` as a bool field. */
  bool(number: number): boolean {
    const scanner = this.scanner;
    const yes = scanner.literal('true');
    if (!yes && !scanner.literal('false')) return this.wrongType();
    this.wire.uint32Field(number, yes ? 1 : 0);
    return true;
  }

  /** A number, or a text that holds one, as a field of an integer type. */
  integer(field: JsonField): boolean {
    const { number, scalar } = field.field;
    const plain = this.#plainDigits(scalar === 'int64' || scalar === 'uint64' ? 15 : 9);
    if (plain >= 0) {
      this.wire.tag(number, WIRE_VARINT);
      if (plain < TWO_32) this.wire.uint32(plain);
      else this.wire.varint64(plain % TWO_32, Math.floor(plain / TWO_32));
      return true;
    }
    const text = this.#numberText();
    if (text === undefined) return false;
    const result = parseInteger(text, scalar ?? 'int32');
    if (result === 'not_integer') return this.scanner.fail('json_value');
    if (result === 'out_of_range') return false;
    this.wire.tag(number, WIRE_VARINT);
    this.wire.varint64(integer.lo, integer.hi);
    return true;
  }

  /**
   * At most so many plain digits, also between quotes, as protobuf's JSON has 64-bit numbers; -1 when something else
   * comes. Nine digits are held by every integer type, fifteen by a JavaScript number.
   */
  #plainDigits(most: number): number {
    const scanner = this.scanner;
    const { buf, end } = scanner;
    const quoted = buf[scanner.pos] === QUOTE;
    const start = quoted ? scanner.pos + 1 : scanner.pos;
    let i = start;
    let value = 0;
    while (i < end && i - start <= most) {
      const digit = (buf[i] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      i++;
    }
    const length = i - start;
    const next = i < end ? buf[i] : undefined;
    const ends = quoted ? next === QUOTE : next === COMMA || next === CLOSE_BRACE || next === CLOSE_BRACKET;
    if (length === 0 || length > most || !ends || (length > 1 && buf[start] === 0x30)) return -1;
    scanner.pos = quoted ? i + 1 : i;
    return value;
  }

  /** Text of a number, or of a string that holds one. */
  #numberText(): string | undefined {
    const scanner = this.scanner;
    const byte = scanner.peek();
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return scanner.number();
    if (byte === QUOTE) return this.#plainText();
    this.wrongType();
    return undefined;
  }

  /** A short string value as JavaScript text. */
  #plainText(): string {
    const text = new WireWriter(64);
    this.scanner.string(text);
    return new TextDecoder().decode(text.buf.subarray(0, text.pos));
  }

  /** An enum by name or by number. */
  enum(field: JsonField): boolean {
    const scanner = this.scanner;
    let number: number | undefined;
    if (scanner.peek() === QUOTE) {
      const start = scanner.pos + 1;
      const escaped = scanner.skipString();
      // A name that we do not know is of a newer Hubble: the flow is kept, the name goes to `extra`.
      if (!escaped && scanner.fault === undefined)
        number = field.numbers?.find(scanner.view, scanner.buf, start, scanner.pos - 1);
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
}
