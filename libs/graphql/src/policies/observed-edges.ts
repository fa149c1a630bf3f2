import type { ObservedEdge } from '@flowledger/policy';
import type { PolicyEdge } from '@flowledger/query';
import { edgeViews, type LabelsOf } from './flow-views.js';

/** Edges of the store as recommendations and checks take them; those whose labels show nobody are kept. */
export function observedEdges(edges: readonly PolicyEdge[], labelsOf: LabelsOf): readonly ObservedEdge[] {
  return edges.map((edge) => {
    const ingress = edge.direction === 'INGRESS';
    const [subject, peer] = ingress ? [edge.server, edge.client] : [edge.client, edge.server];
    return {
      direction: edge.direction,
      workload: subject.workload,
      peerNamespace: peer.namespace,
      peerWorkload: peer.workload,
      views: edgeViews(edge, labelsOf),
      peerAddresses: peer.namespace === '' ? peer.addressCount : 0,
      flows: Number(edge.flows),
      firstNs: edge.firstNs,
      lastNs: edge.lastNs,
      samples: edge.samples,
    };
  });
}
