import { enumName, FILTER_FIELDS, IP_VERSION, TRAFFIC_DIRECTION, VERDICT } from '@flowledger/model';
import type { EnumTable, FilterFieldSpec } from '@flowledger/model';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { TCP_FLAGS } from './flow-filter.js';
import type { FlowFilter, FlowFilters } from './flow-filter.js';
import { wireNumbers, wireText, wireValues } from './wire-values.js';
import type { WireValue } from './wire-values.js';

/** Values of one occurrence of a field; a text says why it cannot be read. */
type Read = readonly unknown[] | string;
type Reader = (value: WireValue) => Read;

const MALFORMED = 'the bytes do not decode as this field';

function numbersAs(convert: (number: bigint) => unknown): Reader {
  return (value) => wireNumbers(value)?.map(convert) ?? MALFORMED;
}

function enumOf(table: EnumTable): Reader {
  return numbersAs((number) => enumName(table, Number(BigInt.asIntN(32, number))));
}

const text: Reader = (value) => {
  const found = wireText(value);
  return found === undefined ? MALFORMED : [found];
};

const bool = numbersAs((number) => number !== 0n);
const int32 = numbersAs((number) => Number(BigInt.asIntN(32, number)));
const uint32 = numbersAs((number) => Number(BigInt.asUintN(32, number)));

/** Members of a nested message by field number. */
type Members = Readonly<Record<number, readonly [name: string, read: Reader]>>;

/** A nested message as an object; members that are absent stay absent, unknown ones refuse. */
function messageOf(members: Members, finish: (found: Readonly<Record<string, unknown>>) => unknown): Reader {
  return (value) => {
    const parts = value.wireType === 2 ? wireValues(value.bytes) : undefined;
    if (parts === undefined) return MALFORMED;
    const found: Record<string, unknown> = {};
    for (const part of parts) {
      const member = members[part.field];
      if (member === undefined) return `field ${part.field} inside it is not known here`;
      const read = member[1](part);
      if (typeof read === 'string') return read;
      found[member[0]] = read.at(-1);
    }
    return [finish(found)];
  };
}

const FLAG_MEMBERS: Members = Object.fromEntries(
  TCP_FLAGS.map((flag, index): [number, [string, Reader]] => [index + 1, [flag, bool]]),
);

/** Readers by the GraphQL type of the field table; the nested messages are those of hubble note 1.2 and section 3. */
const READERS: Readonly<Record<string, Reader>> = {
  '[String!]': text,
  '[Boolean!]': bool,
  '[Int!]': uint32,
  '[UInt64!]': numbersAs(String),
  '[Verdict!]': enumOf(VERDICT),
  '[IpVersion!]': enumOf(IP_VERSION),
  '[TrafficDirection!]': enumOf(TRAFFIC_DIRECTION),
  '[WorkloadInput!]': messageOf({ 1: ['name', text], 2: ['kind', text] }, (found) => found),
  '[InterfaceInput!]': messageOf({ 1: ['index', uint32], 2: ['name', text] }, (found) => found),
  '[HeaderInput!]': messageOf({ 1: ['key', text], 2: ['value', text] }, ({ key, value }) => ({
    key: key ?? '',
    value: value ?? '',
  })),
  '[TcpFlagsInput!]': messageOf(FLAG_MEMBERS, (found) => found),
  '[EventTypeInput!]': messageOf(
    { 1: ['type', int32], 2: ['matchSubType', bool], 3: ['subType', int32] },
    ({ type, matchSubType, subType }) =>
      matchSubType === true ? { type: type ?? 0, subType: subType ?? 0 } : { type: type ?? 0 },
  ),
};

const EXPERIMENTAL = 999;
const CEL_EXPRESSION = 1;

/** Drop reasons are declared as text here, since they are many and open; on the wire they are an enum. */
function readerOf(spec: FilterFieldSpec): Reader | undefined {
  return spec.name === 'dropReasonDesc' ? numbersAs(String) : READERS[spec.input];
}

const FIELDS: ReadonlyMap<number, { readonly name: string; readonly read: Reader }> = new Map(
  FILTER_FIELDS.flatMap((spec) => {
    const read = readerOf(spec);
    const plain = spec.number !== null && !spec.number.includes('.');
    return plain && read !== undefined ? [[Number(spec.number), { name: spec.name, read }] as const] : [];
  }),
);

function celOf(value: WireValue): Read {
  const parts = value.wireType === 2 ? wireValues(value.bytes) : undefined;
  if (parts === undefined) return MALFORMED;
  const texts: unknown[] = [];
  for (const part of parts) {
    if (part.field !== CEL_EXPRESSION) return `field ${part.field} inside it is not known here`;
    const read = text(part);
    if (typeof read === 'string') return read;
    texts.push(...read);
  }
  return texts;
}

/**
 * An encoded `flow.FlowFilter` as the filter that the compilers take. The field table of the model says which numbers
 * there are, so a field of a newer Hubble is refused with its number (BAD_FILTER), never ignored; enum numbers become
 * names. Values are not judged here: `compilePredicate` and the planners do that.
 */
export function flowFilterFromProto(bytes: Uint8Array, path = 'filter'): Result<FlowFilter> {
  const values = wireValues(bytes);
  if (values === undefined) return refuse('BAD_FILTER', path, 'bytes of a flow.FlowFilter');
  const lists: Record<string, unknown[]> = {};
  for (const value of values) {
    const field =
      value.field === EXPERIMENTAL ? { name: 'celExpression', read: celOf } : FIELDS.get(value.field);
    if (field === undefined)
      return refuse(
        'BAD_FILTER',
        `${path}.${value.field}`,
        `FlowFilter has no field ${value.field} here; the client may be newer than this server`,
      );
    const read = field.read(value);
    if (typeof read === 'string') return refuse('BAD_FILTER', `${path}.${field.name}`, read);
    (lists[field.name] ??= []).push(...read);
  }
  return done(lists);
}

function listFromProto(list: readonly Uint8Array[], path: string): Result<readonly FlowFilter[]> {
  const filters: FlowFilter[] = [];
  for (const [index, bytes] of list.entries()) {
    const filter = flowFilterFromProto(bytes, `${path}[${index}]`);
    if (!filter.ok) return filter;
    filters.push(filter.value);
  }
  return done(filters);
}

/**
 * The lists of a `GetFlowsRequest` (`whitelist` 6, `blacklist` 5), each entry an encoded FlowFilter. Refusals name the
 * paths `filters.allow[0]…` and `filters.deny[0]…`, as the compilers do.
 */
export function flowFiltersFromProto(
  whitelist: readonly Uint8Array[],
  blacklist: readonly Uint8Array[],
): Result<FlowFilters> {
  const allow = listFromProto(whitelist, 'filters.allow');
  if (!allow.ok) return allow;
  const deny = listFromProto(blacklist, 'filters.deny');
  return deny.ok ? done({ allow: allow.value, deny: deny.value }) : deny;
}
