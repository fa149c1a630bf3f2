import { DROP_REASON, enumNumber, IP_VERSION, TRAFFIC_DIRECTION, VERDICT } from '@flowledger/model';
import type { EnumTable } from '@flowledger/model';
import { allOf, sql } from './condition.js';
import type { FilterSide } from './filter-columns.js';
import type { FieldParser } from './filter-scope.js';
import { TCP_FLAGS } from './flow-filter.js';
import type { EventTypeValue, InterfaceValue, TcpFlagsValue } from './flow-filter.js';
import { all, any, EVERY_FLOW, opposite, refused } from './flow-test.js';
import type { FlowTest, ParsedField } from './flow-test.js';
import { leaf, numberIn, textFits, textIn, textPresent } from './leaf-tests.js';
import { parseNameGlob } from './name-glob.js';
import { OWN, side as sideSubjects } from './subjects.js';
import type { Subject } from './subjects.js';

/** Bit of `tcp_flags` that says a flags message was present. */
const FLAGS_PRESENT = 1 << 9;
const L4 = { tcp: 1, udp: 2, icmpv4: 3, icmpv6: 4, sctp: 5, vrrp: 6, igmp: 7 } as const;
const L7: Readonly<Record<string, number>> = { dns: 1, http: 2, kafka: 3 };
const PORTED = numberIn(OWN.l4Protocol, [L4.tcp, L4.udp, L4.sctp]);
const DROPPED = numberIn(OWN.verdict, [2]);

function numbers(values: readonly string[], table: EnumTable, unknown?: string): number[] | undefined {
  const known = values.filter((value) => value !== unknown).map((value) => enumNumber(table, value));
  return known.every((number) => number !== undefined) ? known : undefined;
}

const UNNAMED_VERDICT = leaf(
  OWN.verdict,
  (column) => `${column} NOT BETWEEN 0 AND 7`,
  (value) => value < 0 || value > 7,
);

/** Verdict numbers; `UNRECOGNIZED` = any number without a name. */
export const verdict: FieldParser<string> = (values) => {
  const wanted = numbers(values, VERDICT, 'UNRECOGNIZED');
  if (wanted === undefined) return refused(`a verdict: ${Object.values(VERDICT.names).join(', ')}`);
  const named = wanted.length > 0 ? [numberIn(OWN.verdict, wanted)] : [];
  return any([...named, ...(values.includes('UNRECOGNIZED') ? [UNNAMED_VERDICT] : [])]);
};

/**
 * Drop reasons by name or number. Of records Hubble also wants the verdict DROPPED; of calls, drops and audited verdicts
 * count, which is all that the drops rollup holds, so there the reason alone decides.
 */
export const dropReasonDesc: FieldParser<string> = (values) => {
  const wanted = values.map((value) =>
    /^\d{1,4}$/.test(value) ? Number(value) : enumNumber(DROP_REASON, value),
  );
  if (!wanted.every((number) => number !== undefined))
    return refused('a name or number of a Cilium drop reason');
  const reason = numberIn(OWN.dropReason, wanted);
  return {
    condition: (scope) => {
      const known = reason.condition(scope);
      if (!scope.columns.raw) return known;
      const dropped = scope.columns.calls ? sql('is_drop OR verdict IN (2, 4)') : DROPPED.condition(scope);
      return allOf([dropped, known]);
    },
    matches: (flow) => DROPPED.matches(flow) && reason.matches(flow),
  };
};

/** Traffic direction; the API says UNKNOWN for 0. */
export const trafficDirection: FieldParser<string> = (values) => {
  const named = values.map((value) => (value === 'UNKNOWN' ? 'TRAFFIC_DIRECTION_UNKNOWN' : value));
  const wanted = numbers(named, TRAFFIC_DIRECTION);
  return wanted === undefined
    ? refused('UNKNOWN, INGRESS or EGRESS')
    : numberIn(OWN.trafficDirection, wanted);
};

/** IP family. */
export const ipVersion: FieldParser<string> = (values) => {
  const wanted = numbers(values, IP_VERSION);
  return wanted === undefined ? refused('IP_NOT_USED, IPv4 or IPv6') : numberIn(OWN.ipVersion, wanted);
};

/** Encrypted on the wire; a flow that does not know counts as not encrypted. */
export const encrypted: FieldParser<boolean> = (values) =>
  numberIn(
    OWN.encrypted,
    values.map((value) => (value ? 1 : 0)),
  );

/** Reply; absent counts as false for dropped flows only (cilium/cilium#13796). */
export const reply: FieldParser<boolean> = (values) => {
  const [absent, no, yes] = [0, 1, 2].map((state) => numberIn(OWN.isReply, [state]));
  if (absent === undefined || no === undefined || yes === undefined) return EVERY_FLOW;
  const notReply = any([no, all([absent, DROPPED])]);
  return any(values.map((value) => (value ? yes : notReply)));
};

const ANY_EVENT = opposite(numberIn(OWN.eventType, [-1]));

function fitsInt32(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 31;
}

/** Event type and sub type; 0 = any type, absent never matches. */
export const eventType: FieldParser<EventTypeValue> = (values) =>
  any(
    values.map(({ type, subType }) => {
      if (!fitsInt32(type) || !fitsInt32(subType ?? 0)) return refused('numbers of 32 bits');
      const ofType = type === 0 ? ANY_EVENT : numberIn(OWN.eventType, [type]);
      return all([ofType, ...(typeof subType === 'number' ? [numberIn(OWN.eventSubType, [subType])] : [])]);
    }),
  );

function flagMask(value: TcpFlagsValue): number {
  return TCP_FLAGS.reduce(
    (mask, flag, bit) => (value[flag] === true ? mask | (1 << bit) : mask),
    FLAGS_PRESENT,
  );
}

const TCP_FLAG_BITS: Subject<number> = {
  column: (columns) => columns.own('tcp_flags'),
  read: ({ flow }) => (flow.tcpFlags === null ? 0 : flow.tcpFlags | FLAGS_PRESENT),
};

function hasFlags(value: TcpFlagsValue): FlowTest {
  const wanted = flagMask(value);
  return leaf(
    TCP_FLAG_BITS,
    (column, { binder }) => {
      const mask = binder.bind('UInt16', wanted);
      return `bitAnd(${column}, ${mask}) = ${mask}`;
    },
    (bits) => (bits & wanted) === wanted,
  );
}

/** Every flag of an entry is set; more may be set; flows without a flags message never match. */
export const tcpFlags: FieldParser<TcpFlagsValue> = (values) => any(values.map(hasFlags));

function protocolNumbers(name: string): readonly number[] {
  if (name === 'icmp') return [L4.icmpv4, L4.icmpv6];
  return Object.entries(L4).flatMap(([known, number]) => (known === name ? [number] : []));
}

/** Layer-4 protocols, and dns, http, kafka by the L7 body. `tcp` matches HTTP records too: they have ports. */
export const protocol: FieldParser<string> = (values) =>
  any(
    values.map((value) => {
      const name = value.toLowerCase();
      const kind = Object.hasOwn(L7, name) ? L7[name] : undefined;
      if (kind !== undefined) return numberIn(OWN.l7Kind, [kind]);
      const l4 = protocolNumbers(name);
      return l4.length === 0
        ? refused('icmp, icmpv4, icmpv6, tcp, udp, sctp, vrrp, igmp, dns, http, kafka')
        : numberIn(OWN.l4Protocol, l4);
    }),
  );

/** Ports of one side; in calls the destination port is the port of the server. */
export function ports(side: FilterSide): FieldParser<string> {
  const { port } = sideSubjects(side);
  return (values, terms) => {
    if (!values.every((value) => /^\d{1,5}$/.test(value) && Number(value) <= 65_535))
      return refused('a decimal port from 0 to 65535');
    const wanted = values.map(Number);
    if (terms.calls && side === 'destination') return numberIn(OWN.serverPort, wanted);
    return all([numberIn(port, wanted), PORTED]);
  };
}

/** Index and name of an interface; flows without one never match. */
export const networkInterface: FieldParser<InterfaceValue> = (values) =>
  any(
    values.map(({ index, name }) => {
      const parts: FlowTest[] = [];
      if (typeof index === 'number' && (!Number.isInteger(index) || index < 0 || index >= 2 ** 32))
        return refused('an index from 0 to 4294967295');
      if (typeof index === 'number' && index > 0) parts.push(numberIn(OWN.interfaceIndex, [index]));
      if (typeof name === 'string' && name !== '') parts.push(textIn(OWN.interfaceName, [name]));
      if (parts.length > 0) return all(parts);
      return any([opposite(numberIn(OWN.interfaceIndex, [0])), textPresent(OWN.interfaceName)]);
    }),
  );

function nodeElement(pattern: string, subject: Subject<string>): ParsedField {
  if (pattern === '') return EVERY_FLOW;
  const glob = parseNameGlob(pattern);
  return glob === undefined
    ? refused('`cluster/node`; letters, digits and - _ . * in each part')
    : textFits(subject, glob);
}

/** Globs of `cluster/node`; no slash = any cluster, an empty part = any. */
export const nodeName: FieldParser<string> = (values) =>
  any(
    values.map((value) => {
      const parts = value.split('/');
      const [first = '', second] = parts;
      if (value === '' || parts.length > 2) return refused('`node` or `cluster/node`');
      return second === undefined
        ? nodeElement(first, OWN.node)
        : all([nodeElement(first, OWN.cluster), nodeElement(second, OWN.node)]);
    }),
  );

/** Uuid of the event. */
export const uuid: FieldParser<string> = (values) => {
  if (!values.every((value) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)))
    return refused('a UUID such as 43eea867-dd4b-4e5e-b2b8-fe80e0f51b06');
  const wanted = values.map((value) => value.toLowerCase());
  return leaf(
    OWN.uuid,
    (column, { binder }) => `${column} IN ${binder.bind('Array(UUID)', wanted)}`,
    (value) => wanted.includes(value),
  );
};

/** Trace id of the W3C header; empty = no trace. */
export const traceId: FieldParser<string> = (values) => textIn(OWN.traceId, values);

/** Trace id of the IP option. */
export const ipTraceId: FieldParser<string | bigint> = (values) => {
  const texts = values.map(String);
  if (!texts.every((value) => /^\d{1,20}$/.test(value) && BigInt(value) < 1n << 64n))
    return refused('a decimal number below 2^64');
  const wanted = texts.map(BigInt);
  return leaf(
    OWN.ipTraceId,
    (column, { binder }) => `${column} IN ${binder.bind('Array(UInt64)', wanted)}`,
    (value) => wanted.includes(value),
  );
};
