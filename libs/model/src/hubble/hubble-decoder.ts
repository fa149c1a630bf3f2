import { FlowBatch } from '../batch/flow-batch.js';
import { StringTable } from '../batch/string-table.js';
import { Hash64 } from '../hash64.js';
import type { RejectReason } from '../outcome.js';
import { WireFields } from '../wire/wire-fields.js';
import { WireReader } from '../wire/wire-reader.js';
import { WIRE_BYTES } from '../wire/wire-types.js';
import { EndpointCache } from './endpoint-cache.js';
import { readStringLike } from './endpoint-draft.js';
import { decodeEvent, type DecodedEvent } from './event-decoder.js';
import { EventTime, TIME_ABSENT } from './event-time.js';
import { FlowContext, Span } from './flow-context.js';
import { decodeFlow } from './flow-decoder.js';
import { FlowFinisher, type LogPlace } from './flow-finisher.js';
import { RecordScope, type NodeScope } from './record-scope.js';

/** What an event turned out to be; a reject reason means a dead letter. */
export type Decoded = 'flow' | 'event' | 'unsupported_kind' | RejectReason;

const FLOW = 1;
const DEBUG_EVENT = 5;
const RESPONSE_NODE = (1000 << 3) | WIRE_BYTES;
const RESPONSE_TIME = (1001 << 3) | WIRE_BYTES;

/**
 * Decodes `observer.GetFlowsResponse` and `observer.ExportEvent` (the same field numbers), one event at a time. After
 * `flow` the row of {@link batch} is open: commit it or roll it back. After `event`, {@link event} holds it. Key, node
 * and time belong to the last event.
 */
export class HubbleDecoder {
  readonly strings = new StringTable();
  readonly endpoints = new EndpointCache(this.strings);
  readonly batch = new FlowBatch(this.strings);
  readonly scope: RecordScope;
  readonly finisher: FlowFinisher;
  /** Time of the last event. */
  time: EventTime;
  node: NodeScope | undefined;
  event: DecodedEvent | undefined;
  keyLo = 0;
  keyHi = 0;
  readonly #context = new FlowContext(this.strings, this.endpoints, this.batch);
  readonly #frame = new WireReader();
  readonly #body = new Span();
  readonly #eventTime = new EventTime();
  readonly #hash = new Hash64();
  #member = 0;
  #unknownMember = false;
  #responseNode = 0;
  #lastNode = 0;
  #timePresent = false;
  #secondsLo = 0;
  #secondsHi = 0;
  #nanos = 0;

  constructor(place: LogPlace, rawTtlMs: number) {
    this.scope = new RecordScope(this.strings, rawTtlMs);
    this.finisher = new FlowFinisher(this.#context, place);
    this.time = this.finisher.time;
  }

  /** Bytes held for the batch and between batches. */
  get cacheSize(): number {
    return this.strings.size + this.endpoints.size;
  }

  /** Decodes event number `index` of the record that {@link scope} stands on. */
  decode(buf: Uint8Array, start: number, end: number, index: number): Decoded {
    this.#readFrame(buf, start, end);
    if (this.#frame.bad) return this.#frame.reason;
    if (this.#member === 0) return this.#unknownMember ? 'unsupported_kind' : 'schema';
    if (this.#member === FLOW && this.#body.start === this.#body.end) return 'schema';
    if (this.#member === FLOW) return this.#flow(index);
    if (this.#member === DEBUG_EVENT) return 'unsupported_kind';
    return this.#other(index);
  }

  /** Sorts the parts of the response; of its oneof the last member counts. */
  #readFrame(buf: Uint8Array, start: number, end: number): void {
    const reader = this.#frame;
    reader.load(buf, start, end);
    this.#member = 0;
    this.#unknownMember = false;
    this.#responseNode = 0;
    this.#timePresent = false;
    this.#body.clear();
    while (reader.pos < end) {
      const tag = reader.uint32();
      const field = tag >>> 3;
      if (field >= FLOW && field <= DEBUG_EVENT && (tag & 7) === WIRE_BYTES) this.#takeMember(field);
      else if (tag === RESPONSE_NODE)
        this.#responseNode = this.#lastNode = readStringLike(this.#lastNode, reader, this.strings);
      else if (tag === RESPONSE_TIME) this.#takeTime();
      else {
        if (field < 1000) this.#unknownMember = true;
        reader.skip(tag);
      }
    }
  }

  #takeMember(field: number): void {
    const reader = this.#frame;
    const end = reader.lengthEnd();
    if (this.#member === field) this.#body.merge(reader, reader.pos, end);
    else this.#body.set(reader, reader.pos, end);
    this.#member = field;
    reader.pos = end;
  }

  #takeTime(): void {
    const reader = this.#frame;
    const outer = reader.end;
    const end = reader.lengthEnd();
    if (!this.#timePresent) {
      this.#secondsLo = 0;
      this.#secondsHi = 0;
      this.#nanos = 0;
    }
    this.#timePresent = true;
    reader.end = end;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === 8) {
        reader.varint64();
        this.#secondsLo = reader.lo;
        this.#secondsHi = reader.hi;
      } else if (tag === 16) this.#nanos = reader.uint32() | 0;
      else reader.skip(tag);
    }
    reader.end = outer;
  }

  #flow(index: number): Decoded {
    const context = this.#context;
    const { reader } = context;
    reader.load(this.#body.buf, this.#body.start, this.#body.end);
    decodeFlow(context);
    if (!reader.bad) {
      if (!context.timePresent && this.#timePresent) this.#lendTime();
      this.node = this.finisher.finish(this.scope, index, this.#responseNode);
      this.time = this.finisher.time;
      this.keyLo = this.finisher.keyLo;
      this.keyHi = this.finisher.keyHi;
    }
    if (!reader.bad) return 'flow';
    this.batch.rollbackRow();
    return reader.reason;
  }

  /** A flow without a time has that of its response. */
  #lendTime(): void {
    const context = this.#context;
    context.timePresent = true;
    context.secondsLo = this.#secondsLo;
    context.secondsHi = this.#secondsHi;
    context.nanos = this.#nanos;
  }

  #other(index: number): Decoded {
    const body = new WireFields(this.#body.buf, this.#body.start, this.#body.end);
    const outcome = decodeEvent(this.#member, body);
    if (!outcome.ok) return outcome.reason;
    this.event = outcome.value;
    this.node = this.scope.node(this.#responseNode);
    this.time = this.#eventTime;
    this.time.set(this.scope, this.#timePresent, this.#secondsLo, this.#secondsHi, this.#nanos);
    this.#eventKey(outcome.value, this.node, index);
    return 'event';
  }

  /** {@link Hash64} over node, time (log position where there is none) and the decoded content. */
  #eventKey(event: DecodedEvent, node: NodeScope, index: number): void {
    const hash = this.#hash;
    const { scope, strings } = this;
    hash.reset();
    strings.feed(hash, node.cluster);
    strings.feed(hash, node.node);
    if (this.time.quality === TIME_ABSENT) {
      hash.word(scope.offsetLo);
      hash.word(scope.offsetHi);
      hash.word(index);
    } else {
      hash.word(this.#secondsLo);
      hash.word(this.#secondsHi);
      hash.word(this.#nanos);
    }
    const { kind, type, count, firstTime, lastTime, nodes, namespace, pod, labels, text } = event;
    const numbers = [type, count, firstTime, lastTime].map(String);
    const content = JSON.stringify([kind, ...numbers, nodes, namespace, pod, labels, text]);
    strings.feed(hash, strings.idOfText(content));
    hash.finish();
    this.keyLo = hash.lo;
    this.keyHi = hash.hi;
  }
}
