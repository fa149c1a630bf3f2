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
  readonly numbers: ReadonlyMap<string, number> | undefined;
}

const ENCODER = new TextEncoder();
const WRAPPERS: readonly string[] = [
  'google.protobuf.BoolValue',
  'google.protobuf.Int32Value',
  'google.protobuf.UInt32Value',
];

/** A message of the schema with its fields findable by the bytes of their JSON names, snake_case and lowerCamel. */
export class JsonMessage {
  readonly fields: readonly JsonField[];
  readonly #keys = new ByteTable();
  readonly #byKey: (JsonField | undefined)[] = [undefined];

  constructor(fields: readonly SchemaField[]) {
    this.fields = fields.map((field, index) => ({
      field,
      index,
      kind: kindOf(field),
      numbers: field.enumeration && numbersOf(field.enumeration.names),
    }));
    for (const field of this.fields)
      for (const name of new Set([field.field.name, field.field.camelName])) {
        const key = ENCODER.encode(name);
        this.#byKey[this.#keys.id(new DataView(key.buffer), key, 0, key.length)] = field;
      }
  }

  /** The field whose JSON name is `bytes[start, end)`. */
  find(view: DataView, bytes: Uint8Array, start: number, end: number): JsonField | undefined {
    const id = this.#keys.id(view, bytes, start, end);
    if (!this.#keys.added) return this.#byKey[id];
    this.#keys.forgetLast();
    return undefined;
  }
}

/** All messages of the schema by full name. */
export const JSON_SCHEMA: ReadonlyMap<string, JsonMessage> = new Map(
  [...SCHEMA].map(([name, message]) => [name, new JsonMessage(message.fields)]),
);

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

function numbersOf(names: Readonly<Record<number, string>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(names).map(([number, name]) => [name, Number(number)]));
}
