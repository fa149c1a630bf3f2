import type { Party } from '../topology/party.js';
import type { DnsQuestion } from './call.js';
import type { Decision } from './decision.js';
import { EDGES } from './edge.js';

const NX_DOMAIN = 3;
const SERVER_FAILURE = 2;
/** Hosts that are an alias of another name. */
const ALIASES: Readonly<Record<string, string>> = {
  'api.example.com.': 'api.edge.example.net.',
  'hooks.example.org.': 'hooks.edge.example.net.',
};

/**
 * Looks a name up as a pod's resolver does: through the search domains while the name has fewer than five dots, for
 * IPv4 and IPv6. Returns when the client has the address, ns in the second.
 */
export function lookUp(
  decision: Decision,
  client: Party,
  name: string,
  address: string | undefined,
  atNs: number,
): number {
  const external = name.includes('.');
  const local = `${name}.${client.namespace}.svc.cluster.local.`;
  let at = atNs;
  if (external) at = bothTypes(decision, client, local, NX_DOMAIN, undefined, at);
  return bothTypes(decision, client, external ? `${name}.` : local, 0, address, at);
}

function bothTypes(
  decision: Decision,
  client: Party,
  name: string,
  rcode: number,
  address: string | undefined,
  atNs: number,
): number {
  const failed = decision.random.chance(EDGES.dns.faultShare);
  let at = atNs;
  for (const type of ['A', 'AAAA'] as const) {
    const ips = !failed && rcode === 0 && type === 'A' && address !== undefined ? [address] : [];
    const alias = ALIASES[name];
    const question: DnsQuestion = {
      kind: 'dns',
      name,
      type,
      rcode: failed ? SERVER_FAILURE : rcode,
      ips,
      cnames: ips.length > 0 && alias !== undefined ? [alias] : [],
      ttl: name.endsWith('.cluster.local.') ? 30 : 60 + decision.random.below(240),
    };
    const call = decision.begin(EDGES.dns, question, client, at);
    decision.answer(call, call.serverRequestNs, question.rcode);
    at = call.clientResponseNs;
  }
  return at;
}

/** A name that the DNS policy refuses: the proxy drops the request. */
export function refusedLookUp(decision: Decision, client: Party, name: string, atNs: number): void {
  const question: DnsQuestion = { kind: 'dns', name, type: 'A', rcode: 0, ips: [], cnames: [], ttl: 0 };
  const denial = { kind: 'request', reason: 0, side: 'client', byPolicy: true } as const;
  decision.begin(EDGES.dns, question, client, atNs, { denial });
}
