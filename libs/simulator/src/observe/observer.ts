import { hash32 } from '../random.js';
import type { Party } from '../topology/party.js';
import type { Call } from '../traffic/call.js';
import { DIRECTION, EVENT, Observation, POINT, REASON, REPLY, type EventType } from './observation.js';

/** Stamps what vantage points see of calls, each by the clock of its node. */
export class Observer {
  constructor(
    /** How far each node's clock is ahead, ns. */
    private readonly skewNs: readonly number[],
  ) {}

  /** One more observation of a call, at a true time given in ns of the call's second. */
  add(call: Call, type: EventType, node: number, atNs: number): Observation {
    const local = Math.round(atNs) + (this.skewNs[node] ?? 0);
    const ahead = Math.floor(local / 1e9);
    const seen = new Observation(call, type, node, call.slot + ahead, local - ahead * 1e9);
    call.observations.push(seen);
    return seen;
  }

  /** A trace event with a known conntrack result (hubble note 1.4). */
  trace(call: Call, node: number, atNs: number, point: number, reason: number): Observation {
    const seen = this.add(call, EVENT.trace, node, atNs);
    seen.point = point;
    seen.reason = reason;
    seen.reply = reason === REASON.reply ? REPLY.yes : REPLY.no;
    seen.fromClient = reason !== REASON.reply;
    seen.clientPort = call.clientPort;
    return seen;
  }
}

/**
 * Where a packet that leaves a node is seen last: overlay between nodes, the device towards the world, the host's stack
 * for what is no pod. Undefined when it does not leave the node's pods.
 */
export function exitPoint(node: number, to: Party): number | undefined {
  if (to.kind === 'world') return POINT.toNetwork;
  if (!to.managed) return POINT.toStack;
  return to.node === node ? undefined : POINT.toOverlay;
}

/** Source port that the server's node sees: that of the egress proxy when there is one. */
export function wirePort(call: Call): number {
  return call.egressProxied ? call.egressProxyPort : call.clientPort;
}

/** A small delay, ns, that differs by call and step and is the same in every run. */
export function jitter(call: Call, step: number, bound: number): number {
  return hash32(call.slot, call.index, step, 17) % bound;
}

/** The packet that the egress proxy sends on: the datapath has no conntrack result for it (hubble note 1.4). */
export function traceUpstream(observer: Observer, call: Call, atNs: number): void {
  const point = exitPoint(call.client.node, call.server);
  if (point === undefined) return;
  const seen = observer.trace(call, call.client.node, atNs, point, REASON.unknown);
  seen.reply = REPLY.absent;
  seen.direction = DIRECTION.unknown;
  seen.clientPort = call.egressProxyPort;
}
