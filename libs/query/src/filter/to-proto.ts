import {
  DROP_REASON,
  enumNumber,
  FILTER_FIELDS,
  IP_VERSION,
  TRAFFIC_DIRECTION,
  VERDICT,
  WireWriter,
  type EnumTable,
} from '@flowledger/model';
import { done, refuse, type Result } from '../result.js';

/** A `flow.FlowFilter` in protobuf JSON: proto names (lowerCamelCase is taken, too), lists of values. */
export type FilterJson = Readonly<Record<string, unknown>>;

const ENUMS: Readonly<Record<string, EnumTable>> = {
  verdict: VERDICT,
  drop_reason_desc: DROP_REASON,
  traffic_direction: TRAFFIC_DIRECTION,
  ip_version: IP_VERSION,
};
/** Members of the nested messages by name (hubble note 1.2). */
const MEMBERS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  source_workload: { name: 1, kind: 2 },
  destination_workload: { name: 1, kind: 2 },
  interface: { index: 1, name: 2 },
  http_header: { key: 1, value: 2 },
  event_type: { type: 1, match_sub_type: 2, sub_type: 3 },
  tcp_flags: { FIN: 1, SYN: 2, RST: 3, PSH: 4, ACK: 5, URG: 6, ECE: 7, CWR: 8, NS: 9 },
  experimental: { cel_expression: 1 },
};
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ...FILTER_FIELDS.flatMap(({ name, number }) =>
    number === null || number.includes('.') ? [] : [[snake(name), Number(number)] as const],
  ),
  ['experimental', 999] as const,
]);
const MAX_UINT64 = (1n << 64n) - 1n;

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What is wrong: the path below the filter, and a sentence. */
interface Bad {
  readonly at: string;
  readonly hint: string;
}

/**
 * The bytes of a `flow.FlowFilter` that stands as JSON (or YAML): what clients send and what configuration files of
 * Hubble hold. Refuses with BAD_FILTER and the field what the message does not have; whether the values make sense is
 * for the compilers to say.
 */
export function flowFilterToProto(filter: FilterJson, path = ''): Result<Uint8Array> {
  const out = new WireWriter(128);
  for (const [name, values] of Object.entries(filter)) {
    const field = snake(name);
    const number = NUMBERS.get(field);
    const bad =
      number === undefined
        ? { at: field, hint: 'FlowFilter has no such field' }
        : encodeField(out, field, number, values);
    if (bad !== undefined) return refuse('BAD_FILTER', path === '' ? bad.at : `${path}.${bad.at}`, bad.hint);
  }
  return done(out.finish());
}

function encodeField(out: WireWriter, field: string, number: number, values: unknown): Bad | undefined {
  for (const value of Array.isArray(values) ? (values as unknown[]) : [values]) {
    const bad =
      MEMBERS[field] === undefined
        ? encodeValue(out, field, number, value)
        : encodeMembers(out, field, number, value);
    if (bad !== undefined) return bad;
  }
  return undefined;
}

function encodeValue(out: WireWriter, field: string, number: number, value: unknown): Bad | undefined {
  const table = ENUMS[field];
  if (table !== undefined) {
    const known = typeof value === 'number' ? value : enumNumber(table, String(value));
    if (known === undefined) return { at: field, hint: `no ${String(value)} in ${table.name}` };
    out.uint32Field(number, known);
  } else if (field === 'ip_trace_id') {
    const id = /^\d{1,20}$/.test(String(value)) ? BigInt(String(value)) : MAX_UINT64 + 1n;
    if (id > MAX_UINT64) return { at: field, hint: 'a whole number of 64 bits' };
    out.uint64Field(number, id);
  } else return encodeScalar(out, field, number, value);
  return undefined;
}

function encodeScalar(out: WireWriter, at: string, number: number, value: unknown): Bad | undefined {
  if (typeof value === 'string') out.stringField(number, value);
  else if (typeof value === 'boolean') out.uint32Field(number, Number(value));
  else if (typeof value === 'number' && Number.isInteger(value)) out.uint32Field(number, value);
  else return { at, hint: 'a text, a whole number, true or false' };
  return undefined;
}

function encodeMembers(out: WireWriter, field: string, number: number, value: unknown): Bad | undefined {
  if (typeof value !== 'object' || value === null) return { at: field, hint: 'an object' };
  const mark = out.open(number);
  for (const [name, part] of Object.entries(value)) {
    const at = `${field}.${name}`;
    const member = MEMBERS[field]?.[name] ?? MEMBERS[field]?.[snake(name)];
    if (member === undefined) return { at, hint: 'no such member' };
    for (const one of Array.isArray(part) ? (part as unknown[]) : [part]) {
      const bad = encodeScalar(out, at, member, one);
      if (bad !== undefined) return bad;
    }
  }
  out.close(mark);
  return undefined;
}
