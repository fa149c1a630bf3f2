import { DROP_REASON, enumName, SCTP_CHUNK_TYPE, WireFields } from '@flowledger/model';
import type { FlowRecord } from '@flowledger/query';
import { EVENT, familyOf, passed, protocolOf, typeOf, verdictOf, VERDICTS } from '../flow-words.js';
import { FamilyMaker, type Handler, type HandlerParts } from '../handler.js';

const POLICY_DENIED = 133;
const [TCP, ICMP4, ICMP6, SCTP, VRRP, IGMP] = [1, 3, 4, 5, 6, 7];
const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];

/** `drop`: every flow with verdict DROPPED. Corrected: without policy verdicts, whose drop event is counted. */
export function dropHandler(parts: HandlerParts): Handler {
  const make = new FamilyMaker(parts);
  const drops = make.counter('drop_total', 'Dropped flows', ['reason', 'protocol']);
  return {
    families: [drops],
    count(labelled, nowMs) {
      const { flow } = labelled;
      if (flow.verdict !== VERDICTS.dropped || (parts.correct && flow.eventType === EVENT.verdict)) return;
      const reason = enumName(DROP_REASON, flow.dropReason);
      drops.add([...make.contexts.values(labelled), reason, protocolOf(flow)], Number(flow.weight), nowMs);
    },
  };
}

/** `flow`: every flow. */
export function flowHandler(parts: HandlerParts): Handler {
  const make = new FamilyMaker(parts);
  const labels = ['protocol', 'type', 'subtype', 'verdict'];
  const flows = make.counter('flows_processed_total', 'Flows by kind and verdict', labels);
  return {
    families: [flows],
    count(labelled, nowMs) {
      const { flow } = labelled;
      const values = [protocolOf(flow), ...typeOf(flow), verdictOf(flow)];
      flows.add([...make.contexts.values(labelled), ...values], Number(flow.weight), nowMs);
    },
  };
}

const WORLD = new Set(['reserved:world', 'reserved:world-ipv4', 'reserved:world-ipv6']);

/** `flows-to-world`: flows to addresses outside the cluster, no replies. */
export function worldHandler(parts: HandlerParts): Handler {
  const { switches } = parts.config;
  const make = new FamilyMaker(parts);
  const ports = switches.has('port') ? ['*port'] : [];
  const flows = make.counter('flows_to_world_total', 'Flows to destinations outside the cluster', [
    'protocol',
    'verdict',
    ...ports,
  ]);
  return {
    families: [flows],
    count(labelled, nowMs) {
      const { flow } = labelled;
      if (flow.l4Protocol === 0 || flow.eventType < 0) return;
      if (!labelled.destinationLabels.some((label) => WORLD.has(label)) || !goesOut(flow, switches)) return;
      const port = switches.has('port') ? [portOf(flow)] : [];
      flows.add(
        [...make.contexts.values(labelled), protocolOf(flow), verdictOf(flow), ...port],
        Number(flow.weight),
        nowMs,
      );
    },
  };
}

function goesOut(flow: FlowRecord, switches: ReadonlySet<string>): boolean {
  if (flow.verdict === VERDICTS.dropped) return switches.has('any-drop') || flow.dropReason === POLICY_DENIED;
  if (flow.isReply === true) return false;
  if (!switches.has('syn-only')) return true;
  return flow.l4Protocol === TCP && ((flow.tcpFlags ?? 0) & (SYN | ACK)) === SYN && flow.isReply === false;
}

/** Destination port; empty for protocols without ports. */
function portOf(flow: FlowRecord): string {
  return flow.l4Protocol === ICMP4 || flow.l4Protocol === ICMP6 ? '' : String(flow.destinationPort);
}

const ICMP4_TYPES: Readonly<Record<number, string>> = {
  0: 'EchoReply',
  3: 'DestinationUnreachable',
  5: 'Redirect',
  8: 'EchoRequest',
  11: 'TimeExceeded',
};
const ICMP6_TYPES: Readonly<Record<number, string>> = {
  1: 'DestinationUnreachable',
  2: 'PacketTooBig',
  3: 'TimeExceeded',
  128: 'EchoRequest',
  129: 'EchoReply',
  133: 'RouterSolicitation',
  134: 'RouterAdvertisement',
  135: 'NeighborSolicitation',
  136: 'NeighborAdvertisement',
};

/** `icmp`: any ICMP flow. Its family is that of the protocol; the Hubble that was read says IPv4 for both, by mistake. */
export function icmpHandler(parts: HandlerParts): Handler {
  const make = new FamilyMaker(parts);
  const messages = make.counter('icmp_total', 'ICMP messages', ['family', 'type']);
  return {
    families: [messages],
    count(labelled, nowMs) {
      const { flow } = labelled;
      if (flow.icmp === null) return;
      const v6 = flow.l4Protocol === ICMP6;
      const { type, code } = flow.icmp;
      const word = (v6 ? ICMP6_TYPES : ICMP4_TYPES)[type] ?? `${type}(${code})`;
      messages.add(
        [...make.contexts.values(labelled), v6 ? 'IPv6' : 'IPv4', word],
        Number(flow.weight),
        nowMs,
      );
    },
  };
}

/** `port-distribution`: flows that passed and are known to be no reply, by destination port. */
export function portHandler(parts: HandlerParts): Handler {
  const make = new FamilyMaker(parts);
  const flows = make.counter('port_distribution_total', 'Flows by destination port', ['protocol', '*port']);
  return {
    families: [flows],
    count(labelled, nowMs) {
      const { flow } = labelled;
      if (!passed(flow) || flow.l4Protocol === 0 || flow.isReply !== false || isTwin(flow, parts)) return;
      const portless = [ICMP4, ICMP6, VRRP, IGMP].includes(flow.l4Protocol);
      const port = portless ? '0' : String(flow.destinationPort);
      flows.add([...make.contexts.values(labelled), protocolOf(flow), port], Number(flow.weight), nowMs);
    },
  };
}

const UNSUPPORTED_CHUNK = 0;

/** `sctp`: chunk types of SCTP packets that passed. Those whose chunk the agent does not name are not counted, as in Hubble. */
export function sctpHandler(parts: HandlerParts): Handler {
  const make = new FamilyMaker(parts);
  const chunks = make.counter('sctp_chunk_types_total', 'SCTP packets by the type of their first chunk', [
    'chunk_type',
    'family',
  ]);
  return {
    families: [chunks],
    count(labelled, nowMs) {
      const { flow } = labelled;
      if (!passed(flow) || flow.l4Protocol !== SCTP) return;
      const type = chunkTypeOf(flow);
      if (type === UNSUPPORTED_CHUNK) return;
      const word = enumName(SCTP_CHUNK_TYPE, type);
      chunks.add([...make.contexts.values(labelled), word, familyOf(flow)], Number(flow.weight), nowMs);
    },
  };
}

/** `l4.SCTP.chunk_type` (6.5.3), which has no column: it is among the bytes of the other fields. */
function chunkTypeOf({ extra }: FlowRecord): number {
  if (extra.length === 0) return UNSUPPORTED_CHUNK;
  const members = new WireFields(extra).messages(6).flatMap((l4) => l4.messages(5));
  return members.findLast((member) => member.has(3))?.int32(3) ?? UNSUPPORTED_CHUNK;
}

/** `tcp`: flags of flows that passed. Corrected: without policy verdicts, whose packet is traced as well. */
export function tcpHandler(parts: HandlerParts): Handler {
  const make = new FamilyMaker(parts);
  const flags = make.counter('tcp_flags_total', 'TCP flags seen', ['flag', 'family']);
  return {
    families: [flags],
    count(labelled, nowMs) {
      const { flow } = labelled;
      const bits = flow.tcpFlags;
      if (bits === null || !passed(flow) || isTwin(flow, parts)) return;
      const context = make.contexts.values(labelled);
      const count = (flag: string): void =>
        flags.add([...context, flag, familyOf(flow)], Number(flow.weight), nowMs);
      if ((bits & FIN) !== 0) count('FIN');
      if ((bits & SYN) !== 0) count((bits & ACK) === 0 ? 'SYN' : 'SYN-ACK');
      if ((bits & RST) !== 0) count('RST');
    },
  };
}

/** A policy verdict tells of a packet that a trace event tells of again. */
function isTwin({ eventType }: FlowRecord, { correct }: HandlerParts): boolean {
  return correct && eventType === EVENT.verdict;
}

const MATCHES = ['none', 'l3-only', 'l3-l4', 'l4-only', 'all', 'l3-proto', 'proto-only'];
const HOST = 1;

/** `policy`: policy verdicts but those of the host, and L7 records as verdicts of the proxy. */
export function policyHandler(parts: HandlerParts): Handler {
  const make = new FamilyMaker(parts);
  const verdicts = make.counter('policy_verdicts_total', 'Policy verdicts', ['direction', 'match', 'action']);
  return {
    families: [verdicts],
    count(labelled, nowMs) {
      const { flow } = labelled;
      const match = matchOf(flow);
      if (match === undefined) return;
      const direction = ['unknown', 'ingress', 'egress'][flow.trafficDirection] ?? 'unknown';
      const values = [direction, match, verdictOf(flow).toLowerCase()];
      verdicts.add([...make.contexts.values(labelled), ...values], Number(flow.weight), nowMs);
    },
  };
}

function matchOf(flow: FlowRecord): string | undefined {
  if (flow.eventType === EVENT.l7) return ['l7', 'l7/dns', 'l7/http', 'l7/kafka', 'l7'][flow.l7Kind];
  if (flow.eventType !== EVENT.verdict || flow.source.identity === HOST) return undefined;
  return MATCHES[flow.policyMatchType] ?? String(flow.policyMatchType);
}
