import { isUtf8 } from '../utf8.js';
import { WireReader } from './wire-reader.js';
import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from './wire-types.js';

const DECODER = new TextDecoder();

interface Value {
  readonly type: number;
  readonly number: bigint;
  readonly start: number;
  readonly end: number;
}

/**
 * One message as a map from field number to values: the comfortable reader for what is rare (everything that is not a
 * flow). Absent fields read as protobuf's defaults. `bad` says that the bytes, or a string asked for, are malformed.
 */
export class WireFields {
  readonly #values = new Map<number, Value[]>();
  readonly #reader = new WireReader();

  constructor(
    private readonly source: Uint8Array,
    start = 0,
    end = source.length,
  ) {
    const reader = this.#reader;
    reader.load(source, start, end);
    while (reader.pos < end) this.#read(reader.uint32());
  }

  get bad(): boolean {
    return this.#reader.bad;
  }

  get reason(): WireReader['reason'] {
    return this.#reader.reason;
  }

  #read(tag: number): void {
    const reader = this.#reader;
    const type = tag & 7;
    let start = reader.pos;
    if (type === WIRE_VARINT) reader.varint64();
    else if (type === WIRE_FIXED64) reader.fixed64();
    else if (type === WIRE_BYTES) {
      const end = reader.lengthEnd();
      start = reader.pos;
      reader.pos = end;
    } else reader.skip(tag);
    if (tag >>> 3 === 0) reader.fail();
    const number = (BigInt(reader.hi) << 32n) | BigInt(reader.lo);
    const values = this.#values.get(tag >>> 3) ?? [];
    values.push({ type, number, start, end: reader.pos });
    this.#values.set(tag >>> 3, values);
  }

  /** Marks the message as malformed, for what a caller found inside it. */
  fail(reason: WireReader['reason']): void {
    this.#reader.fail(reason);
  }

  has(field: number): boolean {
    return this.#values.has(field);
  }

  /** Where the last value of a field ends: of a oneof's members the one furthest behind counts. -1 when absent. */
  lastPosition(field: number): number {
    return this.#values.get(field)?.at(-1)?.end ?? -1;
  }

  /** A varint of up to 64 bits, unsigned. */
  uint64(field: number): bigint {
    return this.#of(field, WIRE_VARINT).at(-1)?.number ?? 0n;
  }

  int32(field: number): number {
    return Number(BigInt.asIntN(32, this.uint64(field)));
  }

  text(field: number): string {
    return this.texts(field).at(-1) ?? '';
  }

  /** All varints of a field, unsigned. */
  uint64s(field: number): bigint[] {
    return this.#of(field, WIRE_VARINT).map(({ number }) => number);
  }

  bytes(field: number): Uint8Array {
    const value = this.#of(field, WIRE_BYTES).at(-1);
    return value === undefined ? new Uint8Array(0) : this.source.subarray(value.start, value.end);
  }

  /** Each occurrence of a repeated field of bytes, or of messages that stay encoded. */
  bytesList(field: number): Uint8Array[] {
    return this.#of(field, WIRE_BYTES).map(({ start, end }) => this.source.subarray(start, end));
  }

  /** Each occurrence of a repeated message. */
  messages(field: number): WireFields[] {
    return this.#of(field, WIRE_BYTES).map(({ start, end }) => this.#inner(this.source.subarray(start, end)));
  }

  texts(field: number): string[] {
    return this.#of(field, WIRE_BYTES).map(({ start, end }) => {
      if (!isUtf8(this.source, start, end)) this.#reader.fail('invalid_utf8');
      return DECODER.decode(this.source.subarray(start, end));
    });
  }

  /** A message; occurrences are merged by joining their bytes, as protobuf prescribes. Undefined when absent. */
  message(field: number): WireFields | undefined {
    const values = this.#of(field, WIRE_BYTES);
    if (values.length === 0) return undefined;
    return this.#inner(Buffer.concat(values.map(({ start, end }) => this.source.subarray(start, end))));
  }

  #inner(bytes: Uint8Array): WireFields {
    const fields = new WireFields(bytes);
    if (fields.bad) this.#reader.fail(fields.reason);
    return fields;
  }

  #of(field: number, type: number): readonly Value[] {
    return (this.#values.get(field) ?? []).filter((value) => value.type === type);
  }
}
