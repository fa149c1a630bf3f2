import { laneOf } from '../batch/lanes.js';
import { WireWriter } from '../wire/wire-writer.js';
import type { FlowContext } from './flow-context.js';

const EVENT_TYPE = laneOf('event_type');
const EVENT_SUB_TYPE = laneOf('event_sub_type');
const IS_REPLY = laneOf('is_reply');
const IP_TRACE_ID = laneOf('ip_trace_id');
const IP_OPTION_TYPE = laneOf('ip_option_type');
const AGGREGATE_INGRESS = laneOf('aggregate_ingress');
const AGGREGATE_EGRESS = laneOf('aggregate_egress');
const AGGREGATE_UNKNOWN = laneOf('aggregate_unknown');

/** `google.protobuf.Timestamp` (field 1). */
export function decodeTime(context: FlowContext): void {
  const { reader } = context;
  const outer = context.enter(0);
  const { end } = reader;
  context.timePresent = true;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) {
      reader.varint64();
      context.secondsLo = reader.lo;
      context.secondsHi = reader.hi;
    } else if (tag === 16) context.nanos = reader.uint32() | 0;
    else context.keep(tag, 1);
  }
  context.leave(outer);
}

/** A message of two strings, fields 1 and 2. */
export function decodePair(context: FlowContext, field: number, first: number, second: number): void {
  const { reader } = context;
  const outer = context.enter(field);
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 10) context.string(first);
    else if (tag === 18) context.string(second);
    else context.keep(tag, field);
  }
  context.leave(outer);
}

/** A message of a uint32 and a string with the given tags. */
export function decodeNumberAndText(
  context: FlowContext,
  field: number,
  numberLane: number,
  textLane: number,
  numberTag: number,
  textTag: number,
): void {
  const { reader } = context;
  const outer = context.enter(field);
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === numberTag) context.set(numberLane, reader.uint32());
    else if (tag === textTag) context.string(textLane);
    else context.keep(tag, field);
  }
  context.leave(outer);
}

/** `flow.CiliumEventType` (field 19). */
export function decodeEventType(context: FlowContext): void {
  const { reader } = context;
  const outer = context.enter(0);
  const { end } = reader;
  context.eventTypePresent = true;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) context.set(EVENT_TYPE, reader.uint32());
    else if (tag === 16) context.set(EVENT_SUB_TYPE, reader.uint32());
    else context.keep(tag, 19);
  }
  context.leave(outer);
}

/** `google.protobuf.BoolValue`: present without a value means false. */
export function decodeIsReply(context: FlowContext): void {
  const { reader } = context;
  const outer = context.enter(0);
  const { end } = reader;
  if (context.get(IS_REPLY) === 0) context.set(IS_REPLY, 1);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) context.set(IS_REPLY, reader.bool() ? 2 : 1);
    else context.keep(tag, 26);
  }
  context.leave(outer);
}

/** `flow.TraceContext` (field 30). */
export function decodeTraceContext(context: FlowContext): void {
  const { reader, batch } = context;
  const outer = context.enter(30);
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag !== 10) {
      context.keep(tag, 30);
      continue;
    }
    const inner = context.enter(1, 30);
    const parentEnd = reader.end;
    while (reader.pos < parentEnd) {
      const parentTag = reader.uint32();
      if (parentTag === 10) context.bytes(batch.traceId);
      else context.keep(parentTag, 30, 1);
    }
    context.leave(inner);
  }
  context.leave(outer);
}

/** `flow.IPTraceID` (field 40). */
export function decodeIpTraceId(context: FlowContext): void {
  const { reader } = context;
  const outer = context.enter(40);
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) context.uint64(IP_TRACE_ID);
    else if (tag === 16) context.set(IP_OPTION_TYPE, reader.uint32());
    else context.keep(tag, 40);
  }
  context.leave(outer);
}

/** `flow.Aggregate` (field 21007). */
export function decodeAggregate(context: FlowContext): void {
  const { reader } = context;
  const outer = context.enter(0);
  const { end } = reader;
  context.aggregatePresent = true;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) context.set(AGGREGATE_INGRESS, reader.uint32());
    else if (tag === 16) context.set(AGGREGATE_EGRESS, reader.uint32());
    else if (tag === 24) context.set(AGGREGATE_UNKNOWN, reader.uint32());
    else context.keep(tag, 21_007);
  }
  context.leave(outer);
}

/** Labels of the node repeat from flow to flow, so the whole run of them is looked up at once; here it is only measured. */
export function nodeLabel(context: FlowContext): void {
  const { reader, nodeLabels } = context;
  const afterTag = reader.pos;
  const end = reader.lengthEnd();
  // The tag of field 37 is 0xaa 0x02, unless a sender pads its varints; then the field is written anew.
  const short = afterTag >= 2 && reader.buf[afterTag - 2] === 0xaa && reader.buf[afterTag - 1] === 0x02;
  if (short) nodeLabels.extend(reader, afterTag - 2, end);
  else {
    const field = new WireWriter(64);
    field.bytesField(37, reader.buf.subarray(reader.pos, end));
    nodeLabels.join(field.finish());
  }
  reader.pos = end;
}
