import { shallowHubbleProto } from './shallow.js';
import { isUtf8 } from './utf8.js';
import { WireReader } from './wire/wire-reader.js';

/** Which member of a response's oneof is set; `other` for none, or for one that is newer than this code. */
export type ResponseKind = 'flow' | 'node_status' | 'lost_events' | 'other';

const FLOW = (1 << 3) | 2;
const NODE_STATUS = (2 << 3) | 2;
const LOST_EVENTS = (3 << 3) | 2;
const NODE = (1000 << 3) | 2;
const TIME = (1001 << 3) | 2;
const SECONDS = 8;
const NANOS = 16;
const SECOND_NS = 1_000_000_000n;

/**
 * What a live source must know of each `observer.GetFlowsResponse` (or `observer.ExportEvent`): its kind, node and time.
 * One object, read again for each message, because it runs once for every flow that is received; finds the field
 * boundaries and decodes nothing else. Malformed bytes give what was found before the damage.
 */
export class ResponseHead {
  kind: ResponseKind = 'other';
  /** Node name as sent; '' when the message shows none. */
  node = '';
  /** Event time, ns since 1970; undefined when the message shows none. A hint: decoding decides. */
  timeNs: bigint | undefined;
  /** Where the oneof's member lies in the message last read. */
  start = 0;
  end = 0;
  readonly #reader = new WireReader();

  /** Reads one message. */
  read(bytes: Uint8Array): void {
    const reader = this.#reader;
    reader.load(bytes, 0, bytes.length);
    this.kind = 'other';
    this.node = '';
    this.timeNs = undefined;
    this.start = 0;
    this.end = 0;
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      if (tag === FLOW) this.#member('flow');
      else if (tag === NODE_STATUS) this.#member('node_status');
      else if (tag === LOST_EVENTS) this.#member('lost_events');
      else if (tag === NODE) this.#name();
      else if (tag === TIME) this.#time();
      else reader.skip(tag);
    }
    if (this.#isBareFlow()) this.#lookInside(bytes);
  }

  #member(kind: ResponseKind): void {
    const reader = this.#reader;
    const end = reader.lengthEnd();
    if (reader.bad) return;
    this.kind = kind;
    this.start = reader.pos;
    this.end = end;
    reader.pos = end;
  }

  #name(): void {
    const reader = this.#reader;
    const end = reader.lengthEnd();
    if (reader.bad) return;
    const { buf, pos } = reader;
    reader.pos = end;
    if (isUtf8(buf, pos, end))
      this.node = Buffer.from(buf.buffer, buf.byteOffset + pos, end - pos).toString();
  }

  #time(): void {
    const reader = this.#reader;
    const outer = reader.end;
    const end = reader.lengthEnd();
    if (reader.bad) return;
    let secondsLo = 0;
    let secondsHi = 0;
    let nanos = 0;
    reader.end = end;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === SECONDS) {
        reader.varint64();
        secondsLo = reader.lo;
        secondsHi = reader.hi;
      } else if (tag === NANOS) nanos = reader.uint32() | 0;
      else reader.skip(tag);
    }
    reader.end = outer;
    if (reader.bad) return;
    const seconds = BigInt.asIntN(64, (BigInt(secondsHi) << 32n) | BigInt(secondsLo));
    const ns = seconds * SECOND_NS + BigInt(nanos);
    if (BigInt.asIntN(64, ns) === ns) this.timeNs = ns;
  }

  /** A response without node or time of its own may have them in its flow. */
  #isBareFlow(): boolean {
    return this.kind === 'flow' && (this.node === '' || this.timeNs === undefined);
  }

  #lookInside(bytes: Uint8Array): void {
    const shallow = shallowHubbleProto(bytes);
    this.node = shallow.node;
    this.timeNs = shallow.timeNs;
  }
}
