import type { SimulatedEvent } from '../simulated-event.js';
import { ENUMS } from './enums.js';
import { MESSAGES, type FieldKind, type FieldShape } from './schema.js';

type Json = string | number | boolean | JsonObject | Json[];
interface JsonObject {
  [name: string]: Json;
}

const decoder = new TextDecoder();
const VARINT = 0;

/**
 * An event as a line of an export file, without its line feed: protobuf JSON with proto names, 64-bit numbers as text,
 * enums as names, zero values left out (hubble note 2.6). Events that are no flows carry the bare node name there.
 */
export function toJsonLine(event: SimulatedEvent): string {
  const json = readMessage(event.bytes, 'ExportEvent');
  if (event.kind !== 'flow') json['node_name'] = event.node.slice(event.node.indexOf('/') + 1);
  return JSON.stringify(json);
}

/** Reads a message that the simulator wrote. Throws RangeError on a field that {@link MESSAGES} does not have. */
function readMessage(bytes: Uint8Array, name: string): JsonObject {
  const shape = MESSAGES[name];
  if (shape === undefined) throw new RangeError(`no message ${name}`);
  const json: JsonObject = {};
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const tag = Number(readVarint(bytes, cursor));
    const field = shape.get(tag >>> 3);
    if (field === undefined) throw new RangeError(`${name} has no field ${tag >>> 3}`);
    if ((tag & 7) === VARINT) put(json, field, scalar(field.kind, readVarint(bytes, cursor)));
    else {
      const length = Number(readVarint(bytes, cursor));
      put(json, field, compound(field.kind, bytes.subarray(cursor.at, cursor.at + length)));
      cursor.at += length;
    }
  }
  return json;
}

function put(json: JsonObject, field: FieldShape, value: Json): void {
  if (!field.repeated) {
    json[field.name] = value;
    return;
  }
  const list = json[field.name];
  if (Array.isArray(list)) list.push(value);
  else json[field.name] = [value];
}

function scalar(kind: FieldKind, value: bigint): Json {
  if (kind === 'uint64') return value.toString();
  if (kind === 'bool') return value !== 0n;
  if (typeof kind === 'object' && 'enumeration' in kind)
    return ENUMS[kind.enumeration]?.[Number(value)] ?? Number(value);
  return Number(value);
}

function compound(kind: FieldKind, bytes: Uint8Array): Json {
  if (kind === 'string') return decoder.decode(bytes);
  if (kind === 'time') return timeText(bytes);
  if (kind === 'bool-value') return wrapped(bytes) !== 0n;
  if (kind === 'number-value') return Number(wrapped(bytes));
  if (typeof kind === 'object' && 'message' in kind) return readMessage(bytes, kind.message);
  throw new RangeError('a scalar field holds bytes');
}

/** Value of a wrapper message; 0 when it is empty. */
function wrapped(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : readVarint(bytes, { at: 1 });
}

/** RFC 3339 in UTC with 0, 3, 6 or 9 digits of a second, as protobuf JSON wants it. */
function timeText(bytes: Uint8Array): string {
  const cursor = { at: 0 };
  let seconds = 0n;
  let nanos = 0;
  while (cursor.at < bytes.length) {
    const number = Number(readVarint(bytes, cursor)) >>> 3;
    if (number === 1) seconds = readVarint(bytes, cursor);
    else nanos = Number(readVarint(bytes, cursor));
  }
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  if (nanos === 0) return `${whole}Z`;
  const digits = nanos.toString().padStart(9, '0');
  const short = digits.endsWith('000000')
    ? digits.slice(0, 3)
    : digits.endsWith('000')
      ? digits.slice(0, 6)
      : digits;
  return `${whole}.${short}Z`;
}

function readVarint(bytes: Uint8Array, cursor: { at: number }): bigint {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw new RangeError('a number ends early');
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return value;
  }
}
