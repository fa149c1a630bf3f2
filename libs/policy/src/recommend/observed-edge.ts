import type { FlowView } from '../evaluate/flow-view.js';
import type { Direction } from '../policy.js';

/** Connections that are alike, as they were observed at the end whose policies judged them. */
export interface ObservedEdge {
  readonly direction: Direction;
  /** Name of the subject's workload; its namespace is in the views. */
  readonly workload: string;
  readonly peerNamespace: string;
  readonly peerWorkload: string;
  /** At least one; several where the peer has several addresses. */
  readonly views: readonly FlowView[];
  /** Addresses of the peer that there were, more than views where they were cut off. */
  readonly peerAddresses: number;
  readonly flows: number;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  /** Ids of flows. */
  readonly samples: readonly string[];
}

/** Connections with the same ends, port and direction, whatever the pods. */
export function edgeKey(edge: ObservedEdge): string {
  const [view] = edge.views;
  return JSON.stringify([
    edge.direction,
    view?.subject.namespace,
    edge.workload,
    edge.peerNamespace,
    edge.peerWorkload,
    view?.peer.names,
    view?.protocol,
    view?.port,
    view?.icmpType,
  ]);
}
