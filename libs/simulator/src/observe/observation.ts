import type { Call } from '../traffic/call.js';
import type { ObservationLine } from '../truth/call-record.js';

/** Kinds of Hubble flow record, numbered as `event_type.type` (hubble note 1.5). */
export const EVENT = { drop: 1, trace: 4, verdict: 5, sock: 7, l7: 129 } as const;

/** Any of {@link EVENT}. */
export type EventType = (typeof EVENT)[keyof typeof EVENT];

/** `TraceObservationPoint` numbers of the points that are not silenced by monitor aggregation. */
export const POINT = {
  none: 0,
  toProxy: 1,
  toStack: 3,
  toOverlay: 4,
  toNetwork: 11,
  toEndpoint: 101,
} as const;

/** `TraceReason` numbers. */
export const REASON = { unknown: 0, new: 1, established: 2, reply: 3 } as const;

/** `TrafficDirection` numbers. */
export const DIRECTION = { unknown: 0, ingress: 1, egress: 2 } as const;

/** `Verdict` numbers. */
export const VERDICT = {
  forwarded: 1,
  dropped: 2,
  audit: 4,
  redirected: 5,
  traced: 6,
  translated: 7,
} as const;

/** States of the `is_reply` wrapper. */
export const REPLY = { absent: 0, no: 1, yes: 2 } as const;

/** TCP flag bits, in the order of `TCPFlags` fields: FIN is bit 0. */
export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

/** `L7FlowType` numbers. */
export const L7 = { none: 0, request: 1, response: 2 } as const;

/** What one vantage point sees of one step of a call. One observation becomes one flow record, unless it is lost. */
export class Observation {
  verdict: number = VERDICT.forwarded;
  point: number = POINT.none;
  reason: number = REASON.unknown;
  direction: number = DIRECTION.unknown;
  reply: number = REPLY.absent;
  /** TCP flag bits; -1 = the record has no flags message. */
  flags = -1;
  l7: number = L7.none;
  /** L7 responses: latency as this side knows it, ns; 0 = unknown. */
  latencyNs = 0;
  /** True when the packet goes from client to server. */
  fromClient = true;
  clientPort = 0;
  dropReason = 0;
  /** Names of policies for verdicts: that allowed (`denied` false) or denied it. */
  policy = '';
  denied = false;
  /** Verdicts only: what part of the policy key matched. */
  matchType = 0;
  /** Socket events: `SocketTranslationPoint`. */
  sockPoint = 0;
  /** The record shows the outer packet of a tunnel in `tunnel`. */
  tunnel = false;
  /** The destination is the service address: before translation. */
  toService = false;
  /** A fault lost it: it never becomes a record. */
  lost = false;
  /** Its line in the truth, when the truth keeps calls and counts this kind. */
  line: ObservationLine | undefined;
  /** Position among the observations of its call: part of the uuid. */
  readonly sequence: number;

  constructor(
    readonly call: Call,
    readonly type: EventType,
    /** Index of the observing node. */
    readonly node: number,
    /** Second of the observing node's clock, since 1970. */
    readonly second: number,
    /** Nanosecond in that second. */
    readonly nanos: number,
  ) {
    this.sequence = call.observations.length;
  }

  /** Whose end of the connection this record is reported from; undefined when it does not say. */
  get side(): 'client' | 'server' | undefined {
    if (this.direction === DIRECTION.egress) return 'client';
    return this.direction === DIRECTION.ingress ? 'server' : undefined;
  }
}
