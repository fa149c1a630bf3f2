/** What a flow record shows about who called whom. All numbers as in the columns of the same name. */
export interface CallEvidence {
  /** CiliumEventType.type, -1 when absent. */
  eventType: number;
  verdict: number;
  /** 0 absent, 1 false, 2 true. */
  isReply: number;
  trafficDirection: number;
  l4Protocol: number;
  srcPort: number;
  dstPort: number;
  tcpFlags: number;
  icmpType: number;
  l7Kind: number;
  l7Type: number;
  /** Whether the side is an endpoint of the observing node (its endpoint id is set). */
  srcLocal: boolean;
  dstLocal: boolean;
  /** Whether the side's address is known as a service. */
  srcService: boolean;
  dstService: boolean;
}

/** Column `client_side`: unknown, or which side is the client. */
export type ClientSide = 0 | 1 | 2;
const UNKNOWN = 0;
const SOURCE = 1;
const DESTINATION = 2;

const SYN = 2;
const ACK = 16;
const DROP_EVENT = 1;
const TRACE_EVENT = 4;
const POLICY_VERDICT_EVENT = 5;
const DROPPED = 2;
/** First port that Linux gives to clients; below it a port belongs to a server. */
const EPHEMERAL = 32_768;
const WELL_KNOWN = 1024;

/**
 * Who is the client of a flow; `source` is only the sender of this packet (hubble note, traps 15 and 16). The first
 * rule that knows decides:
 *  1. DNS records: the side with port 53 is the server, because a response seen at the proxy names the client as source.
 *  2. `is_reply`.
 *  3. L7 type: a request comes from the client, a response from the server.
 *  4. Trace events whose direction conntrack knew, with exactly one local side: ingress means the local side serves.
 *  5. Policy verdicts: they judge the first packet, which the client sends.
 *  6. SYN without ACK comes from the client, SYN with ACK from the server.
 *  7. Exactly one side is known as a service.
 *  8. ICMP echo request and reply.
 *  9. Ports: exactly one side has one; is well known; is below the ephemeral range.
 * 10. A dropped packet with nothing to the contrary: its source is the client.
 */
export function clientSide(call: CallEvidence): ClientSide {
  return strongSide(call) || portSide(call) || (isDropped(call) ? SOURCE : UNKNOWN);
}

/**
 * Port of the server, 0 when the protocol has none or the client is unknown. An ephemeral port is only believed when
 * the other side's is no better and something stronger than ports told the sides: an inferred ephemeral server port
 * must never make a node of a map.
 */
export function serverPort(call: CallEvidence, side: ClientSide): number {
  if (side === UNKNOWN || !hasPorts(call)) return 0;
  const port = side === SOURCE ? call.dstPort : call.srcPort;
  const other = side === SOURCE ? call.srcPort : call.dstPort;
  if (port < EPHEMERAL) return port;
  const believed = (other === 0 || other >= EPHEMERAL) && strongSide(call) !== UNKNOWN;
  return believed ? port : 0;
}

function strongSide(call: CallEvidence): ClientSide {
  return (
    dnsSide(call) ||
    replySide(call) ||
    connectionSide(call) ||
    handshakeSide(call) ||
    serviceSide(call) ||
    echoSide(call)
  );
}

function dnsSide(call: CallEvidence): ClientSide {
  if (call.l7Kind !== 1) return UNKNOWN;
  return exactlyOne(call.dstPort === 53, call.srcPort === 53);
}

function replySide(call: CallEvidence): ClientSide {
  if (call.isReply !== 0) return call.isReply === 1 ? SOURCE : DESTINATION;
  return exactlyOne(call.l7Type === 1, call.l7Type === 2);
}

function connectionSide(call: CallEvidence): ClientSide {
  if (call.eventType === POLICY_VERDICT_EVENT) return SOURCE;
  if (call.eventType !== TRACE_EVENT || call.srcLocal === call.dstLocal) return UNKNOWN;
  if (call.trafficDirection === 1) return call.dstLocal ? SOURCE : DESTINATION;
  if (call.trafficDirection === 2) return call.srcLocal ? SOURCE : DESTINATION;
  return UNKNOWN;
}

function handshakeSide(call: CallEvidence): ClientSide {
  if ((call.tcpFlags & SYN) === 0) return UNKNOWN;
  return (call.tcpFlags & ACK) === 0 ? SOURCE : DESTINATION;
}

function serviceSide(call: CallEvidence): ClientSide {
  return exactlyOne(call.dstService, call.srcService);
}

function echoSide(call: CallEvidence): ClientSide {
  if (call.l4Protocol === 3) return exactlyOne(call.icmpType === 8, call.icmpType === 0);
  return call.l4Protocol === 4 ? exactlyOne(call.icmpType === 128, call.icmpType === 129) : UNKNOWN;
}

function portSide(call: CallEvidence): ClientSide {
  if (!hasPorts(call)) return UNKNOWN;
  const { srcPort, dstPort } = call;
  return (
    exactlyOne(dstPort !== 0, srcPort !== 0) ||
    exactlyOne(dstPort < WELL_KNOWN, srcPort < WELL_KNOWN) ||
    exactlyOne(dstPort < EPHEMERAL, srcPort < EPHEMERAL)
  );
}

/** TCP, UDP, SCTP. */
function hasPorts(call: CallEvidence): boolean {
  return call.l4Protocol === 1 || call.l4Protocol === 2 || call.l4Protocol === 5;
}

function isDropped(call: CallEvidence): boolean {
  return call.eventType === DROP_EVENT || call.verdict === DROPPED;
}

/** The source when only `source` holds, the destination when only `destination` does. */
function exactlyOne(source: boolean, destination: boolean): ClientSide {
  if (source === destination) return UNKNOWN;
  return source ? SOURCE : DESTINATION;
}
