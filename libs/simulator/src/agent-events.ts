import {
  encodeAddressUpdate,
  encodeAgentStart,
  encodeEndpointUpdate,
  encodeNodeStatus,
  encodePolicyUpdate,
  encodeRegeneration,
  NODE_STATE,
  type Moment,
} from './flows/other-events.js';
import { policyLabels } from './flows/policy-bytes.js';
import type { Calm } from './options.js';
import { reachability } from './faults/losses.js';
import type { Cluster, ReplicaSlot } from './topology/cluster.js';
import { INCIDENT_POLICY } from './topology/plan.js';
import type { SimulatedEvent } from './simulated-event.js';

const POLICY_LEAD_NANOS = 800_000_000;
const PROPAGATION_NANOS = 7_000_000;
const REGENERATION_NANOS = 350_000_000;

/** Settings of the events that are no flows. */
export interface AgentEventSettings {
  readonly seed: number;
  readonly nodeOutages: number;
  readonly calm: Calm;
  /** When the incident's policy takes effect; Infinity = never. */
  readonly incidentSecond: number;
  readonly incidentNanos: number;
}

/** Events of agents and relay in one second: pods that came and went, policy changes, nodes out of reach. */
export class AgentEvents {
  constructor(
    private readonly cluster: Cluster,
    private readonly settings: AgentEventSettings,
  ) {}

  /** The events of a second since 1970, in no order. */
  of(second: number): SimulatedEvent[] {
    const events: SimulatedEvent[] = [];
    for (const slot of this.cluster.slots) this.addChurn(events, slot, second);
    this.addPolicyChange(events, second);
    for (const node of this.cluster.nodes) this.addReachability(events, node.index, second);
    return events;
  }

  private addChurn(events: SimulatedEvent[], slot: ReplicaSlot, second: number): void {
    const { cluster } = this;
    if (cluster.generation(slot, second) === cluster.generation(slot, second - 1)) return;
    const node = cluster.node(slot.node);
    const gone = cluster.podAt(slot, second - 1);
    const come = cluster.podAt(slot, second);
    const base = (slot.position % 20) * 1_000_000;
    const add = (nanos: number, encode: (at: Moment) => Uint8Array): void => {
      const at = { second, nanos: base + nanos };
      events.push(event(node.absoluteName, at, 'agent_event', encode(at)));
    };
    add(1000, (at) => encodeEndpointUpdate(node, at, gone, false));
    add(120_000, (at) => encodeAddressUpdate(node, at, gone, false));
    add(30_000_000, (at) => encodeEndpointUpdate(node, at, come, true));
    add(30_200_000, (at) => encodeAddressUpdate(node, at, come, true));
    add(90_000_000, (at) => encodeRegeneration(node, at, come));
  }

  private addPolicyChange(events: SimulatedEvent[], second: number): void {
    const { incidentSecond, incidentNanos } = this.settings;
    if (Math.abs(second - incidentSecond) > 2) return;
    const policy = this.cluster.policies.get(INCIDENT_POLICY);
    if (policy === undefined) return;
    const labels = policyLabels(policy.kind, policy.name, policy.namespace);
    const payments = this.cluster.replicas('shop/payments');
    for (const node of this.cluster.nodes) {
      const offset = incidentNanos - POLICY_LEAD_NANOS + node.index * PROPAGATION_NANOS;
      const changed = momentAfter(incidentSecond, offset);
      if (changed.second === second) {
        const bytes = encodePolicyUpdate(node, changed, labels, policy.revision);
        events.push(event(node.absoluteName, changed, 'agent_event', bytes));
      }
      const done = momentAfter(incidentSecond, offset + REGENERATION_NANOS);
      if (done.second !== second) continue;
      for (const slot of payments.filter((one) => one.node === node.index)) {
        const bytes = encodeRegeneration(node, done, this.cluster.podAt(slot, second));
        events.push(event(node.absoluteName, done, 'agent_event', bytes));
      }
    }
  }

  private addReachability(events: SimulatedEvent[], index: number, second: number): void {
    const { seed, nodeOutages, calm } = this.settings;
    const state = reachability(seed, second, index, nodeOutages, calm);
    if (state !== 'going' && state !== 'back') return;
    const node = this.cluster.node(index);
    const relay = this.cluster.node(0);
    const at = { second, nanos: 0 };
    const status = state === 'going' ? NODE_STATE.unavailable : NODE_STATE.connected;
    const bytes = encodeNodeStatus(relay, at, status, [node.absoluteName]);
    events.push(event(relay.absoluteName, at, 'node_status', bytes));
    if (state === 'going') return;
    const started = { second, nanos: 2_000_000 };
    events.push(event(node.absoluteName, started, 'agent_event', encodeAgentStart(node, started)));
  }
}

function event(node: string, at: Moment, kind: SimulatedEvent['kind'], bytes: Uint8Array): SimulatedEvent {
  return { node, timeNs: BigInt(at.second) * 1_000_000_000n + BigInt(at.nanos), kind, bytes };
}

function momentAfter(second: number, nanos: number): Moment {
  const ahead = Math.floor(nanos / 1e9);
  return { second: second + ahead, nanos: nanos - ahead * 1e9 };
}
