import type { Loss } from '../faults/losses.js';
import type { Party } from '../topology/party.js';
import type { NodePlan } from '../topology/nodes.js';
import { WireWriter } from '../wire/wire-writer.js';

const NODE_STATUS = 2;
const LOST_EVENTS = 3;
const AGENT_EVENT = 4;

/** `relay.NodeState` numbers. */
export const NODE_STATE = { connected: 1, unavailable: 2 } as const;

/** `AgentEventType` numbers of the events that the simulator sends. */
export const AGENT_EVENT_TYPE = {
  agentStarted: 2,
  policyUpdated: 3,
  endpointRegenerated: 5,
  endpointCreated: 7,
  endpointDeleted: 8,
  ipcacheUpserted: 9,
  ipcacheDeleted: 10,
} as const;

/** A moment by a node's clock. */
export interface Moment {
  readonly second: number;
  readonly nanos: number;
}

/** Encodes a lost-events message as a relay passes it on. `Flow` numbers do not apply: see `flow.LostEvent`. */
export function encodeLoss(node: NodePlan, second: number, loss: Loss): Uint8Array {
  return envelope(LOST_EVENTS, node.absoluteName, { second, nanos: loss.reportNanos }, (w) => {
    w.uint(1, loss.source);
    w.uint(2, loss.count);
    if (loss.cpu !== undefined) {
      const cpu = w.begin(3);
      w.uint(1, loss.cpu);
      w.end(cpu);
    }
    writeMoment(w, 4, { second, nanos: loss.firstNanos });
    writeMoment(w, 5, { second, nanos: loss.lastNanos });
  });
}

/** Encodes what a relay says about the nodes it reads; `node` is the one it runs on. */
export function encodeNodeStatus(
  node: NodePlan,
  at: Moment,
  state: number,
  names: readonly string[],
): Uint8Array {
  return envelope(NODE_STATUS, node.absoluteName, at, (w) => {
    w.uint(1, state);
    for (const name of names) w.element(2, name);
  });
}

/** Encodes a policy update of an agent (`PolicyUpdateNotification`). */
export function encodePolicyUpdate(
  node: NodePlan,
  at: Moment,
  labels: readonly string[],
  revision: number,
): Uint8Array {
  return agentEvent(node, at, AGENT_EVENT_TYPE.policyUpdated, 102, (w) => {
    for (const label of labels) w.element(1, label);
    w.uint(2, revision);
    w.uint(3, 1);
  });
}

/** Encodes the regeneration of an endpoint (`EndpointRegenNotification`). */
export function encodeRegeneration(node: NodePlan, at: Moment, pod: Party): Uint8Array {
  return agentEvent(node, at, AGENT_EVENT_TYPE.endpointRegenerated, 103, (w) => {
    w.uint(1, pod.endpointId);
    for (const label of pod.labels) w.element(2, label);
  });
}

/** Encodes the creation or deletion of an endpoint (`EndpointUpdateNotification`). */
export function encodeEndpointUpdate(node: NodePlan, at: Moment, pod: Party, created: boolean): Uint8Array {
  const { endpointCreated, endpointDeleted } = AGENT_EVENT_TYPE;
  return agentEvent(node, at, created ? endpointCreated : endpointDeleted, 104, (w) => {
    w.uint(1, pod.endpointId);
    for (const label of pod.labels) w.element(2, label);
    w.string(4, pod.pod);
    w.string(5, pod.namespace);
  });
}

/** Encodes a change of the address cache (`IPCacheNotification`). */
export function encodeAddressUpdate(node: NodePlan, at: Moment, pod: Party, added: boolean): Uint8Array {
  const { ipcacheUpserted, ipcacheDeleted } = AGENT_EVENT_TYPE;
  return agentEvent(node, at, added ? ipcacheUpserted : ipcacheDeleted, 105, (w) => {
    w.string(1, `${pod.ip}/32`);
    w.uint(2, pod.identity);
    w.string(4, node.ip);
    w.string(7, pod.namespace);
    w.string(8, pod.pod);
  });
}

/** Encodes the start of an agent (`TimeNotification`). */
export function encodeAgentStart(node: NodePlan, at: Moment): Uint8Array {
  return agentEvent(node, at, AGENT_EVENT_TYPE.agentStarted, 101, (w) => writeMoment(w, 1, at));
}

function agentEvent(
  node: NodePlan,
  at: Moment,
  type: number,
  field: number,
  body: (w: WireWriter) => void,
): Uint8Array {
  return envelope(AGENT_EVENT, node.absoluteName, at, (w) => {
    w.uint(1, type);
    const mark = w.begin(field);
    body(w);
    w.end(mark);
  });
}

/** `observer.ExportEvent`, whose first three kinds are numbered as in `GetFlowsResponse`. */
function envelope(field: number, nodeName: string, at: Moment, body: (w: WireWriter) => void): Uint8Array {
  const w = new WireWriter(1024);
  const mark = w.begin(field);
  body(w);
  w.end(mark);
  w.string(1000, nodeName);
  writeMoment(w, 1001, at);
  return w.finish();
}

function writeMoment(w: WireWriter, field: number, { second, nanos }: Moment): void {
  const mark = w.begin(field);
  w.uint(1, second);
  w.uint(2, nanos);
  w.end(mark);
}
