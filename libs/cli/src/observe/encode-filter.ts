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
import { AppError } from '@flowledger/platform';
import type { FilterJson } from './filter-words.js';

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

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `flow.FlowFilter` of a filter in JSON. Throws INVALID_ARGUMENT naming the field for what the message does not have. */
export function encodeFilter(filter: FilterJson): Uint8Array {
  const out = new WireWriter(128);
  for (const [field, values] of Object.entries(filter)) {
    const number = NUMBERS.get(field);
    if (number === undefined) throw bad(field, 'FlowFilter has no such field');
    for (const value of Array.isArray(values) ? values : [values]) encodeValue(out, field, number, value);
  }
  return out.finish();
}

function encodeValue(out: WireWriter, field: string, number: number, value: unknown): void {
  const members = MEMBERS[field];
  const table = ENUMS[field];
  if (members !== undefined) encodeMembers(out, field, number, value);
  else if (table !== undefined) {
    const known = enumNumber(table, String(value));
    if (known === undefined) throw bad(field, `no ${String(value)} in ${table.name}`);
    out.uint32Field(number, known);
  } else if (field === 'ip_trace_id') out.uint64Field(number, BigInt(String(value)));
  else if (typeof value === 'boolean') out.uint32Field(number, Number(value));
  else if (typeof value === 'number') out.uint32Field(number, value);
  else out.stringField(number, String(value));
}

function encodeMembers(out: WireWriter, field: string, number: number, value: unknown): void {
  const mark = out.open(number);
  for (const [name, part] of Object.entries(value as Record<string, unknown>)) {
    const member = MEMBERS[field]?.[name];
    if (member === undefined) throw bad(`${field}.${name}`, 'no such member');
    for (const one of Array.isArray(part) ? part : [part]) {
      if (typeof one === 'string') out.stringField(member, one);
      else out.uint32Field(member, Number(one));
    }
  }
  out.close(mark);
}

function bad(field: string, hint: string): AppError {
  return new AppError('INVALID_ARGUMENT', `${field}: ${hint}`, { retry: false });
}
