import { describe, expect, it } from 'vitest';
import protobuf from 'protobufjs';
import { FLOW_FIELDS } from '../fields.js';
import { FIELDS_WITHOUT_COLUMN } from '../fields-without-column.js';
import { loadHubbleProto } from '../testing/hubble-proto.js';
import { FLOW_VALUES } from '../testing/random-flow.js';
import { SCHEMA, SCHEMA_ENUMS, schemaMessage, type SchemaField } from './schema.js';

const { root } = loadHubbleProto();

/** Numbers of `flow.Flow` in hubble note 1.1, copied from there and not from the schema. */
// prettier-ignore
const FLOW_NUMBERS = [
  1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36,
  37, 38, 39, 40, 41, 21001, 21002, 21004, 21005, 21006, 21007, 100000, 150000,
];

/** Paths of field numbers to everything that is no message of ours, from `flow.Flow` down. */
function leaves(message: string, prefix = ''): string[] {
  return schemaMessage(message).fields.flatMap((field) => {
    const path = `${prefix}${field.number}`;
    const inner = field.message;
    if (inner === undefined || inner.startsWith('google.')) return [path];
    return [path, ...leaves(inner, `${path}.`)];
  });
}

/** Paths whose column holds the whole message: flags as bits, workloads as `Kind/name`, policies as bytes. */
const WHOLE = ['6.1.3', '8.6', '9.6', '21001', '21002', '21004', '21005'];

function isPath(pattern: string, path: string): boolean {
  const parts = path.split('.');
  const own = pattern.split('.');
  return own.length === parts.length && own.every((part, i) => part === '*' || part === parts[i]);
}

function hasColumn(path: string): boolean {
  const columns = FLOW_FIELDS.flatMap(({ numbers }) => numbers?.split(', ') ?? []);
  const whole = WHOLE.find((prefix) => path.startsWith(`${prefix}.`));
  return columns.some((pattern) => isPath(pattern, whole ?? path));
}

function hasReason(path: string): boolean {
  return FIELDS_WITHOUT_COLUMN.some(({ numbers }) => path === numbers || path.startsWith(`${numbers}.`));
}

describe('the schema', () => {
  it('is the one of proto/hubble, message for message and field for field', () => {
    for (const [name, message] of SCHEMA) {
      const type = root.lookupType(name);
      const fields = type.fieldsArray.map((field) => describeField(field));
      expect([name, fields.sort()]).toEqual([name, message.fields.map(describeOwn).sort()]);
    }
    const nested = root.nestedArray.flatMap((ns) => (ns instanceof protobuf.Namespace ? typesOf(ns) : []));
    expect(nested.filter((name) => !SCHEMA.has(name))).toEqual([]);
  });

  it('has the enums of proto/hubble, number for number', () => {
    for (const { name, names } of SCHEMA_ENUMS)
      expect([name, root.lookupEnum(name).valuesById]).toEqual([name, names]);
  });

  it('has exactly the numbers of flow.Flow that the note lists', () => {
    const numbers = schemaMessage('flow.Flow').fields.map(({ number }) => number);
    expect(numbers.sort((a, b) => a - b)).toEqual(FLOW_NUMBERS);
  });

  it('has a column or a stated reason for every field below flow.Flow', () => {
    const paths = leaves('flow.Flow');
    const isLeaf = (path: string) => !paths.some((other) => other.startsWith(`${path}.`));
    expect(paths.filter((path) => isLeaf(path) && !hasColumn(path) && !hasReason(path))).toEqual([]);
    for (const { reason } of FIELDS_WITHOUT_COLUMN) expect(reason.length).toBeGreaterThan(20);
  });

  it('has a test value for every number of flow.Flow', () => {
    const named = schemaMessage('flow.Flow').fields.map(({ number, name }) => [number, name]);
    const valued = Object.entries(FLOW_VALUES).map(([number, [name]]) => [Number(number), name]);
    expect(valued.sort()).toEqual(named.sort());
  });
});

function typesOf(namespace: protobuf.Namespace): string[] {
  return namespace.nestedArray.flatMap((each) =>
    each instanceof protobuf.Type && !each.fullName.startsWith('.google.') ? [each.fullName.slice(1)] : [],
  );
}

function describeField(field: protobuf.Field): string {
  const { resolvedType } = field.resolve();
  const type = resolvedType === null ? field.type : resolvedType.fullName.slice(1);
  return `${field.id} ${field.name} ${type}${field.repeated ? '*' : ''} ${field.partOf?.name ?? ''}`;
}

function describeOwn(field: SchemaField): string {
  const type = field.scalar ?? field.enumeration?.name ?? field.message ?? '';
  return `${field.number} ${field.name} ${type}${field.repeated ? '*' : ''} ${field.oneof ?? ''}`;
}
