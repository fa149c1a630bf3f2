import { DROP_REASON, enumName, IP_VERSION, TRAFFIC_DIRECTION, VERDICT } from '@flowledger/model';
import type { EnumTable } from '@flowledger/model';
import { decodedPath, unreadablePath } from '../filter/http-path.js';
import type { FlowFilterLists } from '../filter/flow-filter.js';

/** How the values of a filter field are listed. */
export type HintField =
  | {
      readonly kind: 'values';
      /** What is read of each row. */
      readonly columns: string;
      /** What rows are grouped by, made of the columns. */
      readonly keys: string;
      /** Text of a value, made of the keys. */
      readonly value: string;
      /** Which rows have a value. */
      readonly present: string;
      /** The same text, made of columns of `flows`; for the prefix. Undefined when `name` makes the text, or the value is an element. */
      readonly text?: string;
      /** The list whose elements are the values. */
      readonly list?: string;
      /** Text of a number, for fields with few values. */
      readonly name?: (value: string) => string;
    }
  | { readonly kind: 'labels'; readonly set: string };

function column(name: string, present = `${name} != ''`): HintField {
  return {
    kind: 'values',
    columns: name,
    keys: name,
    value: `toString(${name})`,
    present,
    text: `toString(${name})`,
  };
}

function pair(first: string, second: string): HintField {
  const value = `concat(${first}, '/', ${second})`;
  const columns = `${first}, ${second}`;
  return { kind: 'values', columns, keys: columns, value, present: `${second} != ''`, text: value };
}

function elements(list: string): HintField {
  return {
    kind: 'values',
    columns: '',
    keys: 'item',
    value: 'toString(item)',
    present: `notEmpty(${list})`,
    list: `arrayDistinct(${list})`,
  };
}

function numbers(sql: string, present: string, name: (value: string) => string): HintField {
  return { kind: 'values', columns: `${sql} AS item`, keys: 'item', value: 'toString(item)', present, name };
}

function named(sql: string, table: EnumTable, present = 'true'): HintField {
  return numbers(sql, present, (value) => enumName(table, Number(value)));
}

function made(sql: string, present: string): HintField {
  return { kind: 'values', columns: `${sql} AS item`, keys: 'item', value: 'item', present, text: sql };
}

function address(name: string): HintField {
  return made(
    `replaceRegexpOne(IPv6NumToString(${name}), '^::ffff:([0-9.]+)$', '\\\\1')`,
    `${name} != toIPv6('::')`,
  );
}

function side(of: 'source' | 'destination', prefix: 'src' | 'dst') {
  return {
    [`${of}Ip`]: address(`${prefix}_ip`),
    [`${of}Pod`]: pair(`${prefix}_namespace`, `${prefix}_pod`),
    [`${of}Service`]: pair(`${prefix}_service_namespace`, `${prefix}_service_name`),
    [`${of}Fqdn`]: elements(`${prefix}_names`),
    [`${of}Label`]: { kind: 'labels', set: `${prefix}_label_set` },
    [`${of}Workload`]: elements(`${prefix}_workloads`),
    [`${of}Identity`]: column(`${prefix}_identity`, `${prefix}_identity != 0`),
    [`${of}ClusterName`]: column(`${prefix}_cluster`),
    [`${of}Port`]: column(`${prefix}_port`, 'l4_protocol IN (1, 2, 5)'),
  } satisfies Record<string, HintField>;
}

const PROTOCOLS: Readonly<Record<string, string>> = {
  '1': 'tcp',
  '2': 'udp',
  '3': 'icmpv4',
  '4': 'icmpv6',
  '5': 'sctp',
  '6': 'vrrp',
  '7': 'igmp',
  '101': 'dns',
  '102': 'http',
  '103': 'kafka',
};

const protocol: HintField = {
  kind: 'values',
  columns: '',
  keys: 'item',
  value: 'toString(item)',
  present: 'l4_protocol != 0 OR l7_kind IN (1, 2, 3)',
  list: 'arrayFilter(n -> n NOT IN (0, 100, 104), [toUInt8(l4_protocol), toUInt8(100 + l7_kind)])',
  name: (value) => PROTOCOLS[value] ?? value,
};

/**
 * Filter fields with values worth listing, in the order of the schema. Left out are those that only identify single
 * flows (uuid, trace ids), flags, yes and no, and CEL.
 */
export const HINT_FIELDS: Readonly<Partial<Record<keyof FlowFilterLists, HintField>>> = {
  ...side('source', 'src'),
  ...side('destination', 'dst'),
  sourceIpXlated: address('src_ip_xlated'),
  nodeLabels: { kind: 'labels', set: 'node_label_set' },
  nodeName: pair('cluster', 'node'),
  interface: column('interface_name'),
  ipVersion: named('ip_version', IP_VERSION),
  protocol,
  verdict: named('verdict', VERDICT),
  dropReasonDesc: named('drop_reason', DROP_REASON, 'verdict = 2'),
  trafficDirection: numbers('traffic_direction', 'true', (value) =>
    value === '0' ? 'UNKNOWN' : enumName(TRAFFIC_DIRECTION, Number(value)),
  ),
  eventType: numbers('event_type', 'event_type != -1', (value) => value),
  dnsQuery: column('dns_query'),
  httpStatusCode: column('http_code', 'l7_kind = 2 AND http_code != 0'),
  httpMethod: column('http_method'),
  httpPath: made(decodedPath('http_url'), `l7_kind = 2 AND NOT ${unreadablePath('http_url')}`),
  httpUrl: column('http_url'),
  httpHeader: elements("arrayMap((k, v) -> concat(k, ': ', v), http_header_keys, http_header_values)"),
};

/** SDL of the enum of these fields, for `libs/graphql/schema`. */
export function hintFieldSdl(): string {
  return [
    '"Filter fields whose values can be listed; the names of `FlowFilter`"',
    'enum HintField {',
    ...Object.keys(HINT_FIELDS).map((name) => `  ${name}`),
    '}',
    '',
  ].join('\n');
}
