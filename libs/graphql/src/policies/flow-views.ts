import { enumName, L4_PROTOCOL } from '@flowledger/model';
import { endpointView, type EndpointView, type FlowView } from '@flowledger/policy';
import {
  partiesOf,
  type EndpointRecord,
  type FlowRecord,
  type PolicyEdge,
  type PolicyEnd,
} from '@flowledger/query';

/** Labels by the id of their set. */
export type LabelsOf = (labelSet: string) => readonly string[];

const PORTS: readonly number[] = [1, 2, 5];

function protocolOf(number: number): string {
  return number === 0 ? '' : enumName(L4_PROTOCOL, number);
}

function recordView(end: EndpointRecord, labelsOf: LabelsOf): EndpointView {
  const { namespace, ip, names, identity } = end;
  return endpointView({ labels: labelsOf(end.labelSet), namespace, ip, names, identity });
}

/** A dropped flow as the policies of the end that judged it see it; null when the record does not say which end that is. */
export function dropView(drop: FlowRecord, labelsOf: LabelsOf): FlowView | null {
  if (drop.trafficDirection !== 1 && drop.trafficDirection !== 2) return null;
  const { client, server } = partiesOf(drop);
  const ingress = drop.trafficDirection === 1;
  const port = drop.serverPort !== 0 ? drop.serverPort : drop.client === null ? drop.destinationPort : 0;
  return {
    direction: ingress ? 'INGRESS' : 'EGRESS',
    subject: recordView(ingress ? server : client, labelsOf),
    peer: recordView(ingress ? client : server, labelsOf),
    protocol: protocolOf(drop.l4Protocol),
    port: PORTS.includes(drop.l4Protocol) && port !== 0 ? port : null,
    icmpType: drop.icmp?.type ?? null,
    l7: drop.l7Kind !== 0,
  };
}

function endViews(end: PolicyEnd, labelsOf: LabelsOf): readonly EndpointView[] {
  const { namespace, names, identity } = end;
  const labels = labelsOf(end.labelSet);
  const addresses = namespace !== '' || end.addresses.length === 0 ? [null] : end.addresses;
  return addresses.map((ip) => endpointView({ labels, namespace, names, identity, ip }));
}

/** Connections of an edge as the policies of the end that judged them see them: one for each address that was kept. */
export function edgeViews(edge: PolicyEdge, labelsOf: LabelsOf): readonly FlowView[] {
  const ingress = edge.direction === 'INGRESS';
  const [subjects, peers] = ingress ? [edge.server, edge.client] : [edge.client, edge.server];
  const [subject] = endViews(subjects, labelsOf);
  if (subject === undefined) return [];
  return endViews(peers, labelsOf).map((peer) => ({
    direction: edge.direction,
    subject,
    peer,
    protocol: protocolOf(edge.protocol),
    port: PORTS.includes(edge.protocol) && edge.port !== 0 ? edge.port : null,
    icmpType: edge.icmpType,
    l7: false,
  }));
}

/** `namespace/workload`, or the best name there is. */
export function endName(end: Pick<PolicyEnd, 'namespace' | 'workload' | 'names'>): string {
  const name = end.names[0] ?? (end.workload || 'unknown');
  return end.namespace === '' ? name : `${end.namespace}/${end.workload || 'unknown'}`;
}
