import { enumName, TRACE_POINTS, VERDICT } from '@flowledger/model';
import type { FlowRecord } from '@flowledger/query';

/** CiliumEventType numbers (hubble note 1.5). */
export const EVENT = { drop: 1, capture: 3, trace: 4, verdict: 5, l7: 129 } as const;
/** Verdict numbers. */
export const VERDICTS = { forwarded: 1, dropped: 2, redirected: 5 } as const;
/** L7FlowType numbers. */
export const L7_TYPE = { request: 1, response: 2 } as const;

const L4_WORDS = ['', 'TCP', 'UDP', 'ICMPv4', 'ICMPv6', 'SCTP', 'VRRP', 'IGMP'];
const L7_WORDS = ['', 'DNS', 'HTTP', 'Kafka', ''];

/** The word of the layer 4 protocol, or of the layer 7 one of an L7 record, as Hubble's metrics write it. */
export function protocolOf({ eventType, l4Protocol, l7Kind }: FlowRecord): string {
  if (eventType === EVENT.l7) return L7_WORDS[l7Kind] || 'Unknown L7';
  if (eventType < 0) return 'Unknown flow';
  return L4_WORDS[l4Protocol] || 'Unknown L4';
}

/** Type and subtype of a flow (`flows_processed_total`); socket traces are Unknown with their number, as in Hubble. */
export function typeOf({
  eventType,
  eventSubType,
  l7Kind,
}: FlowRecord): readonly [type: string, subtype: string] {
  switch (eventType) {
    case EVENT.l7:
      return ['L7', L7_WORDS[l7Kind] ?? ''];
    case EVENT.drop:
      return ['Drop', ''];
    case EVENT.capture:
      return ['Capture', ''];
    case EVENT.trace:
      return ['Trace', TRACE_POINTS[eventSubType] ?? String(eventSubType)];
    case EVENT.verdict:
      return ['PolicyVerdict', ''];
    default:
      return ['Unknown', String(eventType)];
  }
}

/** Enum name of the verdict. */
export function verdictOf({ verdict }: FlowRecord): string {
  return enumName(VERDICT, verdict);
}

/** `IPv4` or `IPv6`; empty without IP. */
export function familyOf({ ipVersion }: FlowRecord): string {
  return ipVersion === 1 ? 'IPv4' : ipVersion === 2 ? 'IPv6' : '';
}

/** Which proxy saw an L7 record: the client's, the server's, or nobody knows. */
export function reporterOf({ trafficDirection }: FlowRecord): string {
  return trafficDirection === 2 ? 'client' : trafficDirection === 1 ? 'server' : 'unknown';
}

/** True for FORWARDED and REDIRECTED. */
export function passed({ verdict }: FlowRecord): boolean {
  return verdict === VERDICTS.forwarded || verdict === VERDICTS.redirected;
}
