import { instant, parseInstant } from './hubble/json-time.js';
import { parseRfc3339 } from './rfc3339.js';
import { isUtf8 } from './utf8.js';
import { WireReader } from './wire/wire-reader.js';

/** What a source needs to know of an event it does not decode: which stream it is of, and roughly when it was. */
export interface ShallowEvent {
  /** Node name as sent; '' when the event shows none. */
  readonly node: string;
  /** Event time, ns since 1970; absent when the event shows none. A hint: decoding decides. */
  readonly timeNs?: bigint;
}

const FLOW = (1 << 3) | 2;
const RESPONSE_NODE = (1000 << 3) | 2;
const RESPONSE_TIME = (1001 << 3) | 2;
const FLOW_TIME = (1 << 3) | 2;
const FLOW_NODE = (11 << 3) | 2;
const QUOTE = 0x22;
const CLOSE_BRACE = 0x7d;
const BEFORE_NODE = new TextEncoder().encode('"node_name":"');
const BEFORE_TIME = new TextEncoder().encode('","time":"');
const MOST_TEXT = 256;

/**
 * Node and time of an encoded `observer.GetFlowsResponse` (fields 1000 and 1001, else 11 and 1 of the flow). Reads only
 * the field boundaries; malformed bytes give what was found before the damage.
 */
export function shallowHubbleProto(bytes: Uint8Array): ShallowEvent {
  const reader = new WireReader();
  reader.load(bytes, 0, bytes.length);
  const found = new ShallowDraft();
  let flowStart = -1;
  let flowEnd = -1;
  while (reader.pos < reader.end) {
    const tag = reader.uint32();
    if (tag === FLOW) {
      flowEnd = reader.lengthEnd();
      flowStart = reader.pos;
      reader.pos = flowEnd;
    } else found.take(reader, tag, RESPONSE_NODE, RESPONSE_TIME);
  }
  if (flowStart >= 0 && !found.complete && !reader.bad) {
    reader.load(bytes, flowStart, flowEnd);
    const inFlow = new ShallowDraft();
    while (reader.pos < flowEnd) inFlow.take(reader, reader.uint32(), FLOW_NODE, FLOW_TIME);
    return inFlow.merge(found);
  }
  return found.result();
}

class ShallowDraft {
  node = '';
  timeNs: bigint | undefined;

  get complete(): boolean {
    return this.node !== '' && this.timeNs !== undefined;
  }

  take(reader: WireReader, tag: number, nodeTag: number, timeTag: number): void {
    if (tag !== nodeTag && tag !== timeTag) {
      reader.skip(tag);
      return;
    }
    const end = reader.lengthEnd();
    if (reader.bad) return;
    if (tag === nodeTag) this.node = text(reader.buf, reader.pos, end);
    else this.timeNs = timestamp(reader.buf, reader.pos, end);
    reader.pos = end;
  }

  /** The better of two looks: `preferred` where it found something. */
  merge(preferred: ShallowDraft): ShallowEvent {
    if (preferred.node !== '') this.node = preferred.node;
    if (preferred.timeNs !== undefined) this.timeNs = preferred.timeNs;
    return this.result();
  }

  result(): ShallowEvent {
    return this.timeNs === undefined ? { node: this.node } : { node: this.node, timeNs: this.timeNs };
  }
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return isUtf8(bytes, start, end)
    ? Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString()
    : '';
}

/** `google.protobuf.Timestamp` as ns since 1970; undefined when it is malformed or does not fit 64 bits. */
function timestamp(bytes: Uint8Array, start: number, end: number): bigint | undefined {
  const reader = new WireReader();
  reader.load(bytes, start, end);
  let seconds = 0n;
  let nanos = 0;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) {
      reader.varint64();
      seconds = BigInt.asIntN(64, (BigInt(reader.hi) << 32n) | BigInt(reader.lo));
    } else if (tag === 16) nanos = reader.uint32() | 0;
    else reader.skip(tag);
  }
  const ns = seconds * 1_000_000_000n + BigInt(nanos);
  return reader.bad || BigInt.asIntN(64, ns) !== ns ? undefined : ns;
}

/**
 * Node and time of one export line in any shape of hubble note 2.6 (envelope, bare flow, log-wrapped, snake_case or
 * lowerCamel), found by scanning for the last such key; nothing is parsed. The envelope's own members come last, so
 * they win over those inside the flow.
 */
export function shallowHubbleJson(line: Uint8Array): ShallowEvent {
  const bytes = Buffer.isBuffer(line) ? line : Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const common = shallowTail(bytes);
  if (common !== undefined) return common;
  const node = lastString(bytes, 'node_name') ?? lastString(bytes, 'nodeName') ?? '';
  const time = lastString(bytes, 'time');
  const timeNs = time === undefined ? undefined : parseRfc3339(time);
  return timeNs === undefined ? { node } : { node, timeNs };
}

/**
 * The same for a line that ends as Hubble's exporter writes it, `"node_name":"…","time":"…"}`: nothing can stand behind
 * these two members, so nothing has to be searched. Undefined for any other end.
 */
function shallowTail(bytes: Buffer): ShallowEvent | undefined {
  const timeEnd = bytes.length - 2;
  if (bytes[timeEnd] !== QUOTE || bytes[timeEnd + 1] !== CLOSE_BRACE) return undefined;
  const timeStart = quoteBefore(bytes, timeEnd) + 1;
  const nodeEnd = timeStart - BEFORE_TIME.length;
  if (!endsWith(bytes, BEFORE_TIME, timeStart)) return undefined;
  const nodeStart = quoteBefore(bytes, nodeEnd) + 1;
  if (!endsWith(bytes, BEFORE_NODE, nodeStart) || !parseInstant(bytes, timeStart, timeEnd)) return undefined;
  const seconds = BigInt.asIntN(64, (BigInt(instant.secondsHi) << 32n) | BigInt(instant.secondsLo));
  return {
    node: bytes.toString('utf8', nodeStart, nodeEnd),
    timeNs: seconds * 1_000_000_000n + BigInt(instant.nanos),
  };
}

/** Where the last quote before `end` stands, looking back no further than names and times are long; -1 for nowhere. */
function quoteBefore(bytes: Uint8Array, end: number): number {
  const least = Math.max(0, end - MOST_TEXT);
  for (let i = end - 1; i >= least; i--) if (bytes[i] === QUOTE) return i;
  return -1;
}

function endsWith(bytes: Uint8Array, text: Uint8Array, end: number): boolean {
  const start = end - text.length;
  if (start < 0) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

/** Value of the last string member named `key`: `"key":"value"`, or `\"key\":\"value\"` inside a log line. */
function lastString(bytes: Buffer, key: string): string | undefined {
  for (const quote of ['"', '\\"']) {
    const needle = `${quote}${key}${quote}`;
    const at = bytes.lastIndexOf(needle);
    if (at < 0) continue;
    let i = skipSpaces(bytes, at + needle.length);
    if (bytes[i] !== 0x3a) continue;
    i = skipSpaces(bytes, i + 1);
    if (bytes.toString('latin1', i, i + quote.length) !== quote) continue;
    const start = i + quote.length;
    const end = bytes.indexOf(quote, start);
    if (end >= 0) return bytes.toString('utf8', start, end);
  }
  return undefined;
}

function skipSpaces(bytes: Uint8Array, from: number): number {
  let i = from;
  while (bytes[i] === 0x20 || bytes[i] === 0x09) i++;
  return i;
}
