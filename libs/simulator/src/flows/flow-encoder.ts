import { DIRECTION, EVENT, L7, POINT, REPLY, type Observation } from '../observe/observation.js';
import { hash32 } from '../random.js';
import type { Cluster } from '../topology/cluster.js';
import { uuidText } from '../topology/names.js';
import { WireWriter } from '../wire/wire-writer.js';
import { EndpointBytes } from './endpoint-bytes.js';
import { writeL7 } from './l7-bytes.js';
import { endsOf, writeEthernet, writeIp, writeL4, writeTunnel, type PacketEnds } from './packet-bytes.js';
import { PolicyBytes } from './policy-bytes.js';
import { summaryOf } from './summary.js';

const TYPE_L3_L4 = 1;
const TYPE_L7 = 2;
const TYPE_SOCK = 3;
const PROXY_PORT = 12_300;

/** Where in the agent's source the drops of a reason are reported. */
const DROP_FILES: Readonly<Record<number, readonly [file: string, line: number]>> = {
  132: ['bpf_lxc.c', 1212],
  133: ['bpf_lxc.c', 1910],
  139: ['bpf_lxc.c', 1645],
  151: ['bpf_overlay.c', 520],
  155: ['conntrack.h', 1080],
  158: ['lb.h', 1760],
  181: ['bpf_lxc.c', 1910],
};

/** Encodes observations as `observer.GetFlowsResponse`, fields in the order of their numbers as agents send them. */
export class FlowEncoder {
  private readonly writer = new WireWriter(8192);
  private readonly endpoints: EndpointBytes;
  private readonly policies: PolicyBytes;
  /** Encoded `node_labels` and `emitter` of each node. */
  private readonly nodeLabels: readonly Uint8Array[];
  private readonly emitters: readonly Uint8Array[];

  constructor(
    private readonly seed: number,
    private readonly cluster: Cluster,
  ) {
    this.endpoints = new EndpointBytes(cluster.name);
    this.policies = new PolicyBytes(cluster);
    this.nodeLabels = cluster.nodes.map((node) => {
      const w = new WireWriter();
      for (const label of node.labels) w.element(37, label);
      return w.finish();
    });
    this.emitters = cluster.nodes.map(({ emitterVersion }) => {
      const w = new WireWriter();
      if (emitterVersion === '') return w.finish();
      const mark = w.begin(41);
      w.string(1, 'Hubble');
      w.string(2, emitterVersion);
      w.end(mark);
      return w.finish();
    });
  }

  /** The response bytes of one observation; the caller owns them. */
  encode(seen: Observation): Uint8Array {
    const w = this.writer;
    const node = this.cluster.node(seen.node);
    w.reset();
    const flow = w.begin(1);
    const dnsFromClient =
      node.dnsResponseFromClient && seen.l7 === L7.response && seen.call.request?.kind === 'dns';
    const ends = endsOf(seen, seen.fromClient || dnsFromClient);
    writeTime(w, 1, seen);
    this.writePacket(seen, ends);
    this.writeNames(seen, ends, node.absoluteName);
    if (seen.l7 !== L7.none) writeL7(w, seen);
    this.writeEvent(seen, ends);
    this.writeDetails(seen);
    this.writeAgent(seen);
    w.string(100_000, summaryOf(seen));
    w.end(flow);
    w.string(1000, node.absoluteName);
    writeTime(w, 1001, seen);
    return w.take();
  }

  private writePacket(seen: Observation, ends: PacketEnds): void {
    const w = this.writer;
    w.uint(2, seen.verdict);
    w.uint(3, seen.dropReason);
    if (seen.type !== EVENT.l7 && seen.type !== EVENT.sock) writeEthernet(w, seen, ends, this.cluster);
    if (seen.call.server.kind === 'nobody') return;
    writeIp(w, seen, ends, this.cluster);
    writeL4(w, seen, ends);
  }

  private writeNames(seen: Observation, ends: PacketEnds, nodeName: string): void {
    const w = this.writer;
    const { call } = seen;
    w.bytes(8, this.endpoints.of(ends.source, seen.node));
    w.bytes(9, this.endpoints.of(ends.destination, seen.node));
    w.uint(10, seen.type === EVENT.l7 ? TYPE_L7 : seen.type === EVENT.sock ? TYPE_SOCK : TYPE_L3_L4);
    w.string(11, nodeName);
    // Only the client's own agent has seen the client's look-ups.
    if (call.client.node !== seen.node) return;
    for (const name of ends.source.names) w.element(13, name);
    for (const name of ends.destination.names) w.element(14, name);
    if (seen.toService && call.service !== undefined)
      w.element(14, `${call.service.name}.${call.service.namespace}.svc.cluster.local`);
  }

  private writeEvent(seen: Observation, ends: PacketEnds): void {
    const w = this.writer;
    const { call } = seen;
    w.bool(16, seen.reply === REPLY.yes);
    const mark = w.begin(19);
    w.uint(1, seen.type);
    w.uint(2, subTypeOf(seen));
    w.end(mark);
    if (seen.toService && call.service !== undefined) {
      const field = ends.source === call.client ? 21 : 20;
      const service = w.begin(field);
      w.string(1, call.service.name);
      w.string(2, call.service.namespace);
      w.end(service);
    }
    w.uint(22, seen.direction);
    w.uint(23, seen.matchType);
    w.uint(24, seen.point);
    w.uint(25, seen.dropReason);
    if (seen.reply === REPLY.absent) return;
    const reply = w.begin(26);
    w.bool(1, seen.reply === REPLY.yes);
    w.end(reply);
  }

  private writeDetails(seen: Observation): void {
    const w = this.writer;
    this.writeInterface(seen);
    if (seen.point === POINT.toProxy) w.uint(29, PROXY_PORT + (seen.call.edge.port % 97));
    if (seen.l7 !== L7.none && seen.call.traceId !== '') {
      const context = w.begin(30);
      const parent = w.begin(1);
      w.string(1, seen.call.traceId);
      w.end(parent);
      w.end(context);
    }
    if (seen.type === EVENT.sock) {
      w.uint(31, seen.sockPoint);
      w.uint(32, 1 + hash32(this.seed, seen.call.slot, seen.call.index, 61));
      w.uint(33, 1000 + seen.call.client.endpointId);
    }
    if (seen.call.weight === 1) w.string(34, this.uuidOf(seen));
    if (seen.policy !== '' && !seen.denied) w.uint(35, this.cluster.policies.get(seen.policy)?.authType ?? 0);
    w.uint(36, seen.reason);
  }

  private writeInterface(seen: Observation): void {
    if (seen.type !== EVENT.trace) return;
    const { client, server } = seen.call;
    const w = this.writer;
    if (seen.point === POINT.toEndpoint) {
      const local = seen.fromClient ? server : client;
      writeInterface(w, local.interfaceIndex, local.interfaceName);
    } else if (seen.point === POINT.toOverlay) writeInterface(w, 6, 'cilium_vxlan');
    else if (seen.point === POINT.toNetwork) writeInterface(w, 2, 'eth0');
  }

  private writeAgent(seen: Observation): void {
    const w = this.writer;
    const labels = this.nodeLabels[seen.node];
    const emitter = this.emitters[seen.node];
    if (labels !== undefined) w.raw(labels);
    if (seen.type === EVENT.drop) {
      const [file, line] = DROP_FILES[seen.dropReason] ?? ['bpf_host.c', 900];
      const mark = w.begin(38);
      w.string(1, file);
      w.uint(2, line);
      w.end(mark);
    }
    if (seen.tunnel) writeTunnel(w, seen, this.cluster);
    if (emitter !== undefined) w.raw(emitter);
    if (seen.policy !== '') w.raw(this.policies.of(seen));
    if (seen.call.weight > 1) writeAggregate(w, seen);
  }

  private uuidOf(seen: Observation): string {
    const { call } = seen;
    return uuidText(this.seed, call.slot, call.index, seen.sequence);
  }
}

function subTypeOf(seen: Observation): number {
  if (seen.type === EVENT.drop) return seen.dropReason;
  if (seen.type === EVENT.sock) return seen.sockPoint;
  return seen.type === EVENT.trace && seen.point !== POINT.toEndpoint ? seen.point : 0;
}

function writeTime(w: WireWriter, field: number, seen: Observation): void {
  const mark = w.begin(field);
  w.uint(1, seen.second);
  w.uint(2, seen.nanos);
  w.end(mark);
}

function writeInterface(w: WireWriter, index: number, name: string): void {
  const mark = w.begin(28);
  w.uint(1, index);
  w.string(2, name);
  w.end(mark);
}

/** The counters of an aggregating exporter: all flows of the record have its direction. */
function writeAggregate(w: WireWriter, seen: Observation): void {
  const mark = w.begin(21_007);
  const field = seen.direction === DIRECTION.ingress ? 1 : seen.direction === DIRECTION.egress ? 2 : 3;
  w.uint(field, seen.call.weight);
  w.end(mark);
}
