import protobuf from 'protobufjs';
import type { Pod, Workload } from './made-cluster.js';
import type { Random } from './random.js';

/** One flow to write. */
export interface FlowPlan {
  readonly kind: 'packet' | 'http' | 'dns' | 'drop';
  readonly seconds: number;
  readonly nanos: number;
  readonly server: Workload;
  readonly clientPod: Pod;
  readonly serverPod: Pod;
}

/** Tags of `flow.Flow` and `observer.GetFlowsResponse` by wire type 0 and 2 (proto/hubble). */
const tag = (field: number, wire: 0 | 2): number => ((field << 3) | wire) >>> 0;

const EMITTER = protobuf.Writer.create()
  .uint32(tag(1, 2))
  .string('Hubble')
  .uint32(tag(2, 2))
  .string('1.19.4+g7d68cfb3')
  .finish();

interface Sides {
  /** True: the record is about a packet from server to client. */
  readonly reply: boolean;
  /** True: the server's node saw it. */
  readonly atServer: boolean;
  readonly clientPort: number;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function uuid(random: Random): string {
  const parts: string[] = [];
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) parts.push('-');
    const byte = random.below(256);
    parts.push(HEX[i === 6 ? (byte & 15) | 64 : i === 8 ? (byte & 63) | 128 : byte] ?? '');
  }
  return parts.join('');
}

function writeTime(writer: protobuf.Writer, field: number, { seconds, nanos }: FlowPlan): void {
  writer.uint32(tag(field, 2)).fork();
  writer.uint32(tag(1, 0)).int64(seconds).uint32(tag(2, 0)).int32(nanos).ldelim();
}

/** Link layer, IP and ports. */
function writePacket(writer: protobuf.Writer, plan: FlowPlan, sides: Sides, flags: number): void {
  const { clientPod, serverPod } = plan;
  const [from, to] = sides.reply ? [serverPod, clientPod] : [clientPod, serverPod];
  const port = plan.kind === 'dns' ? 53 : plan.server.port;
  const [fromPort, toPort] = sides.reply ? [port, sides.clientPort] : [sides.clientPort, port];
  if (plan.kind === 'packet' || plan.kind === 'drop') {
    writer.uint32(tag(4, 2)).fork();
    writer.uint32(tag(1, 2)).string(`46:e5:ea:1f:95:${HEX[from.node] ?? ''}`);
    writer
      .uint32(tag(2, 2))
      .string(`d6:ec:b0:4a:ff:${HEX[to.node] ?? ''}`)
      .ldelim();
  }
  writer.uint32(tag(5, 2)).fork();
  writer.uint32(tag(1, 2)).string(from.ip).uint32(tag(2, 2)).string(to.ip);
  writer.uint32(tag(3, 0)).uint32(1).ldelim();
  writer.uint32(tag(6, 2)).fork();
  writer.uint32(tag(plan.kind === 'dns' ? 2 : 1, 2)).fork();
  writer.uint32(tag(1, 0)).uint32(fromPort).uint32(tag(2, 0)).uint32(toPort);
  if (flags !== 0) {
    writer.uint32(tag(3, 2)).fork();
    for (let bit = 0; bit < 9; bit++) if ((flags >>> bit) & 1) writer.uint32(tag(bit + 1, 0)).bool(true);
    writer.ldelim();
  }
  writer.ldelim().ldelim();
}

function writeHttp(writer: protobuf.Writer, plan: FlowPlan, sides: Sides, random: Random): string {
  const { server } = plan;
  const path = server.paths[random.below(server.paths.length)] ?? '/';
  const url = `http://${server.name}.${server.namespace}:${server.port}${path}/${random.below(100_000)}`;
  const code = random.chance(0.01) ? 503 : random.chance(0.03) ? 404 : 200;
  const latency = 200_000 + Math.floor(-Math.log(1 - random.next()) * 20_000_000);
  writer.uint32(tag(15, 2)).fork();
  writer.uint32(tag(1, 0)).uint32(sides.reply ? 2 : 1);
  if (sides.reply) writer.uint32(tag(2, 0)).uint64(latency);
  writer.uint32(tag(101, 2)).fork();
  if (sides.reply) writer.uint32(tag(1, 0)).uint32(code);
  writer.uint32(tag(2, 2)).string('GET').uint32(tag(3, 2)).string(url);
  writer.uint32(tag(4, 2)).string('HTTP/1.1').ldelim().ldelim();
  return sides.reply ? `HTTP/1.1 ${code} ${Math.floor(latency / 1e6)}ms (GET ${url})` : `HTTP/1.1 GET ${url}`;
}

function writeDns(writer: protobuf.Writer, plan: FlowPlan, sides: Sides, random: Random): string {
  const { server } = plan;
  const name = `${server.name}.${server.namespace}.svc.cluster.local.`;
  writer.uint32(tag(15, 2)).fork();
  writer.uint32(tag(1, 0)).uint32(sides.reply ? 2 : 1);
  if (sides.reply) writer.uint32(tag(2, 0)).uint64(80_000 + random.below(3_000_000));
  writer.uint32(tag(100, 2)).fork();
  writer.uint32(tag(1, 2)).string(name);
  if (sides.reply) writer.uint32(tag(2, 2)).string(plan.serverPod.ip).uint32(tag(3, 0)).uint32(30);
  writer.uint32(tag(5, 2)).string('proxy').uint32(tag(7, 2)).string('A').ldelim().ldelim();
  return sides.reply ? `DNS Answer "${plan.serverPod.ip}" TTL: 30 (Proxy ${name} A)` : `DNS Query ${name} A`;
}

function flagsOf(kind: FlowPlan['kind'], random: Random): number {
  if (kind === 'drop') return 0b10;
  if (kind !== 'packet') return 0;
  const draw = random.next();
  return draw < 0.15 ? 0b10 : draw < 0.3 ? 0b10001 : draw < 0.65 ? 0b11000 : 0b10000;
}

const FLAG_TEXT: Readonly<Record<number, string>> = {
  0b10: 'SYN',
  0b10001: 'ACK, FIN',
  0b11000: 'ACK, PSH',
  0b10000: 'ACK',
};

/** What the monitor says about where and why the packet was seen; ends with the fields after the endpoints. */
function writeMonitor(writer: protobuf.Writer, plan: FlowPlan, sides: Sides): void {
  const l7 = plan.kind === 'http' || plan.kind === 'dns';
  writer.uint32(tag(19, 2)).fork();
  writer.uint32(tag(1, 0)).int32(l7 ? 129 : plan.kind === 'drop' ? 1 : 4);
  if (plan.kind === 'drop') writer.uint32(tag(2, 0)).int32(133);
  writer.ldelim();
  writer.uint32(tag(22, 0)).uint32(sides.atServer ? 1 : 2);
  if (plan.kind === 'packet') {
    writer.uint32(tag(24, 0)).uint32(sides.atServer ? 101 : 3);
    writer.uint32(tag(36, 0)).uint32(sides.reply ? 3 : 2);
  }
  if (plan.kind === 'drop') writer.uint32(tag(25, 0)).uint32(133);
  else {
    writer.uint32(tag(26, 2)).fork();
    if (sides.reply) writer.uint32(tag(1, 0)).bool(true);
    writer.ldelim();
  }
  if (!l7) writer.uint32(tag(28, 2)).fork().uint32(tag(1, 0)).uint32(129).ldelim();
}

/** Writes one `observer.GetFlowsResponse` with a flow, as the agent of the node that saw it would. */
export function writeFlow(plan: FlowPlan, random: Random): { node: string; bytes: Uint8Array } {
  const { kind, clientPod, serverPod } = plan;
  const drop = kind === 'drop';
  const sides: Sides = {
    reply: !drop && random.chance(kind === 'packet' ? 0.5 : 0.6),
    atServer: drop || random.chance(0.5),
    clientPort: 32_768 + random.below(28_000),
  };
  const seenAt = sides.atServer ? serverPod : clientPod;
  const node = `prod-1/worker-${seenAt.node}`;
  const [from, to] = sides.reply ? [serverPod, clientPod] : [clientPod, serverPod];
  const flags = flagsOf(kind, random);
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, 2)).fork();
  writeTime(writer, 1, plan);
  writer.uint32(tag(2, 0)).uint32(drop ? 2 : 1);
  if (drop) writer.uint32(tag(3, 0)).uint32(133);
  writePacket(writer, plan, sides, flags);
  writer.uint32(tag(8, 2)).bytes(from.node === seenAt.node ? from.local : from.remote);
  writer.uint32(tag(9, 2)).bytes(to.node === seenAt.node ? to.local : to.remote);
  writer.uint32(tag(10, 0)).uint32(kind === 'http' || kind === 'dns' ? 2 : 1);
  writer.uint32(tag(11, 2)).string(node);
  let summary = flags === 0 ? '' : `TCP Flags: ${FLAG_TEXT[flags] ?? ''}`;
  if (kind === 'http') summary = writeHttp(writer, plan, sides, random);
  if (kind === 'dns') summary = writeDns(writer, plan, sides, random);
  writeMonitor(writer, plan, sides);
  writer.uint32(tag(34, 2)).string(uuid(random));
  for (const label of [
    'kubernetes.io/arch=amd64',
    'kubernetes.io/os=linux',
    `kubernetes.io/hostname=worker-${seenAt.node}`,
  ])
    writer.uint32(tag(37, 2)).string(label);
  writer.uint32(tag(41, 2)).bytes(EMITTER);
  writer.uint32(tag(100_000, 2)).string(summary).ldelim();
  writer.uint32(tag(1000, 2)).string(node);
  writeTime(writer, 1001, plan);
  return { node, bytes: writer.finish() };
}
