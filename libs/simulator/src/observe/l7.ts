import type { Call } from '../traffic/call.js';
import { DIRECTION, EVENT, L7, REPLY, VERDICT, type Observation } from './observation.js';
import { jitter, wirePort, type Observer } from './observer.js';

/** Requests in a thousand whose log entry is late: the agent may stamp them after the response (hubble note, trap 24). */
const LATE_PER_MILLE = 10;

/** The records of the proxies in the path. Their time is that of receipt by the agent (hubble note 1.6). */
export function observeL7(observer: Observer, call: Call): void {
  const { denial } = call;
  const refusedAt = denial?.kind === 'request' ? denial.side : undefined;
  if (call.egressProxied && call.client.managed && !(denial?.kind === 'packet' && denial.side === 'client')) {
    observeRequest(observer, call, 'client', refusedAt === 'client');
    if (refusedAt === undefined && !call.unanswered && answered(call))
      observeResponse(observer, call, 'client');
  }
  const reached = denial === undefined || refusedAt === 'server';
  if (call.ingressProxied && call.server.managed && reached) {
    observeRequest(observer, call, 'server', refusedAt === 'server');
    if (refusedAt === undefined && !call.unanswered) observeResponse(observer, call, 'server');
  }
}

/** Behind a denied connection only an HTTP proxy has something to say to its client. */
function answered(call: Call): boolean {
  return call.denial === undefined || call.request?.kind === 'http';
}

function observeRequest(observer: Observer, call: Call, side: 'client' | 'server', refused: boolean): void {
  const received = side === 'client' ? call.clientRequestNs : call.serverRequestNs;
  const step = side === 'client' ? 20 : 21;
  const late = jitter(call, step, 1000) < LATE_PER_MILLE ? 12e6 : 0;
  const seen = record(observer, call, side, received + 50_000 + jitter(call, step + 2, 200_000) + late);
  seen.l7 = L7.request;
  seen.reply = REPLY.no;
  if (refused) seen.verdict = VERDICT.dropped;
}

function observeResponse(observer: Observer, call: Call, side: 'client' | 'server'): void {
  const sent = side === 'client' ? call.clientResponseNs : call.serverResponseNs;
  const step = side === 'client' ? 30 : 31;
  const seen = record(observer, call, side, sent + 260_000 + jitter(call, step, 100_000));
  seen.l7 = L7.response;
  seen.reply = REPLY.yes;
  seen.fromClient = false;
  seen.latencyNs = side === 'client' ? call.clientLatencyNs : call.serverLatencyNs;
}

function record(observer: Observer, call: Call, side: 'client' | 'server', atNs: number): Observation {
  const node = side === 'client' ? call.client.node : call.server.node;
  const seen = observer.add(call, EVENT.l7, node, atNs);
  seen.direction = side === 'client' ? DIRECTION.egress : DIRECTION.ingress;
  seen.clientPort = side === 'client' ? call.clientPort : wirePort(call);
  return seen;
}
