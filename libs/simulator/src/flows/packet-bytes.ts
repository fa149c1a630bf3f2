import { DIRECTION, EVENT, POINT, type Observation } from '../observe/observation.js';
import type { Cluster } from '../topology/cluster.js';
import type { Party } from '../topology/party.js';
import type { WireWriter } from '../wire/wire-writer.js';

const IPV4 = 1;
const IPV6 = 2;
/** Types of an echo request and its reply. */
const ECHO = { ICMPv4: [8, 0], ICMPv6: [128, 129] } as const;
const VXLAN = 1;
const VXLAN_PORT = 8472;
const L4_FIELD = { TCP: 1, UDP: 2, ICMPv4: 3, ICMPv6: 4, SCTP: 5 } as const;

/** The two ends of the packet of a record, as the record gives them. */
export interface PacketEnds {
  readonly source: Party;
  readonly destination: Party;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** Who sends the packet of an observation to whom. */
export function endsOf(seen: Observation, sourceIsClient: boolean): PacketEnds {
  const { call } = seen;
  const { service } = call;
  const translated = !seen.toService || service === undefined;
  const server = translated ? call.server : service.party;
  const serverPort = translated ? call.edge.port : service.port;
  const clientPort = seen.type === EVENT.sock ? 0 : seen.clientPort;
  return sourceIsClient
    ? { source: call.client, destination: server, sourcePort: clientPort, destinationPort: serverPort }
    : { source: server, destination: call.client, sourcePort: serverPort, destinationPort: clientPort };
}

/** Writes `Flow.ethernet`: addresses of local endpoints, the node's own for what comes from or goes elsewhere. */
export function writeEthernet(w: WireWriter, seen: Observation, ends: PacketEnds, cluster: Cluster): void {
  const node = cluster.node(seen.node);
  const mark = w.begin(4);
  w.string(1, ends.source.node === seen.node ? ends.source.mac : node.mac);
  w.string(2, ends.destination.node === seen.node ? ends.destination.mac : node.mac);
  w.end(mark);
}

/** Writes `Flow.IP`. */
export function writeIp(w: WireWriter, seen: Observation, ends: PacketEnds, cluster: Cluster): void {
  const six = seen.call.edge.ipv6 === true;
  const mark = w.begin(5);
  w.string(1, six ? ends.source.ip6 : ends.source.ip);
  w.string(2, six ? ends.destination.ip6 : ends.destination.ip);
  w.uint(3, six ? IPV6 : IPV4);
  w.bool(4, seen.type === EVENT.trace && isEncrypted(seen, cluster));
  const masqueraded =
    seen.point === POINT.toNetwork && seen.direction === DIRECTION.egress && ends.source.kind === 'pod';
  if (masqueraded && !six) w.string(5, cluster.node(seen.node).ip);
  w.end(mark);
}

function isEncrypted(seen: Observation, cluster: Cluster): boolean {
  if (seen.point !== POINT.toOverlay) return false;
  const { client, server } = seen.call;
  return [client, server].every((party) => cluster.nodes[party.node]?.encrypts === true);
}

/** Writes `Flow.l4`. */
export function writeL4(w: WireWriter, seen: Observation, ends: PacketEnds): void {
  const { transport } = seen.call.edge;
  const mark = w.begin(6);
  const inner = w.begin(L4_FIELD[transport]);
  if (transport === 'ICMPv4' || transport === 'ICMPv6') w.uint(1, ECHO[transport][seen.fromClient ? 0 : 1]);
  else {
    w.uint(1, ends.sourcePort);
    w.uint(2, ends.destinationPort);
    if (transport === 'TCP' && seen.flags >= 0) writeFlags(w, seen.flags);
  }
  w.end(inner);
  w.end(mark);
}

function writeFlags(w: WireWriter, flags: number): void {
  const mark = w.begin(3);
  for (let bit = 0; bit < 9; bit++) w.uint(bit + 1, (flags >> bit) & 1);
  w.end(mark);
}

/** Writes `Flow.tunnel`: the outer packet between two nodes. */
export function writeTunnel(w: WireWriter, seen: Observation, cluster: Cluster): void {
  const { client, server } = seen.call;
  const mark = w.begin(39);
  w.uint(1, VXLAN);
  const ip = w.begin(2);
  w.string(1, cluster.node(client.node).ip);
  w.string(2, cluster.node(server.node).ip);
  w.uint(3, IPV4);
  w.end(ip);
  const l4 = w.begin(3);
  const udp = w.begin(L4_FIELD.UDP);
  w.uint(1, 40_000 + (seen.clientPort % 20_000));
  w.uint(2, VXLAN_PORT);
  w.end(udp);
  w.end(l4);
  w.uint(4, client.identity);
  w.end(mark);
}
