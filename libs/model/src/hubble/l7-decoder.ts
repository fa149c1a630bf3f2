import { isUtf8 } from '../utf8.js';
import { laneOf } from '../batch/lanes.js';
import type { FlowContext } from './flow-context.js';
import { readString } from './endpoint-draft.js';

const L7 = 15;
const DNS = 100;
const HTTP = 101;
const KAFKA = 102;
/** `l7_kind` of a DNS record. */
export const L7_DNS = 1;
/** `l7_kind` of an HTTP record. */
export const L7_HTTP = 2;
/** `l7_kind` of a Kafka record. */
export const L7_KAFKA = 3;
const L7_OTHER = 4;

const TYPE = laneOf('l7_type');
const KIND = laneOf('l7_kind');
const LATENCY = laneOf('latency_ns');
const HTTP_CODE = laneOf('http_code');
const HTTP_METHOD = laneOf('http_method');
const HTTP_PROTOCOL = laneOf('http_protocol');
const DNS_QUERY = laneOf('dns_query');
const DNS_TTL = laneOf('dns_ttl');
const DNS_SOURCE = laneOf('dns_observation_source');
const DNS_RCODE = laneOf('dns_rcode');
const KAFKA_ERROR = laneOf('kafka_error_code');
const KAFKA_VERSION = laneOf('kafka_api_version');
const KAFKA_KEY = laneOf('kafka_api_key');
const KAFKA_CORRELATION = laneOf('kafka_correlation_id');
const KAFKA_TOPIC = laneOf('kafka_topic');
const BODY_LANES = [
  HTTP_CODE,
  HTTP_METHOD,
  HTTP_PROTOCOL,
  DNS_QUERY,
  DNS_TTL,
  DNS_SOURCE,
  DNS_RCODE,
  KAFKA_ERROR,
  KAFKA_VERSION,
  KAFKA_KEY,
  KAFKA_CORRELATION,
  KAFKA_TOPIC,
];

/** Reads `flow.Layer7` (field 15) at the reader's position. */
export function decodeL7(context: FlowContext): void {
  const { reader } = context;
  const outer = context.enter(0);
  const { end } = reader;
  if (context.get(KIND) === 0) context.set(KIND, L7_OTHER);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) context.int16(TYPE, 1, L7);
    else if (tag === 16) context.uint64(LATENCY);
    else if (tag === ((DNS << 3) | 2)) decodeDns(context);
    else if (tag === ((HTTP << 3) | 2)) decodeHttp(context);
    else if (tag === ((KAFKA << 3) | 2)) decodeKafka(context);
    else context.keep(tag, L7);
  }
  context.leave(outer);
}

/** A oneof holds its last member only: another kind than before takes the columns of the first back. */
function startBody(context: FlowContext, kind: number): void {
  const before = context.get(KIND);
  context.set(KIND, kind);
  if (before === kind || before === L7_OTHER) return;
  for (const lane of BODY_LANES) context.set(lane, 0);
  const { batch } = context;
  batch.httpUrl.rollback();
  batch.headerKeys.rollback();
  batch.headerValues.rollback();
  batch.dnsIps.rollback();
  batch.dnsCnames.rollback();
  batch.dnsQtypes.rollback();
  batch.dnsRrtypes.rollback();
}

function decodeDns(context: FlowContext): void {
  const { reader, batch, strings } = context;
  startBody(context, L7_DNS);
  const outer = context.enter(0);
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 10) context.string(DNS_QUERY);
    else if (tag === 18) addChecked(context, batch.dnsIps);
    else if (tag === 24) context.set(DNS_TTL, reader.uint32());
    else if (tag === 34) batch.dnsCnames.add(readString(reader, strings));
    else if (tag === 42) context.string(DNS_SOURCE);
    else if (tag === 48) context.set(DNS_RCODE, reader.uint32());
    else if (tag === 58) batch.dnsQtypes.add(readString(reader, strings));
    else if (tag === 66) batch.dnsRrtypes.add(readString(reader, strings));
    else context.keep(tag, L7, DNS);
  }
  context.leave(outer);
}

function decodeHttp(context: FlowContext): void {
  const { reader, batch } = context;
  startBody(context, L7_HTTP);
  const outer = context.enter(0);
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) context.set(HTTP_CODE, reader.uint32());
    else if (tag === 18) context.string(HTTP_METHOD);
    else if (tag === 26) context.bytes(batch.httpUrl);
    else if (tag === 34) context.string(HTTP_PROTOCOL);
    else if (tag === 42) decodeHeader(context);
    else context.keep(tag, L7, HTTP);
  }
  context.leave(outer);
}

function decodeHeader(context: FlowContext): void {
  const { reader, batch, strings } = context;
  const outer = context.enter(0);
  const { end } = reader;
  let key = 0;
  let valueStart = 0;
  let valueEnd = 0;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 10) key = readString(reader, strings);
    else if (tag === 18) {
      valueEnd = reader.lengthEnd();
      valueStart = reader.pos;
      reader.pos = valueEnd;
    } else context.keep(tag, L7, HTTP, 5);
  }
  context.leave(outer);
  if (reader.bad) return;
  batch.headerKeys.add(key);
  if (!batch.headerValues.add(reader.buf, valueStart, valueEnd) && !isUtf8(reader.buf, valueStart, valueEnd))
    reader.fail('invalid_utf8');
}

function decodeKafka(context: FlowContext): void {
  const { reader } = context;
  startBody(context, L7_KAFKA);
  const outer = context.enter(0);
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) context.set(KAFKA_ERROR, reader.uint32());
    else if (tag === 16) context.set(KAFKA_VERSION, reader.uint32());
    else if (tag === 26) context.string(KAFKA_KEY);
    else if (tag === 32) context.set(KAFKA_CORRELATION, reader.uint32());
    else if (tag === 42) context.string(KAFKA_TOPIC);
    else context.keep(tag, L7, KAFKA);
  }
  context.leave(outer);
}

function addChecked(context: FlowContext, list: FlowContext['batch']['dnsIps']): void {
  const { reader } = context;
  const end = reader.lengthEnd();
  if (!list.add(reader.buf, reader.pos, end) && !isUtf8(reader.buf, reader.pos, end))
    reader.fail('invalid_utf8');
  else reader.pos = end;
}
