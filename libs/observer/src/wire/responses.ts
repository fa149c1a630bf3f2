import { WIRE_FIXED64, WireWriter } from '@flowledger/model';
import { writeTime, type OtherEvent } from '@flowledger/query';

/** Members of the oneof of `observer.GetFlowsResponse`. */
const NODE_STATUS = 2;
const LOST_EVENTS = 3;
/** Fields of the response around its member. */
export const NODE_NAME = 1000;
/** See {@link NODE_NAME}. */
export const TIME = 1001;
/** `relay.NodeState`: NODE_CONNECTED, NODE_UNAVAILABLE, NODE_ERROR. */
export const NODE_CONNECTED = 1;
/** See {@link NODE_CONNECTED}. */
export const NODE_UNAVAILABLE = 2;
const NODE_ERROR = 4;
/** `flow.LostEventSource` OBSERVER_EVENTS_QUEUE: lost between us and the client's stream. */
const OBSERVER_EVENTS_QUEUE = 2;
/** `peer.ChangeNotificationType`. */
const PEER_ADDED = 1;

/** A response around a lost event or a node status as it was sent. */
export function eventResponse(event: OtherEvent): Uint8Array {
  const out = new WireWriter(event.bytes.length + 64);
  out.bytesField(event.kind === 'node_status' ? NODE_STATUS : LOST_EVENTS, event.bytes);
  out.stringField(NODE_NAME, `${event.cluster}/${event.node}`);
  writeTime(out, TIME, event.timeNs);
  return out.finish();
}

/** A `GetAgentEventsResponse`. */
export function agentEventResponse(event: OtherEvent): Uint8Array {
  const out = new WireWriter(event.bytes.length + 64);
  out.bytesField(1, event.bytes);
  out.stringField(NODE_NAME, `${event.cluster}/${event.node}`);
  writeTime(out, TIME, event.timeNs);
  return out.finish();
}

/** Flows that this stream did not deliver. */
export interface LostFlows {
  readonly count: bigint;
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** A response that says how many flows a slow client missed. */
export function lostResponse(lost: LostFlows, nodeName: string): Uint8Array {
  const out = new WireWriter(128);
  const event = out.open(LOST_EVENTS);
  out.uint32Field(1, OBSERVER_EVENTS_QUEUE);
  out.uint64Field(2, lost.count);
  writeTime(out, 4, lost.fromNs);
  writeTime(out, 5, lost.toNs);
  out.close(event);
  out.stringField(NODE_NAME, nodeName);
  writeTime(out, TIME, lost.toNs);
  return out.finish();
}

/** A response that tells people something about the answer as a whole: a node status with a message. */
export function noticeResponse(message: string, nodeName: string, timeNs: bigint): Uint8Array {
  const out = new WireWriter(message.length + 64);
  const status = out.open(NODE_STATUS);
  out.uint32Field(1, NODE_ERROR);
  out.stringField(2, nodeName);
  out.stringField(3, message);
  out.close(status);
  out.stringField(NODE_NAME, nodeName);
  writeTime(out, TIME, timeNs);
  return out.finish();
}

/** A peer as `peer.ChangeNotification` names it. */
export interface Peer {
  readonly name: string;
  /** `host:port`. */
  readonly address: string;
  /** Name in its certificate; undefined for plain text. */
  readonly serverName: string | undefined;
}

/** A `ChangeNotification` of a peer that is there. */
export function peerAdded({ name, address, serverName }: Peer): Uint8Array {
  const out = new WireWriter(128);
  out.stringField(1, name);
  out.stringField(2, address);
  out.uint32Field(3, PEER_ADDED);
  if (serverName !== undefined) {
    const tls = out.open(4);
    out.stringField(1, serverName);
    out.close(tls);
  }
  return out.finish();
}

/** What `observer.ServerStatusResponse` says. */
export interface ServerStatus {
  readonly numFlows: bigint;
  readonly maxFlows: bigint;
  readonly seenFlows: bigint;
  readonly uptimeNs: bigint;
  readonly connectedNodes: number;
  readonly unavailableNodes: readonly string[];
  readonly version: string;
  readonly flowsRate: number;
}

/** Encodes a `ServerStatusResponse`; at most ten unavailable nodes are named, as the relay does. */
export function statusResponse(status: ServerStatus): Uint8Array {
  const out = new WireWriter(256);
  out.uint64Field(1, status.numFlows);
  out.uint64Field(2, status.maxFlows);
  out.uint64Field(3, status.seenFlows);
  out.uint64Field(4, status.uptimeNs);
  uint32Value(out, 5, status.connectedNodes);
  uint32Value(out, 6, status.unavailableNodes.length);
  for (const name of status.unavailableNodes.slice(0, 10)) out.stringField(7, name);
  out.stringField(8, status.version);
  double(out, 9, status.flowsRate);
  return out.finish();
}

function uint32Value(out: WireWriter, field: number, value: number): void {
  const mark = out.open(field);
  if (value !== 0) out.uint32Field(1, value);
  out.close(mark);
}

function double(out: WireWriter, field: number, value: number): void {
  out.tag(field, WIRE_FIXED64);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  out.raw(bytes);
}

/** A node of `GetNodesResponse`. */
export interface ObserverNode {
  readonly name: string;
  readonly state: number;
  readonly uptimeNs: bigint;
  readonly numFlows: bigint;
  readonly seenFlows: bigint;
}

/** Encodes a `GetNodesResponse`. */
export function nodesResponse(nodes: readonly ObserverNode[]): Uint8Array {
  const out = new WireWriter(256);
  for (const node of nodes) {
    const mark = out.open(1);
    out.stringField(1, node.name);
    out.uint32Field(4, node.state);
    out.uint64Field(6, node.uptimeNs);
    out.uint64Field(7, node.numFlows);
    out.uint64Field(9, node.seenFlows);
    out.close(mark);
  }
  return out.finish();
}

/** Encodes a `GetNamespacesResponse`. */
export function namespacesResponse(
  namespaces: readonly { readonly cluster: string; readonly name: string }[],
): Uint8Array {
  const out = new WireWriter(256);
  for (const { cluster, name } of namespaces) {
    const mark = out.open(1);
    out.stringField(1, cluster);
    out.stringField(2, name);
    out.close(mark);
  }
  return out.finish();
}
