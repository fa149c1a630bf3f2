import type { Call } from '../traffic/call.js';
import { DIRECTION, EVENT, FLAG, REPLY, VERDICT } from './observation.js';
import { jitter, wirePort, type Observer } from './observer.js';

const L3_AND_L4 = 2;
const PRE_FORWARD = 1;
const POST_FORWARD = 2;

/** What is reported before the first packet travels: socket translation, and the verdicts that allow it. */
export function observeOpening(observer: Observer, call: Call): void {
  const { client, server, denial } = call;
  if (client.managed && call.translated && server.managed) observeTranslation(observer, call);
  const refusedAtClient = denial?.kind === 'packet' && denial.side === 'client';
  if (client.managed && call.egressPolicy !== '' && !refusedAtClient) observeEgressVerdict(observer, call);
  if (server.managed && denial?.kind !== 'packet') observeIngressVerdict(observer, call);
}

function observeTranslation(observer: Observer, call: Call): void {
  for (const point of [PRE_FORWARD, POST_FORWARD]) {
    const at = call.startNs - 30_000 + point * 2000;
    const seen = observer.add(call, EVENT.sock, call.client.node, at);
    seen.verdict = point === PRE_FORWARD ? VERDICT.traced : VERDICT.translated;
    seen.sockPoint = point;
    seen.toService = point === PRE_FORWARD;
  }
}

function observeEgressVerdict(observer: Observer, call: Call): void {
  const seen = observer.add(call, EVENT.verdict, call.client.node, call.startNs - 4000);
  seen.verdict = call.egressProxied ? VERDICT.redirected : VERDICT.forwarded;
  seen.direction = DIRECTION.egress;
  seen.reply = REPLY.no;
  seen.policy = call.egressPolicy;
  seen.matchType = L3_AND_L4;
  seen.clientPort = call.clientPort;
  seen.flags = synFlags(call);
}

function observeIngressVerdict(observer: Observer, call: Call): void {
  if (call.ingressPolicy === '' && !call.audited) return;
  const arrival = call.serverRequestNs - call.clientRequestNs;
  const at = call.startNs + arrival - 4000 + jitter(call, 1, 2000);
  const seen = observer.add(call, EVENT.verdict, call.server.node, at);
  seen.verdict = call.audited ? VERDICT.audit : call.ingressProxied ? VERDICT.redirected : VERDICT.forwarded;
  seen.direction = DIRECTION.ingress;
  seen.reply = REPLY.no;
  seen.policy = call.audited ? '' : call.ingressPolicy;
  seen.matchType = call.audited ? 0 : L3_AND_L4;
  seen.clientPort = wirePort(call);
  seen.flags = synFlags(call);
}

/** Flags of a first packet; -1 where the protocol has none. */
export function synFlags(call: Call): number {
  return call.edge.transport === 'TCP' ? FLAG.syn : -1;
}
