import { isUtf8 } from '../utf8.js';
import type { BytesBuilder } from '../batch/bytes-builder.js';
import type { FlowBatch } from '../batch/flow-batch.js';
import { ROW_LANES } from '../batch/lanes.js';
import type { StringTable } from '../batch/string-table.js';
import { WireReader } from '../wire/wire-reader.js';
import { WIRE_BYTES, WIRE_VARINT } from '../wire/wire-types.js';
import type { EndpointCache } from './endpoint-cache.js';
import { readStringLike } from './endpoint-draft.js';

/** A stretch of some buffer: the last value of a field that is looked at when the flow is complete. */
export class Span {
  buf: Uint8Array = new Uint8Array(0);
  view = new DataView(this.buf.buffer);
  start = 0;
  end = 0;
  present = false;

  clear(): void {
    this.present = false;
    this.start = 0;
    this.end = 0;
  }

  /** Points at `reader`'s buffer. */
  set(reader: WireReader, start: number, end: number): void {
    this.buf = reader.buf;
    this.view = reader.view;
    this.start = start;
    this.end = end;
    this.present = true;
  }

  /** Like {@link merge}, but only grows the stretch when the new one follows right behind it. */
  extend(reader: WireReader, start: number, end: number): void {
    if (this.present && this.buf === reader.buf && this.end === start) this.end = end;
    else this.merge(reader, start, end);
  }

  /** Adds a second occurrence of the same message: protobuf merges them, which joining their bytes does. */
  merge(reader: WireReader, start: number, end: number): void {
    if (this.present) this.join(reader.buf.subarray(start, end));
    else this.set(reader, start, end);
  }

  /** Adds bytes of another buffer. */
  join(bytes: Uint8Array): void {
    const first = this.buf.subarray(this.start, this.end);
    const joined = new Uint8Array(first.length + bytes.length);
    joined.set(first);
    joined.set(bytes, first.length);
    this.buf = joined;
    this.view = new DataView(joined.buffer);
    this.start = 0;
    this.end = joined.length;
    this.present = true;
  }
}

/**
 * The flow being decoded: the reader, the open row, and what is looked at only when all fields were seen. One object
 * for all flows; {@link begin} clears it.
 */
export class FlowContext {
  readonly reader = new WireReader();
  /** `Flow.source` (8) and `Flow.destination` (9). */
  readonly source = new Span();
  readonly destination = new Span();
  readonly uuid = new Span();
  readonly summary = new Span();
  /** String id of `Flow.node_name` (11). */
  nodeName = 0;
  lastNodeName = 0;
  timePresent = false;
  secondsLo = 0;
  secondsHi = 0;
  nanos = 0;
  eventTypePresent = false;
  aggregatePresent = false;
  /** Deprecated `Flow.drop_reason` (3) and `Flow.reply` (16). */
  oldDropReason = 0;
  oldReply = false;
  /** Every `Flow.node_labels` (37) with its tag. */
  readonly nodeLabels = new Span();
  /** Lanes of the batch, and where the open row's start. */
  readonly #lanes: Uint32Array;
  readonly #touched: Uint8Array;
  #base = 0;
  /** String id last read into each lane: names come in runs. */
  readonly #lastIds = new Uint32Array(ROW_LANES);

  constructor(
    readonly strings: StringTable,
    readonly endpoints: EndpointCache,
    readonly batch: FlowBatch,
  ) {
    this.#lanes = batch.lanes;
    this.#touched = batch.touched;
  }

  begin(): void {
    this.#base = this.batch.base;
    this.source.clear();
    this.destination.clear();
    this.uuid.clear();
    this.summary.clear();
    this.nodeName = 0;
    this.timePresent = false;
    this.secondsLo = 0;
    this.secondsHi = 0;
    this.nanos = 0;
    this.eventTypePresent = false;
    this.aggregatePresent = false;
    this.oldDropReason = 0;
    this.oldReply = false;
    this.nodeLabels.clear();
  }

  set(lane: number, value: number): void {
    this.#lanes[this.#base + lane] = value;
    this.#touched[lane] = 1;
  }

  get(lane: number): number {
    return this.#lanes[this.#base + lane] ?? 0;
  }

  /** A string field into a dictionary lane. */
  string(lane: number): void {
    const id = readStringLike(this.#lastIds[lane] ?? 0, this.reader, this.strings);
    this.#lastIds[lane] = id;
    this.set(lane, id);
  }

  /** A string field into a bytes column, checked for UTF-8. */
  bytes(column: BytesBuilder): void {
    const { reader } = this;
    const end = reader.lengthEnd();
    if (!column.set(reader.buf, reader.pos, end) && !isUtf8(reader.buf, reader.pos, end))
      reader.fail('invalid_utf8');
    else reader.pos = end;
  }

  /** Keeps `Flow.Summary` in its column. */
  checkedSummary(): void {
    const { summary, reader } = this;
    const ascii = this.batch.summary.set(summary.buf, summary.start, summary.end);
    if (!ascii && !isUtf8(summary.buf, summary.start, summary.end)) reader.fail('invalid_utf8');
  }

  /** Keeps a whole top-level string in `extra`. */
  keepSpan(span: Span, field: number): void {
    const { extra } = this.batch;
    if (!isUtf8(span.buf, span.start, span.end)) this.reader.fail('invalid_utf8');
    extra.tag(field, WIRE_BYTES);
    extra.uint32(span.end - span.start);
    extra.copy(span.buf, span.start, span.end);
  }

  /** An enum into an Int16 column; a number that does not fit stays in `extra`, inside `outer`, and the column is 0. */
  int16(lane: number, field: number, outer = 0): void {
    const value = this.reader.uint32() | 0;
    const fits = (value << 16) >> 16 === value;
    this.set(lane, fits ? value : 0);
    if (fits) return;
    const { extra } = this.batch;
    const mark = outer === 0 ? -1 : extra.open(outer);
    extra.tag(field, WIRE_VARINT);
    extra.int32(value);
    if (mark >= 0) extra.close(mark);
  }

  /** A uint32 into a narrower column; a number above `max` stays in `extra`, inside message `outer` (and `middle`). */
  narrow(lane: number, max: number, field: number, outer = 0, middle = 0): void {
    const value = this.reader.uint32();
    this.set(lane, value <= max ? value : 0);
    if (value <= max) return;
    const { extra } = this.batch;
    const mark = outer === 0 ? -1 : extra.open(outer);
    const inner = middle === 0 ? -1 : extra.open(middle);
    extra.uint32Field(field, value);
    if (inner >= 0) extra.close(inner);
    if (mark >= 0) extra.close(mark);
  }

  /** A uint64 into two lanes. */
  uint64(lane: number): void {
    this.reader.varint64();
    this.set(lane, this.reader.lo);
    this.set(lane + 1, this.reader.hi);
  }

  /** Keeps a field that has no column in `extra`, inside message `outer` (and `middle`, `inner`) when it was found there. */
  keep(tag: number, outer = 0, middle = 0, inner = 0): void {
    const { reader } = this;
    const start = reader.pos;
    reader.skip(tag);
    if (reader.bad) return;
    const { extra } = this.batch;
    const first = outer === 0 ? -1 : extra.open(outer);
    const second = middle === 0 ? -1 : extra.open(middle);
    const third = inner === 0 ? -1 : extra.open(inner);
    extra.uint32(tag);
    extra.copy(reader.buf, start, reader.pos);
    if (third >= 0) extra.close(third);
    if (second >= 0) extra.close(second);
    if (first >= 0) extra.close(first);
  }

  /** Enters a message; returns the end to give back to {@link leave}. An empty message has no columns, so it is noted. */
  enter(field: number, outerField = 0): number {
    const { reader } = this;
    const outer = reader.end;
    const end = reader.lengthEnd();
    if (end === reader.pos && field !== 0 && !reader.bad) this.noteEmpty(field, outerField);
    reader.end = end;
    return outer;
  }

  leave(outer: number): void {
    this.reader.end = outer;
  }

  /** Remembers in `extra` that message `field` was sent without content. */
  noteEmpty(field: number, outerField = 0): void {
    const { extra } = this.batch;
    const mark = outerField === 0 ? -1 : extra.open(outerField);
    extra.tag(field, WIRE_BYTES);
    extra.uint32(0);
    if (mark >= 0) extra.close(mark);
  }
}
