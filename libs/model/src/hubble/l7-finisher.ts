import { laneOf } from '../batch/lanes.js';
import { TextBuffer } from '../batch/text-buffer.js';
import { latencyBucketOf } from '../normalise/latency-bucket.js';
import { writePathTemplate } from '../normalise/path-template.js';
import type { IdListBuilder } from '../batch/dictionary.js';
import type { FlowContext } from './flow-context.js';
import { L7_DNS, L7_HTTP, L7_KAFKA } from './l7-decoder.js';
import { writeL4Summary, writeRcode } from './summary.js';

const KIND = laneOf('l7_kind');
const TYPE = laneOf('l7_type');
const LATENCY = laneOf('latency_ns');
const LATENCY_BUCKET = laneOf('latency_bucket');
const ENDPOINT = laneOf('endpoint');
const HTTP_CODE = laneOf('http_code');
const HTTP_METHOD = laneOf('http_method');
const HTTP_PROTOCOL = laneOf('http_protocol');
const HTTP_TEMPLATE = laneOf('http_path_template');
const DNS_QUERY = laneOf('dns_query');
const DNS_TTL = laneOf('dns_ttl');
const DNS_SOURCE = laneOf('dns_observation_source');
const DNS_RCODE = laneOf('dns_rcode');
const KAFKA_ERROR = laneOf('kafka_error_code');
const KAFKA_KEY = laneOf('kafka_api_key');
const KAFKA_CORRELATION = laneOf('kafka_correlation_id');
const KAFKA_TOPIC = laneOf('kafka_topic');
const L4_PROTOCOL = laneOf('l4_protocol');
const TCP_FLAGS = laneOf('tcp_flags');
const ICMP_TYPE = laneOf('icmp_type');
const ICMP_CODE = laneOf('icmp_code');

const SPACE = 0x20;
const DOT = 0x2e;
const RESPONSE = 2;
const COMMON_SUMMARIES = 1024 + 1;
const UDP_SUMMARY = 1024;

/** Fills what is derived from an l7 record, and decides whether the summary has to be kept. */
export class L7Finisher {
  readonly #text = new TextBuffer();
  /** Summaries of TCP by flags, and of UDP, which nearly all flows have. */
  readonly #common = Array.from<Uint8Array | undefined>({ length: COMMON_SUMMARIES });

  constructor(private readonly context: FlowContext) {}

  /** `latency_bucket`, `http_path_template` and `endpoint` of the open row. */
  finish(): void {
    const { context } = this;
    const kind = context.get(KIND);
    if (kind === 0) return;
    context.set(LATENCY_BUCKET, latencyBucketOf(context.get(LATENCY), context.get(LATENCY + 1)));
    if (kind === L7_HTTP) this.#httpEndpoint();
    else if (kind === L7_DNS) this.#dnsEndpoint();
    else if (kind === L7_KAFKA) this.#joined(KAFKA_KEY, KAFKA_TOPIC);
  }

  #httpEndpoint(): void {
    const { context } = this;
    const text = this.#text;
    text.reset();
    context.batch.httpUrl.writeOpenTemplate(text, writePathTemplate);
    context.set(HTTP_TEMPLATE, context.strings.idOfBuffer(text));
    this.#joined(HTTP_METHOD, HTTP_TEMPLATE);
  }

  #joined(first: number, second: number): void {
    const { context } = this;
    const text = this.#text;
    text.reset();
    context.strings.copyTo(text, context.get(first));
    if (text.pos > 0 && context.get(second) !== 0) text.byte(SPACE);
    context.strings.copyTo(text, context.get(second));
    context.set(ENDPOINT, context.strings.idOfBuffer(text));
  }

  #dnsEndpoint(): void {
    const { context } = this;
    const text = this.#text;
    text.reset();
    context.strings.copyTo(text, context.get(DNS_QUERY));
    if (text.pos > 1 && text.buf[text.pos - 1] === DOT) text.pos--;
    context.set(ENDPOINT, context.strings.idOfBuffer(text));
  }

  /** Whether the text of `Flow.Summary` is the one that `summaryOf` makes of the open row's columns. */
  summaryIsDerived(): boolean {
    const { context } = this;
    const { summary } = context;
    const common = this.#commonSummary();
    if (common !== undefined) {
      if (common.length !== summary.end - summary.start) return false;
      for (let i = 0; i < common.length; i++) if (common[i] !== summary.buf[summary.start + i]) return false;
      return true;
    }
    this.#text.reset();
    this.#write();
    return this.#text.equals(summary.buf, summary.start, summary.end);
  }

  #commonSummary(): Uint8Array | undefined {
    const { context } = this;
    const protocol = context.get(L4_PROTOCOL);
    if (context.get(KIND) !== 0 || protocol === 0 || protocol > 2) return undefined;
    const flags = protocol === 1 ? context.get(TCP_FLAGS) : 0;
    const index = protocol === 1 ? flags : UDP_SUMMARY;
    const known = this.#common[index];
    if (known !== undefined) return known;
    this.#text.reset();
    writeL4Summary(this.#text, protocol, flags, 0, 0);
    const made = this.#text.buf.slice(0, this.#text.pos);
    this.#common[index] = made;
    return made;
  }

  #write(): void {
    const { context } = this;
    const kind = context.get(KIND);
    if (kind === L7_HTTP) this.#writeHttp();
    else if (kind === L7_DNS) this.#writeDns();
    else if (kind === L7_KAFKA) this.#writeKafka();
    else if (kind === 0)
      writeL4Summary(
        this.#text,
        context.get(L4_PROTOCOL),
        context.get(TCP_FLAGS),
        context.get(ICMP_TYPE),
        context.get(ICMP_CODE),
      );
  }

  #writeHttp(): void {
    const { context } = this;
    const text = this.#text;
    this.#string(HTTP_PROTOCOL);
    text.byte(SPACE);
    const response = context.get(TYPE) === RESPONSE;
    if (response) {
      text.integer(context.get(HTTP_CODE));
      text.byte(SPACE);
      text.ascii(milliseconds(context.get(LATENCY), context.get(LATENCY + 1)));
      text.ascii('ms (');
    }
    this.#string(HTTP_METHOD);
    text.byte(SPACE);
    context.batch.httpUrl.copyOpen(text);
    if (response) text.byte(0x29);
  }

  #writeDns(): void {
    const { context } = this;
    const { batch } = context;
    const text = this.#text;
    const response = context.get(TYPE) === RESPONSE;
    text.ascii(response ? 'DNS Answer ' : 'DNS Query ');
    if (response) {
      if (context.get(DNS_RCODE) !== 0) writeRcode(text, context.get(DNS_RCODE));
      else this.#writeAnswers();
      text.ascii(' TTL: ');
      text.integer(context.get(DNS_TTL));
      text.ascii(' (');
      this.#writeSource();
    }
    this.#string(DNS_QUERY);
    text.byte(SPACE);
    this.#list(batch.dnsQtypes);
    if (response) text.byte(0x29);
  }

  #writeAnswers(): void {
    const { batch } = this.context;
    const text = this.#text;
    if (batch.dnsIps.open > 0) {
      text.byte(0x22);
      batch.dnsIps.copyOpen(text);
      text.byte(0x22);
      if (batch.dnsCnames.open > 0) text.byte(SPACE);
    }
    if (batch.dnsCnames.open > 0) {
      text.ascii('CNAMEs: "');
      this.#list(batch.dnsCnames);
      text.byte(0x22);
    }
  }

  #writeSource(): void {
    const text = this.#text;
    const from = text.pos;
    this.#string(DNS_SOURCE);
    if (isProxy(text, from)) text.buf[from] = 0x50;
    text.byte(SPACE);
  }

  #writeKafka(): void {
    const { context } = this;
    const text = this.#text;
    const type = context.get(TYPE);
    if (type !== 1 && type !== RESPONSE) return;
    text.ascii(type === RESPONSE ? 'Kafka response ' : 'Kafka request ');
    this.#string(KAFKA_KEY);
    text.ascii(' correlation id ');
    text.ascii(String(context.get(KAFKA_CORRELATION) | 0));
    text.ascii(" topic '");
    this.#string(KAFKA_TOPIC);
    text.byte(0x27);
    if (type !== RESPONSE) return;
    text.ascii(' return code ');
    text.ascii(String(context.get(KAFKA_ERROR) | 0));
  }

  #string(lane: number): void {
    this.context.strings.copyTo(this.#text, this.context.get(lane));
  }

  #list(list: IdListBuilder): void {
    for (let i = 0; i < list.open; i++) {
      if (i > 0) this.#text.byte(0x2c);
      this.context.strings.copyTo(this.#text, list.at(i));
    }
  }
}

function isProxy(text: TextBuffer, from: number): boolean {
  const { buf } = text;
  return (
    text.pos - from === 5 &&
    buf[from] === 0x70 &&
    buf[from + 1] === 0x72 &&
    buf[from + 2] === 0x6f &&
    buf[from + 3] === 0x78 &&
    buf[from + 4] === 0x79
  );
}

/** Whole milliseconds of a 64-bit number of ns. Exact: below 2^53 as a number, above through bigint. */
function milliseconds(lo: number, hi: number): string {
  if (hi < 0x20_0000) return String(Math.floor((hi * 0x1_0000_0000 + lo) / 1_000_000));
  return String(((BigInt(hi) << 32n) | BigInt(lo)) / 1_000_000n);
}
