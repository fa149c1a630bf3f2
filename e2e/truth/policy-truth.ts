import { endpointView, type FlowView, type Policy } from '@flowledger/policy';
import type { Line, LineFlow } from './record-truth.js';

const POLICY_VERDICT = 5;

/** A decision that the simulated datapath took about a first packet, as an export file tells it. */
export interface Decision {
  readonly timeNs: bigint;
  readonly view: FlowView;
  /** FORWARDED, REDIRECTED, DROPPED or AUDIT. */
  readonly verdict: string;
  readonly reason: string | undefined;
  /** Names of the policies that it names. */
  readonly policies: readonly string[];
  /** `namespace/app` of both ends and the port. */
  readonly edge: string;
}

function endOf(flow: LineFlow, side: 'source' | 'destination') {
  const end = flow[side];
  const names = side === 'destination' ? { names: flow.destination_names ?? [] } : {};
  const ip = flow.IP?.[side] ?? null;
  return endpointView({ labels: end?.labels ?? [], namespace: end?.namespace ?? '', ip, ...names });
}

/** `namespace/app`, or the reserved label, of an end. */
export function appOf(end: FlowView['subject']): string {
  const app = end.labels.find(({ key }) => key === 'app' || key === 'k8s-app')?.value;
  return app === undefined ? [...end.reserved].join('+') : `${end.namespace}/${app}`;
}

/** The connection that a line is about, seen by the end that judged it. */
export function viewOf(flow: LineFlow): FlowView {
  const ingress = flow.traffic_direction === 'INGRESS';
  const [protocol = '', ports = {}] = Object.entries(flow.l4 ?? {})[0] ?? [];
  const [source, destination] = [endOf(flow, 'source'), endOf(flow, 'destination')];
  return {
    direction: ingress ? 'INGRESS' : 'EGRESS',
    subject: ingress ? destination : source,
    peer: ingress ? source : destination,
    protocol,
    port: ports.destination_port ?? null,
    icmpType: null,
    l7: false,
  };
}

/** Every decision of the datapath in a run. */
export function decisionsOf(lines: readonly Line[]): readonly Decision[] {
  return lines.flatMap(({ flow, timeNs }) => {
    if (flow?.event_type.type !== POLICY_VERDICT) return [];
    const view = viewOf(flow);
    const lists = [
      flow.egress_allowed_by,
      flow.ingress_allowed_by,
      flow.egress_denied_by,
      flow.ingress_denied_by,
    ];
    const [client, server] =
      view.direction === 'INGRESS' ? [view.peer, view.subject] : [view.subject, view.peer];
    return {
      timeNs,
      view,
      verdict: flow.verdict,
      reason: flow.drop_reason_desc,
      policies: lists.flatMap((list) => (list ?? []).map(({ name }) => name)),
      edge: `${appOf(client)} -> ${appOf(server)} ${view.protocol} ${view.port} ${view.direction}`,
    };
  });
}

/** The policies that were in force at a moment of the run: the incident begins with one of them. */
export function inForce(policies: readonly Policy[], incidentNs: bigint, timeNs: bigint): readonly Policy[] {
  return timeNs >= incidentNs ? policies : policies.filter(({ name }) => name !== 'payments-lockdown');
}
