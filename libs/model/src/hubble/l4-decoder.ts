import { isUtf8 } from '../utf8.js';
import { laneOf } from '../batch/lanes.js';
import { parseIp, IP_CANONICAL } from '../batch/ip-text.js';
import type { FlowContext } from './flow-context.js';

const IP = 5;
const L4 = 6;
const TCP = 1;
const ICMP_V4 = 3;
const ICMP_V6 = 4;
const VRRP = 6;
/** Bit of `tcp_flags` that says a flags message was sent. */
export const FLAGS_PRESENT = 1 << 9;

const SRC_IP = laneOf('src_ip');
const DST_IP = laneOf('dst_ip');
const SRC_IP_XLATED = laneOf('src_ip_xlated');
const IP_VERSION = laneOf('ip_version');
const ENCRYPTED = laneOf('encrypted');
const PROTOCOL = laneOf('l4_protocol');
const SRC_PORT = laneOf('src_port');
const DST_PORT = laneOf('dst_port');
const FLAGS = laneOf('tcp_flags');
const ICMP_TYPE = laneOf('icmp_type');
const ICMP_CODE = laneOf('icmp_code');

/** Reads `flow.IP` (field 5) at the reader's position. */
export function decodeIp(context: FlowContext): void {
  const { reader } = context;
  const outer = context.enter(IP);
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 10) address(context, SRC_IP, tag);
    else if (tag === 18) address(context, DST_IP, tag);
    else if (tag === 24) context.int16(IP_VERSION, 3, IP);
    else if (tag === 32) context.set(ENCRYPTED, reader.bool() ? 1 : 0);
    else if (tag === 42) address(context, SRC_IP_XLATED, tag);
    else context.keep(tag, IP);
  }
  context.leave(outer);
}

/** An address as text; what the lanes cannot give back letter for letter stays in `extra` as well. */
function address(context: FlowContext, lane: number, tag: number): void {
  const { reader, batch } = context;
  const at = batch.base + lane;
  batch.lanes.fill(0, at, at + 4);
  batch.touched[lane] = 1;
  const start = reader.pos;
  const end = reader.lengthEnd();
  if (reader.bad || end === reader.pos) {
    reader.pos = end;
    return;
  }
  const form = parseIp(reader.buf, reader.pos, end, batch.lanes, at);
  if (form === IP_CANONICAL) reader.pos = end;
  else if (!isUtf8(reader.buf, reader.pos, end)) reader.fail('invalid_utf8');
  else {
    reader.pos = start;
    context.keep(tag, IP);
  }
}

/** Reads `flow.Layer4` (field 6) at the reader's position. */
export function decodeL4(context: FlowContext): void {
  const { reader } = context;
  const outer = context.enter(L4);
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const member = tag >>> 3;
    if ((tag & 7) !== 2 || member < 1 || member > 7) {
      context.keep(tag, L4);
      continue;
    }
    startMember(context, member);
    if (member === ICMP_V4 || member === ICMP_V6) decodeIcmp(context, member);
    else if (member >= VRRP) context.keep(tag, L4);
    else decodePorts(context, member);
  }
  context.leave(outer);
}

function startMember(context: FlowContext, member: number): void {
  const before = context.get(PROTOCOL);
  context.set(PROTOCOL, member);
  if (before === 0 || before === member) return;
  context.set(SRC_PORT, 0);
  context.set(DST_PORT, 0);
  context.set(FLAGS, 0);
  context.set(ICMP_TYPE, 0);
  context.set(ICMP_CODE, 0);
}

function decodePorts(context: FlowContext, member: number): void {
  const { reader } = context;
  const outer = context.enter(0);
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) context.narrow(SRC_PORT, 0xffff, 1, L4, member);
    else if (tag === 16) context.narrow(DST_PORT, 0xffff, 2, L4, member);
    else if (tag === 26 && member === TCP) decodeFlags(context);
    else context.keep(tag, L4, member);
  }
  context.leave(outer);
}

function decodeFlags(context: FlowContext): void {
  const { reader } = context;
  const outer = context.enter(0);
  const { end } = reader;
  let flags = context.get(FLAGS) | FLAGS_PRESENT;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    if ((tag & 7) !== 0 || field < 1 || field > 9) context.keep(tag, L4, TCP, 3);
    else if (reader.bool()) flags |= 1 << (field - 1);
    else flags &= ~(1 << (field - 1));
  }
  context.leave(outer);
  context.set(FLAGS, flags);
}

function decodeIcmp(context: FlowContext, member: number): void {
  const { reader } = context;
  const outer = context.enter(0);
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) context.narrow(ICMP_TYPE, 0xff, 1, L4, member);
    else if (tag === 16) context.narrow(ICMP_CODE, 0xff, 2, L4, member);
    else context.keep(tag, L4, member);
  }
  context.leave(outer);
}
