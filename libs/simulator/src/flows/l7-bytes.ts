import { hexText } from '../topology/names.js';
import { hash32 } from '../random.js';
import { L7, type Observation } from '../observe/observation.js';
import type { DnsQuestion, HttpRequest, KafkaRequest } from '../traffic/call.js';
import type { WireWriter } from '../wire/wire-writer.js';
import { NO_TTL } from './summary.js';
import { urlOf } from './url.js';

const LAYER7 = 15;

/** Writes `Flow.l7`: type, latency (responses only), and the protocol's record. */
export function writeL7(w: WireWriter, seen: Observation): void {
  const { request } = seen.call;
  const mark = w.begin(LAYER7);
  w.uint(1, seen.l7);
  w.uint(2, seen.latencyNs);
  if (request?.kind === 'dns') writeDns(w, seen, request);
  else if (request?.kind === 'http') writeHttp(w, seen, request);
  else if (request?.kind === 'kafka') writeKafka(w, seen, request);
  w.end(mark);
}

function writeDns(w: WireWriter, seen: Observation, request: DnsQuestion): void {
  const mark = w.begin(100);
  w.string(1, request.name);
  if (seen.l7 === L7.response) {
    for (const ip of request.ips) w.element(2, ip);
    w.uint(3, request.ips.length > 0 ? request.ttl : NO_TTL);
    for (const name of request.cnames) w.element(4, name);
  }
  w.string(5, 'proxy');
  if (seen.l7 === L7.response) w.uint(6, seen.call.status);
  w.element(7, request.type);
  if (seen.l7 === L7.response && request.cnames.length > 0) w.element(8, 'CNAME');
  if (seen.l7 === L7.response && request.ips.length > 0) w.element(8, request.type);
  w.end(mark);
}

function writeHttp(w: WireWriter, seen: Observation, request: HttpRequest): void {
  const { call } = seen;
  const response = seen.l7 === L7.response;
  const mark = w.begin(101);
  if (response) w.uint(1, call.status);
  w.string(2, request.method);
  w.string(3, urlOf(call));
  w.string(4, 'HTTP/1.1');
  writeHeader(w, response ? 'Server' : 'User-Agent', response ? 'envoy' : `${call.client.workload}/1.0`);
  if (call.requestId !== '') writeHeader(w, 'X-Request-Id', call.requestId);
  if (!response && call.traceId !== '') {
    const span = hexText(hash32(call.slot, call.index, 5), 16);
    writeHeader(w, 'Traceparent', `00-${call.traceId}-${span}-01`);
  }
  w.end(mark);
}

function writeHeader(w: WireWriter, key: string, value: string): void {
  const mark = w.begin(5);
  w.string(1, key);
  w.string(2, value);
  w.end(mark);
}

function writeKafka(w: WireWriter, seen: Observation, request: KafkaRequest): void {
  const mark = w.begin(102);
  if (seen.l7 === L7.response) w.uint(1, seen.call.status);
  w.uint(2, request.apiVersion);
  w.string(3, request.apiKey);
  w.uint(4, request.correlationId);
  w.string(5, request.topic);
  w.end(mark);
}
