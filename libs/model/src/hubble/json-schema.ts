import { ByteTable } from '../batch/byte-table.js';
import { SCHEMA, type SchemaField } from './schema.js';

/** How a JSON value becomes a field. */
export type JsonKind =
  'string' | 'bool' | 'integer' | 'enum' | 'timestamp' | 'wrapper' | 'message' | 'unreadable';

/** A field of {@link JsonMessage}. */
export interface JsonField {
  readonly field: SchemaField;
  /** Position in its message. */
  readonly index: number;
  readonly kind: JsonKind;
  /** Enum numbers by name. */
  readonly numbers: EnumNumbers | undefined;
  /** What a message or wrapper field holds. */
  readonly message: JsonMessage | undefined;
  /** Place among the fields whose values are mostly ones met before; -1 for the others. */
  readonly remembered: number;
}

/** Fields of a flow whose values are mostly ones met before. */
export const REMEMBERED_FIELDS: readonly string[] = ['source', 'destination', 'node_labels', 'emitter'];

/** Numbers of an enum by the bytes of their names. */
export class EnumNumbers {
  readonly #names = new ByteTable();
  readonly #numbers: number[] = [];

  constructor(names: Readonly<Record<number, string>>) {
    for (const [number, name] of Object.entries(names))
      this.#numbers[idOf(this.#names, name)] = Number(number);
  }

  /** The number whose name is `bytes[start, end)`. */
  find(view: DataView, bytes: Uint8Array, start: number, end: number): number | undefined {
    const id = this.#names.find(view, bytes, start, end);
    return id < 0 ? undefined : this.#numbers[id];
  }
}

function idOf(table: ByteTable, text: string): number {
  const bytes = ENCODER.encode(text);
  return table.id(new DataView(bytes.buffer), bytes, 0, bytes.length);
}

const ENCODER = new TextEncoder();
const WRAPPERS: readonly string[] = [
  'google.protobuf.BoolValue',
  'google.protobuf.Int32Value',
  'google.protobuf.UInt32Value',
];

/** A message of the schema with its fields findable by the bytes of their JSON names, snake_case and lowerCamel. */
export class JsonMessage {
  readonly fields: JsonField[] = [];
  readonly #keys = new ByteTable();
  /** The same ids by the key as it is written: in quotes, with its colon. */
  readonly #members = new ByteTable();
  readonly #byKey: (JsonField | undefined)[] = [undefined];
  /** The key that came last, and which one came behind each: senders write their members in one order. */
  #last = 0;
  readonly #behind = new Uint16Array(256);

  /** Takes its fields from the schema; apart from the constructor, because messages name each other. */
  define(name: string, fields: readonly SchemaField[], messages: ReadonlyMap<string, JsonMessage>): void {
    for (const [index, field] of fields.entries()) {
      const numbers = field.enumeration && new EnumNumbers(field.enumeration.names);
      const message = field.message === undefined ? undefined : messages.get(field.message);
      const remembered = name === 'flow.Flow' ? REMEMBERED_FIELDS.indexOf(field.name) : -1;
      const json: JsonField = { field, index, kind: kindOf(field), numbers, message, remembered };
      this.fields.push(json);
      for (const key of new Set([field.name, field.camelName])) {
        const id = idOf(this.#keys, key);
        this.#byKey[id] = json;
        idOf(this.#members, `"${key}":`);
      }
    }
  }

  /**
   * The field of the member at `bytes[start, …)` when it is the one that came behind the last one before and is written
   * without white space; the value then starts {@link memberLength} bytes on. One comparison instead of reading the key.
   */
  expected(view: DataView, bytes: Uint8Array, start: number, end: number): JsonField | undefined {
    const guess = this.#behind[this.#last] ?? 0;
    const to = start + this.#members.lengthOf(guess);
    if (guess === 0 || to > end || !this.#members.is(guess, view, bytes, start, to)) return undefined;
    this.#last = guess;
    return this.#byKey[guess];
  }

  /** Bytes of the key found last by {@link expected}, with quotes and colon. */
  get memberLength(): number {
    return this.#members.lengthOf(this.#last);
  }

  /** The field whose JSON name is `bytes[start, end)`. */
  find(view: DataView, bytes: Uint8Array, start: number, end: number): JsonField | undefined {
    const guess = this.#behind[this.#last] ?? 0;
    if (this.#keys.is(guess, view, bytes, start, end)) {
      this.#last = guess;
      return this.#byKey[guess];
    }
    const id = this.#keys.find(view, bytes, start, end);
    if (id < 0) return undefined;
    this.#behind[this.#last] = id;
    this.#last = id;
    return this.#byKey[id];
  }
}

/** All messages of the schema by full name. */
export const JSON_SCHEMA: ReadonlyMap<string, JsonMessage> = new Map(
  [...SCHEMA.keys()].map((name) => [name, new JsonMessage()]),
);
for (const [name, { fields }] of SCHEMA) JSON_SCHEMA.get(name)?.define(name, fields, JSON_SCHEMA);

/** A message of {@link JSON_SCHEMA}. Throws for a name it lacks: that is a mistake in our code. */
export function jsonMessage(name: string): JsonMessage {
  const message = JSON_SCHEMA.get(name);
  if (message === undefined) throw new RangeError(`no message ${name} in the schema`);
  return message;
}

function kindOf(field: SchemaField): JsonKind {
  if (field.enumeration !== undefined) return 'enum';
  if (field.scalar === 'string' || field.scalar === 'bool') return field.scalar;
  if (field.scalar === 'bytes') return 'unreadable';
  if (field.scalar !== undefined) return 'integer';
  if (field.message === 'google.protobuf.Timestamp') return 'timestamp';
  // An Any needs the type registry of whoever sent it.
  if (field.message === 'google.protobuf.Any') return 'unreadable';
  return WRAPPERS.includes(field.message ?? '') ? 'wrapper' : 'message';
}
