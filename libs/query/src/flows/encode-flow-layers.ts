import type { WireWriter } from '@flowledger/model';
import type { DnsRecord, FlowRecord, HttpRecord, KafkaRecord } from './flow-record.js';

const TCP = 1;
const ICMP_V4 = 3;
const ICMP_V6 = 4;
const SCTP = 5;

/** `flow.Layer4` (6); VRRP and IGMP are whole in `extra`. */
export function encodeL4(out: WireWriter, flow: FlowRecord): void {
  const { l4Protocol } = flow;
  if (l4Protocol === 0 || l4Protocol > SCTP) return;
  const outer = out.open(6);
  const inner = out.open(l4Protocol);
  if (l4Protocol === ICMP_V4 || l4Protocol === ICMP_V6) {
    if (flow.icmp?.type) out.uint32Field(1, flow.icmp.type);
    if (flow.icmp?.code) out.uint32Field(2, flow.icmp.code);
  } else {
    if (flow.sourcePort !== 0) out.uint32Field(1, flow.sourcePort);
    if (flow.destinationPort !== 0) out.uint32Field(2, flow.destinationPort);
    if (l4Protocol === TCP && flow.tcpFlags !== null) encodeFlags(out, flow.tcpFlags);
  }
  out.close(inner);
  out.close(outer);
}

/** `flow.TCPFlags`: bit n is field n + 1. */
function encodeFlags(out: WireWriter, flags: number): void {
  const mark = out.open(3);
  for (let bit = 0; bit < 9; bit++) if ((flags & (1 << bit)) !== 0) out.uint32Field(bit + 1, 1);
  out.close(mark);
}

/** `flow.Layer7` (15). */
export function encodeL7(out: WireWriter, flow: FlowRecord): void {
  if (flow.l7Kind === 0) return;
  const outer = out.open(15);
  signed(out, 1, flow.l7Type);
  if (flow.latencyNs !== null) out.uint64Field(2, flow.latencyNs);
  if (flow.dns !== null) encodeDns(out, flow.dns);
  else if (flow.http !== null) encodeHttp(out, flow.http);
  else if (flow.kafka !== null) encodeKafka(out, flow.kafka);
  out.close(outer);
}

function encodeDns(out: WireWriter, dns: DnsRecord): void {
  const mark = out.open(100);
  text(out, 1, dns.query);
  texts(out, 2, dns.ips);
  if (dns.ttl !== 0) out.uint32Field(3, dns.ttl);
  texts(out, 4, dns.cnames);
  text(out, 5, dns.observationSource);
  if (dns.rcode !== 0) out.uint32Field(6, dns.rcode);
  texts(out, 7, dns.qtypes);
  texts(out, 8, dns.rrtypes);
  out.close(mark);
}

function encodeHttp(out: WireWriter, http: HttpRecord): void {
  const mark = out.open(101);
  if (http.code !== 0) out.uint32Field(1, http.code);
  text(out, 2, http.method);
  text(out, 3, http.url);
  text(out, 4, http.protocol);
  for (const { key, value } of http.headers) {
    const header = out.open(5);
    text(out, 1, key);
    text(out, 2, value);
    out.close(header);
  }
  out.close(mark);
}

function encodeKafka(out: WireWriter, kafka: KafkaRecord): void {
  const mark = out.open(102);
  signed(out, 1, kafka.errorCode);
  signed(out, 2, kafka.apiVersion);
  text(out, 3, kafka.apiKey);
  signed(out, 4, kafka.correlationId);
  text(out, 5, kafka.topic);
  out.close(mark);
}

function signed(out: WireWriter, field: number, value: number): void {
  if (value === 0) return;
  out.tag(field, 0);
  out.int32(value);
}

function text(out: WireWriter, field: number, value: string): void {
  if (value !== '') out.stringField(field, value);
}

function texts(out: WireWriter, field: number, values: readonly string[]): void {
  for (const value of values) out.stringField(field, value);
}
