import { laneOf } from '../batch/lanes.js';
import { WIRE_BYTES, WIRE_VARINT } from '../wire/wire-types.js';
import { readString, readStringLike } from './endpoint-draft.js';
import type { FlowContext } from './flow-context.js';
import { decodeIp, decodeL4 } from './l4-decoder.js';
import { decodeL7 } from './l7-decoder.js';
import {
  decodeAggregate,
  decodeEventType,
  decodeIpTraceId,
  decodeIsReply,
  decodeNumberAndText,
  decodePair,
  decodeTime,
  decodeTraceContext,
  nodeLabel,
} from './flow-messages.js';

const VERDICT = laneOf('verdict');
const DROP_REASON = laneOf('drop_reason');
const AUTH_TYPE = laneOf('auth_type');
const FLOW_TYPE = laneOf('flow_type');
const TRAFFIC_DIRECTION = laneOf('traffic_direction');
const POLICY_MATCH_TYPE = laneOf('policy_match_type');
const OBSERVATION_POINT = laneOf('trace_observation_point');
const TRACE_REASON = laneOf('trace_reason');
const DEBUG_CAPTURE_POINT = laneOf('debug_capture_point');
const SOCK_XLATE_POINT = laneOf('sock_xlate_point');
const SOCKET_COOKIE = laneOf('socket_cookie');
const CGROUP_ID = laneOf('cgroup_id');
const PROXY_PORT = laneOf('proxy_port');
const INTERFACE_INDEX = laneOf('interface_index');
const INTERFACE_NAME = laneOf('interface_name');
const FILE_NAME = laneOf('file_name');
const FILE_LINE = laneOf('file_line');
const EMITTER_NAME = laneOf('emitter_name');
const EMITTER_VERSION = laneOf('emitter_version');
const ETHERNET_SOURCE = laneOf('ethernet_source');
const ETHERNET_DESTINATION = laneOf('ethernet_destination');
const SRC_SERVICE_NAME = laneOf('src_service_name');
const SRC_SERVICE_NAMESPACE = laneOf('src_service_namespace');
const DST_SERVICE_NAME = laneOf('dst_service_name');
const DST_SERVICE_NAMESPACE = laneOf('dst_service_namespace');

/** Wire type of each field below 42 that has a place, 255 for the others. */
const WIRE_OF = new Uint8Array(42).fill(255);
for (const field of [1, 4, 5, 6, 8, 9, 11, 13, 14, 15, 19, 20, 21, 26, 28, 30, 34, 37, 38, 40, 41])
  WIRE_OF[field] = WIRE_BYTES;
for (const field of [2, 3, 10, 16, 22, 23, 24, 25, 27, 29, 31, 32, 33, 35, 36]) WIRE_OF[field] = WIRE_VARINT;

/**
 * Reads one `flow.Flow` from the reader (up to its `end`) into the open row of the context's batch. Nothing derived is
 * filled in, see `finishFlow`. On malformed bytes the reader is bad afterwards and the row must be rolled back.
 * Numbers and types: hubble note 1.1 and 1.2.
 */
export function decodeFlow(context: FlowContext): void {
  const { reader } = context;
  context.begin();
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (field < 42 && WIRE_OF[field] === (tag & 7)) {
      if ((tag & 7) === WIRE_VARINT) decodeNumber(context, field);
      else decodeMessage(context, field);
    } else decodeHighField(context, tag);
  }
}

function decodeNumber(context: FlowContext, field: number): void {
  switch (field) {
    case 2:
      return context.int16(VERDICT, 2);
    case 3:
      context.oldDropReason = context.reader.uint32();
      return;
    case 10:
      return context.int16(FLOW_TYPE, 10);
    case 16:
      context.oldReply = context.reader.bool();
      return;
    case 22:
      return context.int16(TRAFFIC_DIRECTION, 22);
    case 23:
      return context.narrow(POLICY_MATCH_TYPE, 0x7fff, 23);
    case 24:
      return context.int16(OBSERVATION_POINT, 24);
    case 25:
      return context.int16(DROP_REASON, 25);
    case 27:
      return context.int16(DEBUG_CAPTURE_POINT, 27);
    case 29:
      return context.set(PROXY_PORT, context.reader.uint32());
    case 31:
      return context.int16(SOCK_XLATE_POINT, 31);
    case 32:
      return context.uint64(SOCKET_COOKIE);
    case 33:
      return context.uint64(CGROUP_ID);
    case 35:
      return context.int16(AUTH_TYPE, 35);
    case 36:
      return context.int16(TRACE_REASON, 36);
  }
}

function decodeMessage(context: FlowContext, field: number): void {
  const { batch, reader, strings } = context;
  switch (field) {
    case 1:
      return decodeTime(context);
    case 4:
      return decodePair(context, 4, ETHERNET_SOURCE, ETHERNET_DESTINATION);
    case 5:
      return decodeIp(context);
    case 6:
      return decodeL4(context);
    case 8:
    case 9:
      return spanOf(context, field);
    case 11:
      context.nodeName = context.lastNodeName = readStringLike(context.lastNodeName, reader, strings);
      return;
    case 13:
      return batch.sourceNames.add(readString(reader, strings));
    case 14:
      return batch.destinationNames.add(readString(reader, strings));
    case 15:
      return decodeL7(context);
    case 19:
      return decodeEventType(context);
    case 20:
      return decodePair(context, 20, SRC_SERVICE_NAME, SRC_SERVICE_NAMESPACE);
    case 21:
      return decodePair(context, 21, DST_SERVICE_NAME, DST_SERVICE_NAMESPACE);
    default:
      return decodeRareMessage(context, field);
  }
}

function decodeRareMessage(context: FlowContext, field: number): void {
  switch (field) {
    case 26:
      return decodeIsReply(context);
    case 28:
      return decodeNumberAndText(context, 28, INTERFACE_INDEX, INTERFACE_NAME, 8, 18);
    case 30:
      return decodeTraceContext(context);
    case 34:
      return spanOf(context, field);
    case 37:
      return nodeLabel(context);
    case 38:
      return decodeNumberAndText(context, 38, FILE_LINE, FILE_NAME, 16, 10);
    case 40:
      return decodeIpTraceId(context);
    case 41:
      return decodePair(context, 41, EMITTER_NAME, EMITTER_VERSION);
  }
}

function decodeHighField(context: FlowContext, tag: number): void {
  const field = tag >>> 3;
  const { batch, reader } = context;
  if ((tag & 7) !== WIRE_BYTES) context.keep(tag);
  else if (field === 100_000) spanOf(context, field);
  else if (field === 21_001 || field === 21_002 || field === 21_004 || field === 21_005) {
    const end = reader.lengthEnd();
    batch.policies.tag(field, WIRE_BYTES);
    batch.policies.uint32(end - reader.pos);
    batch.policies.copy(reader.buf, reader.pos, end);
    reader.pos = end;
  } else if (field === 21_006) batch.policyLog.add(readString(reader, context.strings));
  else if (field === 21_007) decodeAggregate(context);
  else context.keep(tag);
}

function spanOf(context: FlowContext, field: number): void {
  const { reader } = context;
  const end = reader.lengthEnd();
  if (field === 8) context.source.merge(reader, reader.pos, end);
  else if (field === 9) context.destination.merge(reader, reader.pos, end);
  else if (field === 34) context.uuid.set(reader, reader.pos, end);
  else context.summary.set(reader, reader.pos, end);
  reader.pos = end;
}
