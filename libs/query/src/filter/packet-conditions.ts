import { DROP_REASON, enumNumber, IP_VERSION, TRAFFIC_DIRECTION, VERDICT } from '@flowledger/model';
import type { EnumTable } from '@flowledger/model';
import { allOf, anyOf, ELSEWHERE, refused, sql } from './condition.js';
import type { Condition } from './condition.js';
import type { FilterSide } from './filter-columns.js';
import type { ListCompiler, FilterScope } from './filter-scope.js';
import { TCP_FLAGS } from './flow-filter.js';
import type { EventTypeValue, InterfaceValue, TcpFlagsValue } from './flow-filter.js';
import { parseNameGlob } from './name-glob.js';

/** Bit of `tcp_flags` that says a flags message was present. */
const FLAGS_PRESENT = 1 << 9;
const L4 = { tcp: 1, udp: 2, icmpv4: 3, icmpv6: 4, sctp: 5, vrrp: 6, igmp: 7 } as const;
const L7: Readonly<Record<string, number>> = { dns: 1, http: 2, kafka: 3 };
const PORTED = [L4.tcp, L4.udp, L4.sctp].join(', ');

function own(
  scope: FilterScope,
  columns: readonly string[],
  make: (...names: string[]) => Condition,
): Condition {
  const names = columns.map((column) => scope.columns.own(column));
  return names.every((name) => name !== undefined) ? make(...names) : ELSEWHERE;
}

function numbers(values: readonly string[], table: EnumTable, unknown?: string): number[] | undefined {
  const known = values.filter((value) => value !== unknown).map((value) => enumNumber(table, value));
  return known.every((number) => number !== undefined) ? known : undefined;
}

/** Verdict numbers; `UNRECOGNIZED` = any number without a name. */
export const verdict: ListCompiler<string> = (values, scope) =>
  own(scope, ['verdict'], (column) => {
    const wanted = numbers(values, VERDICT, 'UNRECOGNIZED');
    if (wanted === undefined) return refused(`a verdict: ${Object.values(VERDICT.names).join(', ')}`);
    const parts = wanted.length > 0 ? [sql(`${column} IN ${scope.binder.bind('Array(Int16)', wanted)}`)] : [];
    const unknown = values.includes('UNRECOGNIZED') ? [sql(`${column} NOT BETWEEN 0 AND 7`)] : [];
    return anyOf([...parts, ...unknown]);
  });

/**
 * Drop reasons by name or number. Of records Hubble also wants the verdict DROPPED; of calls, drops and audited verdicts
 * count, which is all that the drops rollup holds, so there the reason alone decides.
 */
export const dropReasonDesc: ListCompiler<string> = (values, scope) => {
  const wanted = values.map((value) =>
    /^\d{1,4}$/.test(value) ? Number(value) : enumNumber(DROP_REASON, value),
  );
  if (!wanted.every((number) => number !== undefined))
    return refused('a name or number of a Cilium drop reason');
  const reason = own(scope, ['drop_reason'], (column) =>
    sql(`${column} IN ${scope.binder.bind('Array(Int16)', wanted)}`),
  );
  if (!scope.columns.raw) return reason;
  return scope.columns.calls
    ? allOf([sql('is_drop OR verdict IN (2, 4)'), reason])
    : allOf([sql('verdict = 2'), reason]);
};

/** Traffic direction; the API says UNKNOWN for 0. */
export const trafficDirection: ListCompiler<string> = (values, scope) =>
  own(scope, ['traffic_direction'], (column) => {
    const named = values.map((value) => (value === 'UNKNOWN' ? 'TRAFFIC_DIRECTION_UNKNOWN' : value));
    const wanted = numbers(named, TRAFFIC_DIRECTION);
    if (wanted === undefined) return refused('UNKNOWN, INGRESS or EGRESS');
    return sql(`${column} IN ${scope.binder.bind('Array(Int16)', wanted)}`);
  });

/** IP family. */
export const ipVersion: ListCompiler<string> = (values, scope) =>
  own(scope, ['ip_version'], (column) => {
    const wanted = numbers(values, IP_VERSION);
    if (wanted === undefined) return refused('IP_NOT_USED, IPv4 or IPv6');
    return sql(`${column} IN ${scope.binder.bind('Array(Int16)', wanted)}`);
  });

/** Encrypted on the wire; a flow that does not know counts as not encrypted. */
export const encrypted: ListCompiler<boolean> = (values, scope) =>
  own(scope, ['encrypted'], (column) => anyOf(values.map((value) => sql(`${column} = ${value ? 1 : 0}`))));

/** Reply; absent counts as false for dropped flows only (cilium/cilium#13796). */
export const reply: ListCompiler<boolean> = (values, scope) =>
  own(scope, ['is_reply', 'verdict'], (isReply, verdictColumn) =>
    anyOf(
      values.map((value) =>
        value ? sql(`${isReply} = 2`) : sql(`${isReply} = 1 OR (${isReply} = 0 AND ${verdictColumn} = 2)`),
      ),
    ),
  );

/** Event type and sub type; 0 = any type, absent never matches. */
export const eventType: ListCompiler<EventTypeValue> = (values, scope) =>
  own(scope, ['event_type', 'event_sub_type'], (type, subType) =>
    anyOf(
      values.map((value) =>
        allOf([
          value.type === 0
            ? sql(`${type} != -1`)
            : sql(`${type} = ${scope.binder.bind('Int32', value.type)}`),
          ...(typeof value.subType === 'number'
            ? [sql(`${subType} = ${scope.binder.bind('Int32', value.subType)}`)]
            : []),
        ]),
      ),
    ),
  );

function flagMask(value: TcpFlagsValue): number {
  return TCP_FLAGS.reduce(
    (mask, flag, bit) => (value[flag] === true ? mask | (1 << bit) : mask),
    FLAGS_PRESENT,
  );
}

/** Every flag of an entry is set; more may be set; flows without a flags message never match. */
export const tcpFlags: ListCompiler<TcpFlagsValue> = (values, scope) =>
  own(scope, ['tcp_flags'], (column) =>
    anyOf(
      values.map((value) => {
        const mask = scope.binder.bind('UInt16', flagMask(value));
        return sql(`bitAnd(${column}, ${mask}) = ${mask}`);
      }),
    ),
  );

function protocolNumbers(name: string): readonly number[] | undefined {
  if (name === 'icmp') return [L4.icmpv4, L4.icmpv6];
  return Object.entries(L4).flatMap(([known, number]) => (known === name ? [number] : []));
}

/** Layer-4 protocols, and dns, http, kafka by the L7 body. `tcp` matches HTTP records too: they have ports. */
export const protocol: ListCompiler<string> = (values, scope) =>
  anyOf(
    values.map((value) => {
      const name = value.toLowerCase();
      const kind = L7[name];
      if (kind !== undefined) return own(scope, ['l7_kind'], (column) => sql(`${column} = ${kind}`));
      const l4 = protocolNumbers(name) ?? [];
      if (l4.length === 0)
        return refused('icmp, icmpv4, icmpv6, tcp, udp, sctp, vrrp, igmp, dns, http, kafka');
      return own(scope, ['l4_protocol'], (column) => sql(`${column} IN (${l4.join(', ')})`));
    }),
  );

/** Ports of one side; in calls the destination port is the port of the server. */
export function ports(side: FilterSide): ListCompiler<string> {
  return (values, scope) => {
    if (!values.every((value) => /^\d{1,5}$/.test(value) && Number(value) <= 65_535))
      return refused('a decimal port from 0 to 65535');
    const wanted = () => scope.binder.bind('Array(UInt16)', values.map(Number));
    if (scope.columns.calls && side === 'destination')
      return own(scope, ['server_port'], (column) => sql(`${column} IN ${wanted()}`));
    const column = scope.columns.endpoint(side, 'port');
    if (column === undefined) return ELSEWHERE;
    return own(scope, ['l4_protocol'], (l4) => sql(`${column} IN ${wanted()} AND ${l4} IN (${PORTED})`));
  };
}

/** Index and name of an interface; flows without one never match. */
export const networkInterface: ListCompiler<InterfaceValue> = (values, scope) =>
  own(scope, ['interface_index', 'interface_name'], (index, name) =>
    anyOf(
      values.map((value) => {
        const parts: Condition[] = [];
        if (typeof value.index === 'number' && value.index > 0)
          parts.push(sql(`${index} = ${scope.binder.bind('UInt32', value.index)}`));
        if (typeof value.name === 'string' && value.name !== '')
          parts.push(sql(`${name} = ${scope.binder.bind('String', value.name)}`));
        return parts.length > 0 ? allOf(parts) : sql(`${index} != 0 OR ${name} != ''`);
      }),
    ),
  );

function nodeElement(pattern: string, column: string, scope: FilterScope): Condition {
  if (pattern === '') return sql('true');
  const glob = parseNameGlob(pattern);
  if (glob === undefined) return refused('`cluster/node`; letters, digits and - _ . * in each part');
  return 'exact' in glob
    ? sql(`${column} = ${scope.binder.bind('String', glob.exact)}`)
    : sql(`match(${column}, ${scope.binder.bind('String', glob.regex)})`);
}

/** Globs of `cluster/node`; no slash = any cluster, an empty part = any. */
export const nodeName: ListCompiler<string> = (values, scope) =>
  own(scope, ['cluster', 'node'], (cluster, node) =>
    anyOf(
      values.map((value) => {
        const parts = value.split('/');
        const [first = '', second] = parts;
        if (value === '' || parts.length > 2) return refused('`node` or `cluster/node`');
        return second === undefined
          ? nodeElement(first, node, scope)
          : allOf([nodeElement(first, cluster, scope), nodeElement(second, node, scope)]);
      }),
    ),
  );

/** Uuid of the event. */
export const uuid: ListCompiler<string> = (values, scope) =>
  own(scope, ['uuid'], (column) => {
    if (!values.every((value) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)))
      return refused('a UUID such as 43eea867-dd4b-4e5e-b2b8-fe80e0f51b06');
    return sql(`${column} IN ${scope.binder.bind('Array(UUID)', [...values])}`);
  });

/** Trace id of the W3C header; empty = no trace. */
export const traceId: ListCompiler<string> = (values, scope) =>
  own(scope, ['trace_id'], (column) =>
    sql(`${column} IN ${scope.binder.bind('Array(String)', [...values])}`),
  );

/** Trace id of the IP option. */
export const ipTraceId: ListCompiler<string | bigint> = (values, scope) =>
  own(scope, ['ip_trace_id'], (column) => {
    const texts = values.map(String);
    if (!texts.every((value) => /^\d{1,20}$/.test(value) && BigInt(value) < 1n << 64n))
      return refused('a decimal number below 2^64');
    return sql(`${column} IN ${scope.binder.bind('Array(UInt64)', texts.map(BigInt))}`);
  });
