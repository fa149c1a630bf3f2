import { L7, type Observation } from '../observe/observation.js';
import type { DnsQuestion } from '../traffic/call.js';
import { urlOf } from './url.js';

const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [2, 'SYN'],
  [16, 'ACK'],
  [4, 'RST'],
  [1, 'FIN'],
  [8, 'PSH'],
];

/** As the packet library of the agent names them, the space after the first included. */
const RCODE_NAMES: Readonly<Record<number, string>> = { 2: 'Server Failure ', 3: 'Non-Existent Domain' };

/** What agents send as the time to live of an answer that has none. */
export const NO_TTL = 4_294_967_295;

const byFlags = new Map<number, string>();

/** The deprecated `Summary` text as the agent writes it (hubble note 4.3). */
export function summaryOf(seen: Observation): string {
  const { edge } = seen.call;
  if (seen.l7 !== L7.none) return l7Summary(seen);
  if (seen.call.server.kind === 'nobody') return '';
  const { transport } = edge;
  if (transport === 'UDP' || transport === 'SCTP') return transport;
  if (transport !== 'TCP') return `${transport} ${seen.fromClient ? 'EchoRequest' : 'EchoReply'}`;
  return seen.flags < 0 ? 'TCP' : flagSummary(seen.flags);
}

function flagSummary(flags: number): string {
  const known = byFlags.get(flags);
  if (known !== undefined) return known;
  const names = FLAG_NAMES.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  const text = `TCP Flags: ${names.join(', ')}`;
  byFlags.set(flags, text);
  return text;
}

function l7Summary(seen: Observation): string {
  const { call } = seen;
  const { request } = call;
  const response = seen.l7 === L7.response;
  if (request?.kind === 'http') {
    const what = `${request.method} ${urlOf(call)}`;
    if (!response) return `HTTP/1.1 ${what}`;
    return `HTTP/1.1 ${call.status} ${Math.floor(seen.latencyNs / 1e6)}ms (${what})`;
  }
  if (request?.kind === 'dns') return response ? dnsAnswer(request, call.status) : dnsQuery(request);
  if (request?.kind !== 'kafka') return '';
  const what = `${request.apiKey} correlation id ${request.correlationId} topic '${request.topic}'`;
  return response ? `Kafka response ${what} return code ${call.status}` : `Kafka request ${what}`;
}

function dnsQuery(request: DnsQuestion): string {
  return `DNS Query ${request.name} ${request.type}`;
}

function dnsAnswer(request: DnsQuestion, rcode: number): string {
  const ttl = request.ips.length > 0 ? request.ttl : NO_TTL;
  const addresses = request.ips.length > 0 ? `"${request.ips.join(',')}"` : '';
  const aliases = request.cnames.length > 0 ? ` CNAMEs: "${request.cnames.join(',')}"` : '';
  const result = rcode === 0 ? `${addresses}${aliases}` : `RCode: ${RCODE_NAMES[rcode] ?? rcode}`;
  return `DNS Answer ${result} TTL: ${ttl} (Proxy ${request.name} ${request.type})`;
}
