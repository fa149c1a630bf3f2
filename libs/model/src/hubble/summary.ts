import { TextBuffer } from '../batch/text-buffer.js';

/** What a summary is made of; the columns of `flows` hold all of it. */
export interface SummaryParts {
  readonly l4Protocol: number;
  /** As in the column `tcp_flags`: bits 0 to 8, bit 9 = a flags message was sent. */
  readonly tcpFlags: number;
  readonly icmpType: number;
  readonly icmpCode: number;
  readonly l7Kind: number;
  readonly l7Type: number;
  readonly latencyNs: bigint;
  readonly http: {
    readonly code: number;
    readonly method: string;
    readonly url: string;
    readonly protocol: string;
  };
  readonly dns: {
    readonly query: string;
    readonly ips: readonly string[];
    readonly cnames: readonly string[];
    readonly ttl: number;
    readonly rcode: number;
    readonly qtypes: readonly string[];
    /** `observation_source`, normally `proxy`. */
    readonly source: string;
  };
  readonly kafka: {
    readonly errorCode: number;
    readonly apiKey: string;
    readonly correlationId: number;
    readonly topic: string;
  };
}

/** Bit and name of each TCP flag, in the order in which Cilium lists them (hubble note 4.3). */
// prettier-ignore
const FLAG_ORDER: readonly (readonly [bit: number, name: string])[] = [
  [1, 'SYN'], [4, 'ACK'], [2, 'RST'], [0, 'FIN'], [3, 'PSH'], [5, 'URG'], [6, 'ECE'], [7, 'CWR'], [8, 'NS'],
];

// prettier-ignore
const ICMP_V4_NAMES: Readonly<Record<number, string>> = {
  0: 'EchoReply', 3: 'DestinationUnreachable', 4: 'SourceQuench', 5: 'Redirect', 8: 'EchoRequest',
  9: 'RouterAdvertisement', 10: 'RouterSolicitation', 11: 'TimeExceeded', 12: 'ParameterProblem',
  13: 'TimestampRequest', 14: 'TimestampReply', 15: 'InfoRequest', 16: 'InfoReply',
  17: 'AddressMaskRequest', 18: 'AddressMaskReply',
};

// prettier-ignore
const ICMP_V6_NAMES: Readonly<Record<number, string>> = {
  1: 'DestinationUnreachable', 2: 'PacketTooBig', 3: 'TimeExceeded', 4: 'ParameterProblem', 128: 'EchoRequest',
  129: 'EchoReply', 133: 'RouterSolicitation', 134: 'RouterAdvertisement', 135: 'NeighborSolicitation',
  136: 'NeighborAdvertisement', 137: 'Redirect',
};

// prettier-ignore
const ICMP_CODES: Readonly<Record<string, readonly string[]>> = {
  '3:3': ['Net', 'Host', 'Protocol', 'Port', 'FragmentationNeeded', 'SourceRoutingFailed', 'NetUnknown', 'HostUnknown',
    'SourceIsolated', 'NetAdminProhibited', 'HostAdminProhibited', 'NetTOS', 'HostTOS', 'CommAdminProhibited',
    'HostPrecedence', 'PrecedenceCutoff'],
  '3:11': ['TTLExceeded', 'FragmentReassemblyTimeExceeded'],
  '4:1': ['NoRouteToDst', 'AdminProhibited', 'BeyondScopeOfSrc', 'AddressUnreachable', 'PortUnreachable',
    'SrcAddressFailedPolicy', 'RejectRouteToDst'],
  '4:3': ['HopLimitExceeded', 'FragmentReassemblyTimeExceeded'],
};

/** Response codes as packet libraries name them; 2 really ends in a space. */
// prettier-ignore
const RCODE_TEXTS: readonly string[] = [
  'No Error', 'Format Error', 'Server Failure ', 'Non-Existent Domain', 'Not Implemented', 'Query Refused',
  'Name Exists when it should not', 'RR Set Exists when it should not', 'RR Set that should exist does not',
  'Server Not Authoritative for zone', 'Name not contained in zone',
];

/** Made once: a buffer for each of the thousands of flows a second that a stream gives back is what they would cost most. */
const TEXT = new TextBuffer();

/**
 * The text that Cilium writes into the deprecated `Flow.Summary` (100000), made from the columns; the hubble CLI prints
 * it. '' where Cilium writes none. The forms are those of recorded flows and of hubble note 4.3.
 */
export function summaryOf(parts: SummaryParts): string {
  const out = TEXT;
  out.reset();
  if (parts.l7Kind === 1) writeDns(out, parts);
  else if (parts.l7Kind === 2) writeHttp(out, parts);
  else if (parts.l7Kind === 3) writeKafka(out, parts);
  else if (parts.l7Kind === 0)
    writeL4Summary(out, parts.l4Protocol, parts.tcpFlags, parts.icmpType, parts.icmpCode);
  return out.toString();
}

/** The summary of a flow without an l7 record. */
export function writeL4Summary(
  out: TextBuffer,
  protocol: number,
  flags: number,
  icmpType: number,
  icmpCode: number,
): void {
  if (protocol === 1) writeFlags(out, flags);
  else if (protocol === 2) out.ascii('UDP');
  else if (protocol === 3 || protocol === 4) writeIcmp(out, protocol, icmpType, icmpCode);
  else if (protocol === 5) out.ascii('SCTP');
  else if (protocol === 6) out.ascii('VRRP');
  else if (protocol === 7) out.ascii('IGMP');
}

function writeFlags(out: TextBuffer, flags: number): void {
  if (flags === 0) {
    out.ascii('TCP');
    return;
  }
  out.ascii('TCP Flags: ');
  let first = true;
  for (const [bit, name] of FLAG_ORDER) {
    if ((flags & (1 << bit)) === 0) continue;
    if (!first) out.ascii(', ');
    out.ascii(name);
    first = false;
  }
}

function writeIcmp(out: TextBuffer, protocol: number, type: number, code: number): void {
  out.ascii(protocol === 3 ? 'ICMPv4 ' : 'ICMPv6 ');
  const name = (protocol === 3 ? ICMP_V4_NAMES : ICMP_V6_NAMES)[type];
  const codes = ICMP_CODES[`${protocol}:${type}`];
  if (name === undefined) {
    out.ascii(`${type}(${code})`);
    return;
  }
  out.ascii(name);
  if (codes !== undefined) out.ascii(`(${codes[code] ?? `Code: ${code}`})`);
  else if (code !== 0) out.ascii(`(Code: ${code})`);
}

function writeHttp(out: TextBuffer, { http, l7Type, latencyNs }: SummaryParts): void {
  out.text(http.protocol);
  if (l7Type === 2) {
    out.ascii(` ${http.code} ${latencyNs / 1_000_000n}ms (`);
    out.text(`${http.method} ${http.url})`);
  } else out.text(` ${http.method} ${http.url}`);
}

function writeDns(out: TextBuffer, { dns, l7Type }: SummaryParts): void {
  const types = dns.qtypes.join(',');
  if (l7Type !== 2) {
    out.text(`DNS Query ${dns.query} ${types}`);
    return;
  }
  out.ascii('DNS Answer ');
  if (dns.rcode !== 0) writeRcode(out, dns.rcode);
  else {
    if (dns.ips.length > 0) out.text(`"${dns.ips.join(',')}"`);
    if (dns.ips.length > 0 && dns.cnames.length > 0) out.ascii(' ');
    if (dns.cnames.length > 0) out.text(`CNAMEs: "${dns.cnames.join(',')}"`);
  }
  out.ascii(` TTL: ${dns.ttl} (`);
  out.text(`${dns.source === 'proxy' ? 'Proxy' : dns.source} ${dns.query} ${types})`);
}

/** The response code of a DNS answer other than "no error". */
export function writeRcode(out: TextBuffer, rcode: number): void {
  out.ascii(`RCode: ${RCODE_TEXTS[rcode] ?? `RCode ${rcode}`}`);
}

function writeKafka(out: TextBuffer, { kafka, l7Type }: SummaryParts): void {
  if (l7Type === 1 || l7Type === 2)
    out.text(
      `Kafka ${l7Type === 1 ? 'request' : 'response'} ${kafka.apiKey} correlation id ${kafka.correlationId} topic '${kafka.topic}'`,
    );
  if (l7Type === 2) out.ascii(` return code ${kafka.errorCode}`);
}
