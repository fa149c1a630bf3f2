import { WireFields, WireWriter } from '@flowledger/model';

/** What `GetFlows` is asked for (proto/hubble/observer.proto, GetFlowsRequest). */
export interface FlowsRequest {
  /** Inclusive, ns since 1970. */
  readonly sinceNs: bigint;
  readonly follow: boolean;
}

/** A node, or all of them together, as the server counts them. */
export interface NodeCount {
  /** As the server spells it; '' for all nodes together. */
  readonly name: string;
  /** False when the server knows that it cannot reach the node. */
  readonly connected: boolean;
  /** Flows since the agent started. */
  readonly seenFlows: bigint;
  readonly uptimeNs: bigint;
}

/** A change of the set of agents (`peer.ChangeNotification`). */
export interface PeerChange {
  readonly name: string;
  readonly address: string;
  readonly gone: boolean;
  /** Name in the agent's certificate; undefined when the peer has no TLS. */
  readonly serverName: string | undefined;
}

/** `relay.NodeState` numbers. */
export const NODE_STATE = { connected: 1, unavailable: 2, gone: 3, error: 4 } as const;

const PEER_DELETED = 2;
const SECOND_NS = 1_000_000_000n;

/** Encodes `observer.GetFlowsRequest`. The time goes with its nanoseconds: cut to seconds, a resume would begin too early. */
export function encodeFlowsRequest({ sinceNs, follow }: FlowsRequest): Uint8Array {
  const w = new WireWriter(64);
  if (follow) w.uint32Field(3, 1);
  writeTime(w, 7, sinceNs);
  return w.finish();
}

/** Decodes `observer.ServerStatusResponse`, the counts of all nodes together. Undefined when malformed. */
export function decodeServerStatus(bytes: Uint8Array): NodeCount | undefined {
  const fields = new WireFields(bytes);
  if (fields.bad) return undefined;
  return { name: '', connected: true, seenFlows: fields.uint64(3), uptimeNs: fields.uint64(4) };
}

/** Decodes `observer.GetNodesResponse`. Undefined when malformed. */
export function decodeNodes(bytes: Uint8Array): readonly NodeCount[] | undefined {
  const fields = new WireFields(bytes);
  const nodes = fields.messages(1).map((node) => ({
    name: node.text(1),
    connected: node.int32(4) === NODE_STATE.connected,
    uptimeNs: node.uint64(6),
    seenFlows: node.uint64(9),
  }));
  return fields.bad ? undefined : nodes;
}

/** Decodes `peer.ChangeNotification`. Undefined when malformed, or without a name. */
export function decodeChange(bytes: Uint8Array): PeerChange | undefined {
  const fields = new WireFields(bytes);
  const tls = fields.message(4);
  const change = {
    name: fields.text(1),
    address: fields.text(2),
    gone: fields.int32(3) === PEER_DELETED,
    serverName: tls?.text(1),
  };
  return fields.bad || change.name === '' ? undefined : change;
}

/** State and names of a `relay.NodeStatusEvent` that lies in `bytes[start, end)`. */
export function readNodeStatus(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly state: number; readonly names: readonly string[] } {
  const fields = new WireFields(bytes, start, end);
  return { state: fields.int32(1), names: fields.texts(2) };
}

/** `num_events_lost` of a `flow.LostEvent` that lies in `bytes[start, end)`. */
export function readLostCount(bytes: Uint8Array, start: number, end: number): bigint {
  return new WireFields(bytes, start, end).uint64(2);
}

/**
 * A `GetFlowsResponse` with a node status of our own making: how an interruption that only the client can know of gets
 * into the log beside what the relay says.
 */
export function encodeNodeStatus(
  sender: string,
  timeNs: bigint,
  state: number,
  node: string,
  message: string,
): Uint8Array {
  const w = new WireWriter(128);
  const body = w.open(2);
  w.uint32Field(1, state);
  w.stringField(2, node);
  w.stringField(3, message);
  w.close(body);
  w.stringField(1000, sender);
  writeTime(w, 1001, timeNs);
  return w.finish();
}

function writeTime(w: WireWriter, field: number, timeNs: bigint): void {
  const mark = w.open(field);
  w.uint64Field(1, timeNs / SECOND_NS);
  w.uint32Field(2, Number(timeNs % SECOND_NS));
  w.close(mark);
}
