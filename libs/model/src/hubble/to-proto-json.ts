import { accept, reject, type Outcome } from '../outcome.js';
import { WireFields } from '../wire/wire-fields.js';
import { schemaMessage, type SchemaField } from './schema.js';

/** JSON values with their members in the order of the schema. */
type Json = string | number | boolean | readonly Json[] | { readonly [name: string]: Json };

const TIMESTAMP = 'google.protobuf.Timestamp';
const ANY = 'google.protobuf.Any';
const WRAPPERS: readonly string[] = [
  'google.protobuf.BoolValue',
  'google.protobuf.Int32Value',
  'google.protobuf.UInt32Value',
];
const YEAR_1_S = -62_135_596_800n;
const YEAR_10000_S = 253_402_300_800n;

/**
 * Protobuf JSON of an encoded message, in the form of Hubble's export files (hubble note 2.6): proto names, enums by
 * name, 64-bit numbers as text, nothing that is zero. `messageName` is one of the schema's, for example
 * `observer.ExportEvent`. Unknown fields are left out, and so is the content of an Any, whose type only its sender
 * knows. Rejects `wire` and `invalid_utf8`.
 */
export function toProtoJson(messageName: string, bytes: Uint8Array): Outcome<string> {
  const fields = new WireFields(bytes);
  if (fields.bad) return reject(fields.reason);
  const json = messageJson(messageName, fields);
  return fields.bad ? reject(fields.reason) : accept(JSON.stringify(json));
}

function messageJson(name: string, fields: WireFields): Json {
  if (name === TIMESTAMP) return timestampText(fields);
  if (name === ANY)
    return { '@type': fields.text(1), value: Buffer.from(fields.bytes(2)).toString('base64') };
  const message = schemaMessage(name);
  const members = message.fields
    .filter((field) => isChosen(field, message.fields, fields))
    .map((field) => [field.name, fieldJson(field, fields)] as const)
    .filter(([, value]) => value !== undefined);
  const object = Object.fromEntries(members) as { readonly [name: string]: Json };
  return WRAPPERS.includes(name) ? (object['value'] ?? (name.includes('Bool') ? false : 0)) : object;
}

/** Of a oneof's members only the last one sent counts. */
function isChosen(field: SchemaField, all: readonly SchemaField[], fields: WireFields): boolean {
  if (!fields.has(field.number)) return false;
  if (field.oneof === undefined) return true;
  const own = fields.lastPosition(field.number);
  return all.every((other) => other.oneof !== field.oneof || fields.lastPosition(other.number) <= own);
}

/** Undefined for a zero value, which is not written. */
function fieldJson(field: SchemaField, fields: WireFields): Json | undefined {
  const { number, message } = field;
  if (message !== undefined) {
    if (field.repeated) return fields.messages(number).map((each) => checked(each, fields, message));
    const one = fields.message(number);
    return one === undefined ? undefined : checked(one, fields, message);
  }
  if (field.scalar === 'string') {
    const texts = fields.texts(number);
    return field.repeated ? texts : texts.at(-1) || undefined;
  }
  const value = scalarJson(field, fields.uint64(number));
  return value === 0 || value === '0' || value === false ? undefined : value;
}

/** JSON of an inner message; its fault is the outer one's. */
function checked(inner: WireFields, outer: WireFields, message: string): Json {
  const json = messageJson(message, inner);
  if (inner.bad) outer.fail(inner.reason);
  return json;
}

function scalarJson(field: SchemaField, value: bigint): Json {
  const int32 = Number(BigInt.asIntN(32, value));
  if (field.enumeration !== undefined) return int32 === 0 ? 0 : (field.enumeration.names[int32] ?? int32);
  switch (field.scalar) {
    case 'bool':
      return value !== 0n;
    case 'uint32':
      return Number(BigInt.asUintN(32, value));
    case 'int64':
      return String(BigInt.asIntN(64, value));
    case 'uint64':
      return String(value);
    default:
      return int32;
  }
}

/** RFC 3339 with 0, 3, 6 or 9 digits; seconds and nanos where no year holds the time. */
function timestampText(fields: WireFields): Json {
  const seconds = BigInt.asIntN(64, fields.uint64(1));
  const nanos = fields.int32(2);
  if (seconds < YEAR_1_S || seconds >= YEAR_10000_S || nanos < 0 || nanos > 999_999_999)
    return { seconds: String(seconds), nanos };
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const digits = String(nanos)
    .padStart(9, '0')
    .replace(/(?:000)+$/, '');
  return `${whole}${digits === '' ? '' : `.${digits}`}Z`;
}
