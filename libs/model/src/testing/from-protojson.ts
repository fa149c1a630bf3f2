import protobuf from 'protobufjs';

type Plain = Record<string, unknown>;

/**
 * A protobuf-JSON object as protobufjs' `fromObject` takes it: the slow and plain way, by reflection, to compare our
 * transcoder with. Knows times, wrappers, both spellings of names; leaves out what the schema does not have.
 */
export function fromProtoJson(type: protobuf.Type, json: Plain): Plain {
  const object: Plain = {};
  for (const field of type.fieldsArray) {
    const value = json[field.name] ?? json[protobuf.util.camelCase(field.name)];
    if (value === undefined || value === null) continue;
    object[field.name] = Array.isArray(value) ? value.map((item) => one(field, item)) : one(field, value);
  }
  return object;
}

function one(field: protobuf.Field, value: unknown): unknown {
  const type = field.resolve().resolvedType;
  if (!(type instanceof protobuf.Type)) return scalar(field, value);
  if (type.name === 'Timestamp') return timestamp(String(value));
  if (/^(Bool|UInt32|Int32)Value$/.test(type.name)) return { value };
  return fromProtoJson(type, value as Plain);
}

function scalar(field: protobuf.Field, value: unknown): unknown {
  return field.type.endsWith('64') ? BigInt(value as string | number) : value;
}

function timestamp(text: string): Plain {
  const [, whole = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(text) ?? [];
  return { seconds: BigInt(Date.parse(`${whole}Z`) / 1000), nanos: Number(fraction.padEnd(9, '0')) };
}
