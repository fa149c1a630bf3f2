import { WireFields, WireWriter } from '@flowledger/model';

/** `observer.GetFlowsRequest`, as far as the fake understands it. */
export interface FlowsRequest {
  readonly number: bigint;
  readonly follow: boolean;
  readonly first: boolean;
  readonly sinceNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
}

/** A node as `GetNodes` and `Peer.Notify` describe it. */
export interface NodeFacts {
  readonly name: string;
  readonly address: string;
  readonly connected: boolean;
  readonly uptimeNs: bigint;
  readonly numFlows: number;
  readonly maxFlows: number;
  readonly seenFlows: number;
}

/** `relay.NodeState` numbers. */
export const NODE_STATE = { connected: 1, unavailable: 2, gone: 3, error: 4 } as const;

/** `peer.ChangeNotificationType` numbers. */
export const PEER_CHANGE = { added: 1, deleted: 2, updated: 3 } as const;

const SECOND_NS = 1_000_000_000n;

function timestampNs(time: WireFields | undefined): bigint | undefined {
  return time === undefined ? undefined : time.uint64(1) * SECOND_NS + BigInt(time.int32(2));
}

export function decodeFlowsRequest(bytes: Uint8Array): FlowsRequest {
  const fields = new WireFields(bytes);
  return {
    number: fields.uint64(1),
    follow: fields.uint64(3) !== 0n,
    first: fields.uint64(9) !== 0n,
    sinceNs: timestampNs(fields.message(7)),
    untilNs: timestampNs(fields.message(8)),
  };
}

/** `GetFlowsResponse` with a `relay.NodeStatusEvent`. */
export function encodeStatus(
  from: string,
  timeNs: bigint,
  state: number,
  names: readonly string[],
  message = '',
): Uint8Array {
  const w = new WireWriter();
  const body = w.open(2);
  w.uint32Field(1, state);
  for (const name of names) w.stringField(2, name);
  if (message !== '') w.stringField(3, message);
  w.close(body);
  return finish(w, from, timeNs);
}

/** `GetFlowsResponse` with a `flow.LostEvent` of the ring (source 3). */
export function encodeRingLoss(node: string, timeNs: bigint, count: number): Uint8Array {
  const w = new WireWriter();
  const body = w.open(3);
  w.uint32Field(1, 3);
  w.uint64Field(2, BigInt(count));
  w.close(body);
  return finish(w, node, timeNs);
}

function finish(w: WireWriter, node: string, timeNs: bigint): Uint8Array {
  w.stringField(1000, node);
  const time = w.open(1001);
  w.uint64Field(1, timeNs / SECOND_NS);
  w.uint32Field(2, Number(timeNs % SECOND_NS));
  w.close(time);
  return w.finish();
}

/** `observer.ServerStatusResponse`: sums, and the longest uptime. */
export function encodeServerStatus(nodes: readonly NodeFacts[]): Uint8Array {
  const sum = (of: (node: NodeFacts) => number): bigint =>
    BigInt(nodes.reduce((total, node) => total + of(node), 0));
  const w = new WireWriter();
  w.uint64Field(
    1,
    sum((node) => node.numFlows),
  );
  w.uint64Field(
    2,
    sum((node) => node.maxFlows),
  );
  w.uint64Field(
    3,
    sum((node) => node.seenFlows),
  );
  w.uint64Field(
    4,
    nodes.reduce((most, node) => (node.uptimeNs > most ? node.uptimeNs : most), 0n),
  );
  w.stringField(8, 'v1.19.4');
  return w.finish();
}

/** `observer.GetNodesResponse`. */
export function encodeNodes(nodes: readonly NodeFacts[]): Uint8Array {
  const w = new WireWriter();
  for (const node of nodes) {
    const mark = w.open(1);
    w.stringField(1, node.name);
    w.stringField(2, 'v1.19.4');
    w.stringField(3, node.address);
    w.uint32Field(4, node.connected ? NODE_STATE.connected : NODE_STATE.unavailable);
    w.uint64Field(6, node.uptimeNs);
    w.uint64Field(7, BigInt(node.numFlows));
    w.uint64Field(8, BigInt(node.maxFlows));
    w.uint64Field(9, BigInt(node.seenFlows));
    w.close(mark);
  }
  return w.finish();
}

/** `peer.ChangeNotification`. */
export function encodeChange(type: number, name: string, address: string, serverName?: string): Uint8Array {
  const w = new WireWriter();
  w.stringField(1, name);
  w.stringField(2, address);
  w.uint32Field(3, type);
  if (serverName !== undefined) {
    const tls = w.open(4);
    w.stringField(1, serverName);
    w.close(tls);
  }
  return w.finish();
}
