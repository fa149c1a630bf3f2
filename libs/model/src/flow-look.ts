import { Hash64 } from './hash64.js';
import { isUtf8 } from './utf8.js';
import { WireReader } from './wire/wire-reader.js';

const tag = (field: number, type: number): number => (field << 3) | type;
const VERDICT = tag(2, 0);
const TIME = tag(1, 2);
const L4 = tag(6, 2);
const SOURCE = tag(8, 2);
const DESTINATION = tag(9, 2);
const NODE = tag(11, 2);
const L7 = tag(15, 2);
const EVENT_TYPE = tag(19, 2);
const UUID = tag(34, 2);
const TCP = tag(1, 2);
const TCP_FLAGS = tag(3, 2);
const SYN = tag(2, 0);
const NAMESPACE = tag(3, 2);
const TYPE = tag(1, 0);

/**
 * The few facts about an encoded `flow.Flow` on which a source may decide without decoding it: verdict, kind,
 * namespaces, and a hash that is the same wherever the same flow comes from. One object, read again for each flow.
 * Malformed bytes give what was found before the damage.
 */
export class FlowLook {
  /** `Verdict` number. */
  verdict = 0;
  /** `event_type.type` number; -1 when absent. */
  eventType = -1;
  /** There is an L7 record. */
  l7 = false;
  /** The TCP flag SYN is set. */
  syn = false;
  sourceNamespace = '';
  destinationNamespace = '';
  /** 32 bits of {@link Hash64} over the uuid; over node and time where there is none. */
  hash = 0;
  readonly #reader = new WireReader();
  readonly #hash = new Hash64();

  /** Looks at the flow in `bytes[start, end)`. */
  read(bytes: Uint8Array, start: number, end: number): void {
    this.verdict = 0;
    this.eventType = -1;
    this.l7 = false;
    this.syn = false;
    this.sourceNamespace = '';
    this.destinationNamespace = '';
    const spans = this.#fields(bytes, start, end);
    this.#hash.reset();
    if (spans.uuidEnd > spans.uuidStart) this.#hash.bytes(bytes, spans.uuidStart, spans.uuidEnd);
    else {
      this.#hash.bytes(bytes, spans.timeStart, spans.timeEnd);
      this.#hash.bytes(bytes, spans.nodeStart, spans.nodeEnd);
    }
    this.#hash.finish();
    this.hash = this.#hash.lo;
  }

  #fields(bytes: Uint8Array, start: number, end: number): Spans {
    const reader = this.#reader;
    const spans = { uuidStart: 0, uuidEnd: 0, timeStart: 0, timeEnd: 0, nodeStart: 0, nodeEnd: 0 };
    reader.load(bytes, start, end);
    while (reader.pos < end) {
      const field = reader.uint32();
      if (field === VERDICT) this.verdict = reader.uint32();
      else if ((field & 7) !== 2) reader.skip(field);
      else {
        const stop = reader.lengthEnd();
        const from = reader.pos;
        if (reader.bad) break;
        this.#part(field, from, stop, spans);
        reader.end = end;
        reader.pos = stop;
      }
    }
    return spans;
  }

  /** One length-delimited field; the reader may be moved within it. */
  #part(field: number, from: number, stop: number, spans: Spans): void {
    if (field === UUID) [spans.uuidStart, spans.uuidEnd] = [from, stop];
    else if (field === TIME) [spans.timeStart, spans.timeEnd] = [from, stop];
    else if (field === NODE) [spans.nodeStart, spans.nodeEnd] = [from, stop];
    else if (field === L7) this.l7 = true;
    else if (field === SOURCE) this.sourceNamespace = this.#namespace(stop);
    else if (field === DESTINATION) this.destinationNamespace = this.#namespace(stop);
    else if (field === L4) this.syn = this.#hasSyn(stop);
    else if (field === EVENT_TYPE) this.eventType = this.#type(stop);
  }

  #namespace(stop: number): string {
    const reader = this.#reader;
    reader.end = stop;
    let found = '';
    while (reader.pos < stop) {
      const field = reader.uint32();
      if (field !== NAMESPACE) reader.skip(field);
      else {
        const end = reader.lengthEnd();
        if (isUtf8(reader.buf, reader.pos, end))
          found = Buffer.from(
            reader.buf.buffer,
            reader.buf.byteOffset + reader.pos,
            end - reader.pos,
          ).toString();
        reader.pos = end;
      }
    }
    return found;
  }

  #hasSyn(stop: number): boolean {
    const reader = this.#reader;
    reader.end = stop;
    // Into TCP, then into its flags; what lies behind either is not looked at.
    for (const inner of [TCP, TCP_FLAGS]) if (!this.#enter(inner)) return false;
    let syn = false;
    while (reader.pos < reader.end) {
      const field = reader.uint32();
      if (field === SYN) syn = reader.bool();
      else reader.skip(field);
    }
    return syn;
  }

  /** Moves into the first field with this tag; false when there is none. */
  #enter(inner: number): boolean {
    const reader = this.#reader;
    while (reader.pos < reader.end) {
      const field = reader.uint32();
      if (field === inner) {
        reader.end = reader.lengthEnd();
        return true;
      }
      reader.skip(field);
    }
    return false;
  }

  #type(stop: number): number {
    const reader = this.#reader;
    reader.end = stop;
    let type = 0;
    while (reader.pos < stop) {
      const field = reader.uint32();
      if (field === TYPE) type = reader.uint32() | 0;
      else reader.skip(field);
    }
    return type;
  }
}

interface Spans {
  uuidStart: number;
  uuidEnd: number;
  timeStart: number;
  timeEnd: number;
  nodeStart: number;
  nodeEnd: number;
}
