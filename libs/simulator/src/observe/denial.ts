import type { Call, Denial } from '../traffic/call.js';
import { DIRECTION, EVENT, FLAG, POINT, REASON, VERDICT, type Observation } from './observation.js';
import { exitPoint, jitter, traceUpstream, wirePort, type Observer } from './observer.js';
import { synFlags } from './opening.js';

const STALE_ADDRESS = 151;

/** Each refused packet: its way out of the client's node, then the policy verdict and, microseconds later, the drop. */
export function observeDenial(observer: Observer, call: Call, denial: Denial): void {
  const atServer = denial.side === 'server';
  const node = atServer ? call.server.node : call.client.node;
  if (atServer && call.client.managed && call.egressProxied) observeHandshakeWithProxy(observer, call);
  call.dropTimes.forEach((at, attempt) => {
    if (atServer && call.client.managed) observeWayOut(observer, call, at - 200_000, attempt);
    if (denial.byPolicy) {
      const verdict = observer.add(call, EVENT.verdict, node, at);
      refuse(call, denial, verdict);
      verdict.policy = denial.policy ?? '';
      verdict.denied = true;
      verdict.matchType = denial.policy === undefined ? 0 : 1;
    }
    const drop = observer.add(call, EVENT.drop, node, at + 3000 + jitter(call, 10 + attempt, 37_000));
    refuse(call, denial, drop);
  });
}

function refuse(call: Call, denial: Denial, seen: Observation): void {
  seen.verdict = VERDICT.dropped;
  seen.dropReason = denial.reason;
  seen.flags = call.server.kind === 'nobody' ? -1 : synFlags(call);
  seen.direction = denial.side === 'server' ? DIRECTION.ingress : DIRECTION.egress;
  // The overlay program, which finds the address stale, belongs to no endpoint: the agent cannot tell a direction.
  if (denial.reason === STALE_ADDRESS) seen.direction = DIRECTION.unknown;
  seen.clientPort = denial.side === 'server' ? wirePort(call) : call.clientPort;
  seen.toService = call.server.kind === 'cluster-ip';
}

function observeWayOut(observer: Observer, call: Call, atNs: number, attempt: number): void {
  const count = call.observations.length;
  if (call.egressProxied) traceUpstream(observer, call, atNs);
  else {
    const point = exitPoint(call.client.node, call.server);
    if (point === undefined) return;
    const reason = attempt === 0 ? REASON.new : REASON.established;
    const seen = observer.trace(call, call.client.node, atNs, point, reason);
    seen.direction = DIRECTION.egress;
  }
  const last = call.observations[count];
  if (last !== undefined) last.flags = synFlags(call);
}

/** The client's connection ends at its own proxy, so it is accepted even when the way on is closed. */
function observeHandshakeWithProxy(observer: Observer, call: Call): void {
  const { node } = call.client;
  const syn = observer.trace(call, node, call.startNs, POINT.toProxy, REASON.new);
  syn.direction = DIRECTION.egress;
  syn.flags = FLAG.syn;
  const reply = observer.trace(call, node, call.startNs + 40_000, POINT.toEndpoint, REASON.reply);
  reply.direction = DIRECTION.egress;
  reply.flags = FLAG.syn | FLAG.ack;
}
