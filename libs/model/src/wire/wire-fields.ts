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
    private readonly bytes: Uint8Array,
    start = 0,
    end = bytes.length,
  ) {
    const reader = this.#reader;
    reader.load(bytes, start, end);
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

  has(field: number): boolean {
    return this.#values.has(field);
  }

  get fields(): Iterable<number> {
    return this.#values.keys();
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

  texts(field: number): string[] {
    return this.#of(field, WIRE_BYTES).map(({ start, end }) => {
      if (!isUtf8(this.bytes, start, end)) this.#reader.fail('invalid_utf8');
      return DECODER.decode(this.bytes.subarray(start, end));
    });
  }

  /** A message; occurrences are merged by joining their bytes, as protobuf prescribes. Undefined when absent. */
  message(field: number): WireFields | undefined {
    const values = this.#of(field, WIRE_BYTES);
    if (values.length === 0) return undefined;
    const joined = Buffer.concat(values.map(({ start, end }) => this.bytes.subarray(start, end)));
    const fields = new WireFields(joined);
    if (fields.bad) this.#reader.fail(fields.reason);
    return fields;
  }

  #of(field: number, type: number): readonly Value[] {
    return (this.#values.get(field) ?? []).filter((value) => value.type === type);
  }
}
