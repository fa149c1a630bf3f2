import { WIRE_BYTES, WIRE_VARINT, WireReader } from '@flowledger/model';

/** One field of a message as it stands on the wire. */
export interface WireValue {
  readonly field: number;
  readonly wireType: number;
  /** The varint; 0 for other wire types. */
  readonly number: bigint;
  /** The body of a length-delimited field; empty for other wire types. */
  readonly bytes: Uint8Array;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

function number64(reader: WireReader): bigint {
  return (BigInt(reader.hi) << 32n) | BigInt(reader.lo);
}

/** The fields of a message in order; undefined when the bytes are malformed. */
export function wireValues(bytes: Uint8Array): readonly WireValue[] | undefined {
  const reader = new WireReader();
  reader.load(bytes, 0, bytes.length);
  const values: WireValue[] = [];
  while (reader.pos < bytes.length) {
    const tag = reader.uint32();
    const [field, wireType] = [tag >>> 3, tag & 7];
    let number = 0n;
    let body = NO_BYTES;
    if (wireType === WIRE_VARINT) {
      reader.varint64();
      number = number64(reader);
    } else if (wireType === WIRE_BYTES) {
      const end = reader.lengthEnd();
      body = bytes.subarray(reader.pos, end);
      reader.pos = end;
    } else reader.skip(tag);
    if (field === 0) reader.fail();
    values.push({ field, wireType, number, bytes: body });
  }
  return reader.bad ? undefined : values;
}

/** Numbers of a repeated scalar, packed or not; undefined for another wire type or malformed bytes. */
export function wireNumbers(value: WireValue): readonly bigint[] | undefined {
  if (value.wireType === WIRE_VARINT) return [value.number];
  if (value.wireType !== WIRE_BYTES) return undefined;
  const reader = new WireReader();
  reader.load(value.bytes, 0, value.bytes.length);
  const numbers: bigint[] = [];
  while (reader.pos < value.bytes.length) {
    reader.varint64();
    numbers.push(number64(reader));
  }
  return reader.bad ? undefined : numbers;
}

const STRICT = new TextDecoder('utf-8', { fatal: true });

/** Text of a string field; undefined for another wire type or text that is no UTF-8. */
export function wireText(value: WireValue): string | undefined {
  if (value.wireType !== WIRE_BYTES) return undefined;
  try {
    return STRICT.decode(value.bytes);
  } catch {
    return undefined;
  }
}
