import type { Call } from '../traffic/call.js';
import { DIRECTION, FLAG, POINT, REASON, REPLY } from './observation.js';
import { exitPoint, traceUpstream, wirePort, type Observer } from './observer.js';
import { synFlags } from './opening.js';

/** Trace events of the packets of a call that the monitor lets through: first, changed flags, interval (note 1.7). */
export function observePackets(observer: Observer, call: Call): void {
  const tcp = call.edge.transport === 'TCP';
  const proxied = call.egressProxied || call.ingressProxied;
  const data = tcp ? FLAG.ack | FLAG.psh : -1;
  if (call.newConnection) observeFirst(observer, call);
  if (tcp && call.newConnection) {
    observeReply(observer, call, call.clientRequestNs - 20_000, FLAG.syn | FLAG.ack);
    if (!proxied) observeRequest(observer, call, call.clientRequestNs, data, REASON.established);
  } else if (!call.newConnection && !proxied) {
    observeRequest(observer, call, call.clientRequestNs, data, REASON.established);
  }
  if (call.unanswered || call.denial !== undefined) return;
  if (!proxied || !tcp) observeReply(observer, call, call.clientResponseNs, data);
  if (tcp && call.closes) observeClose(observer, call);
}

function observeFirst(observer: Observer, call: Call): void {
  observeRequest(observer, call, call.startNs, synFlags(call), REASON.new);
  if (!call.tunnelSeen || !call.client.managed || call.server.node === call.client.node) return;
  if (call.server.node < 0) return;
  const seen = observer.trace(call, call.client.node, call.startNs + 9000, POINT.toNetwork, REASON.unknown);
  seen.reply = REPLY.absent;
  seen.tunnel = true;
  seen.flags = synFlags(call);
  seen.clientPort = wirePort(call);
}

function observeClose(observer: Observer, call: Call): void {
  const at = call.clientResponseNs + 60_000;
  const travel = call.serverRequestNs - call.clientRequestNs;
  const last = call.resets ? FLAG.rst : FLAG.ack | FLAG.fin;
  observeRequest(observer, call, at, FLAG.ack | FLAG.fin, REASON.established);
  observeReply(observer, call, at + 2 * travel + 10_000, last);
}

function observeRequest(observer: Observer, call: Call, atNs: number, flags: number, reason: number): void {
  const { client, server } = call;
  if (client.managed) observeLeaving(observer, call, atNs, flags, reason);
  if (!server.managed || stopsAtClient(call)) return;
  const at = atNs + (call.serverRequestNs - call.clientRequestNs);
  const point = call.ingressProxied ? POINT.toProxy : POINT.toEndpoint;
  const seen = observer.trace(call, server.node, at, point, reason);
  seen.direction = DIRECTION.ingress;
  seen.flags = flags;
  seen.clientPort = wirePort(call);
  if (!call.ingressProxied || reason !== REASON.new) return;
  const inner = observer.trace(call, server.node, at + 40_000, POINT.toEndpoint, reason);
  inner.direction = DIRECTION.ingress;
  inner.flags = flags;
  inner.clientPort = call.ingressProxyPort;
}

/** A packet of the client on its way out of its node. */
function observeLeaving(observer: Observer, call: Call, atNs: number, flags: number, reason: number): void {
  const { client, server } = call;
  const point = call.egressProxied ? POINT.toProxy : exitPoint(client.node, server);
  if (point === undefined) return;
  const seen = observer.trace(call, client.node, atNs, point, reason);
  seen.direction = DIRECTION.egress;
  seen.flags = flags;
  if (call.egressProxied && reason === REASON.new && !stopsAtClient(call)) {
    traceUpstream(observer, call, atNs + 50_000);
    const upstream = call.observations.at(-1);
    if (upstream !== undefined && upstream !== seen) upstream.flags = flags;
  }
}

/** The client's own proxy refused the request. */
function stopsAtClient(call: Call): boolean {
  return call.denial?.side === 'client';
}

function observeReply(observer: Observer, call: Call, atNs: number, flags: number): void {
  const { client, server } = call;
  if (server.managed) {
    const point = call.ingressProxied ? POINT.toStack : exitPoint(server.node, client);
    if (point !== undefined) {
      const at = atNs - (call.serverRequestNs - call.clientRequestNs);
      const seen = observer.trace(call, server.node, at, point, REASON.reply);
      seen.direction = DIRECTION.ingress;
      seen.flags = flags;
      seen.clientPort = call.ingressProxied ? call.ingressProxyPort : wirePort(call);
    }
  }
  if (!client.managed) return;
  const seen = observer.trace(call, client.node, atNs, POINT.toEndpoint, REASON.reply);
  seen.direction = DIRECTION.egress;
  seen.flags = flags;
}
