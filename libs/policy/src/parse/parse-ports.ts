import { isObject, listAt, objectAt, textAt, type Json, type JsonObject } from '../json.js';
import type { IcmpRule, PortRule } from '../policy.js';
import type { Findings } from './findings.js';

/** Names of ICMP types that Cilium accepts beside numbers, for the messages that policies are about. */
const ICMP_TYPES: Readonly<Record<'IPv4' | 'IPv6', Readonly<Record<string, number>>>> = {
  IPv4: { EchoReply: 0, DestinationUnreachable: 3, Redirect: 5, Echo: 8, EchoRequest: 8, TimeExceeded: 11 },
  IPv6: {
    DestinationUnreachable: 1,
    PacketTooBig: 2,
    TimeExceeded: 3,
    EchoRequest: 128,
    EchoReply: 129,
    RouterSolicitation: 133,
    RouterAdvertisement: 134,
    NeighborSolicitation: 135,
    NeighborAdvertisement: 136,
  },
};
const PROTOCOLS = new Set(['TCP', 'UDP', 'SCTP', 'ANY', 'ICMP', 'ICMPV6', 'VRRP', 'IGMP']);
const PORT_KEYS = new Set(['port', 'endPort', 'protocol']);
const TO_PORTS_KEYS = new Set(['ports', 'rules']);
const L7_KINDS = ['http', 'dns', 'kafka', 'l7'];

/** Ports of a rule and the doubts about what they say beside. */
export interface ParsedPorts {
  readonly ports: readonly PortRule[];
  readonly doubts: readonly string[];
}

function port(value: Json, path: string, fallback: string, l7: boolean, find: Findings): ParsedPorts {
  const given: JsonObject = isObject(value) ? value : {};
  const doubts = find.unknownKeys(given, PORT_KEYS, path);
  const protocol = (textAt(given, 'protocol') || fallback).toUpperCase();
  if (!PROTOCOLS.has(protocol)) doubts.push(find.say(`${path}.protocol`, `no protocol ${protocol}`));
  const text = textAt(given, 'port');
  const number = /^\d{1,5}$/.test(text) ? Number(text) : text === '' ? 0 : undefined;
  if (number === undefined) return { ports: [{ protocol, from: 0, to: 0, named: text, l7 }], doubts };
  const end = Number(textAt(given, 'endPort') || '0');
  const to = end > number ? end : number;
  if (to > 65_535) doubts.push(find.say(path, 'a port above 65535'));
  return { ports: [{ protocol, from: number, to, named: '', l7 }], doubts };
}

/** Ports of a Kubernetes NetworkPolicy; without a protocol they are TCP. */
export function parseNetworkPorts(list: readonly Json[], path: string, find: Findings): ParsedPorts {
  const parsed = list.map((one, i) => port(one, `${path}[${i}]`, 'TCP', false, find));
  return { ports: parsed.flatMap((one) => one.ports), doubts: parsed.flatMap((one) => one.doubts) };
}

function toPorts(value: Json, path: string, find: Findings): ParsedPorts {
  const given: JsonObject = isObject(value) ? value : {};
  const rules = objectAt(given, 'rules');
  const l7 = L7_KINDS.some((kind) => kind in rules) || 'l7proto' in rules;
  // TLS origination, server names and listeners decide beside ports; what they let through is not known.
  const doubts = find.unknownKeys(given, TO_PORTS_KEYS, path);
  const parsed = (listAt(given, 'ports') ?? [{ port: '0' }]).map((one, i) =>
    port(one, `${path}.ports[${i}]`, 'ANY', l7, find),
  );
  return {
    ports: parsed.flatMap((one) => one.ports),
    doubts: [...doubts, ...parsed.flatMap((one) => one.doubts)],
  };
}

/** `toPorts` of a Cilium rule; null when it restricts nothing. */
export function parseToPorts(
  list: readonly Json[] | undefined,
  path: string,
  find: Findings,
): { readonly ports: readonly PortRule[] | null; readonly doubts: readonly string[] } {
  if (list === undefined || list.length === 0) return { ports: null, doubts: [] };
  const parsed = list.map((one, i) => toPorts(one, `${path}[${i}]`, find));
  return { ports: parsed.flatMap((one) => one.ports), doubts: parsed.flatMap((one) => one.doubts) };
}

function icmpField(value: Json, path: string, find: Findings): IcmpRule {
  const given: JsonObject = isObject(value) ? value : {};
  const family = given['family'] === 'IPv6' ? 'IPv6' : 'IPv4';
  const text = textAt(given, 'type');
  const type = /^\d{1,3}$/.test(text) ? Number(text) : ICMP_TYPES[family][text];
  if (type === undefined) find.say(`${path}.type`, `ICMP type ${text} is not known to this version`);
  return { family, type: type ?? -1 };
}

/** `icmps` of a Cilium rule; null when there are none. */
export function parseIcmps(
  list: readonly Json[] | undefined,
  path: string,
  find: Findings,
): readonly IcmpRule[] | null {
  if (list === undefined) return null;
  return list.flatMap((one, i) =>
    (listAt(isObject(one) ? one : {}, 'fields') ?? []).map((field, j) =>
      icmpField(field, `${path}[${i}].fields[${j}]`, find),
    ),
  );
}
