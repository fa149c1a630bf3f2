/**
 * A label set as rows name it. The halves are signed 32-bit integers, like every number in these objects: larger ones
 * would live on the heap and cost a detour per flow.
 */
export interface CachedLabelSet {
  readonly lo: number;
  readonly hi: number;
  /** String-table ids, sorted as in the set. */
  readonly labels: readonly number[];
  /** Mark of whoever wrote the set out last; 0 at first. */
  writtenBy: number;
}

/** The address under which an endpoint was noted last: nearly always the next flow shows the same. */
export interface LastSeen {
  /** Mark of the batch that noted it; 0 at first. */
  notedBy: number;
  cluster: number;
  hour: number;
  /** Lanes of the address. */
  ip0: number;
  ip1: number;
  ip2: number;
  ip3: number;
  serviceNamespace: number;
  serviceName: number;
}

/** A `flow.Endpoint` decoded once for all flows that carry the same bytes. Strings are string-table ids. */
export interface CachedEndpoint {
  readonly id: number;
  readonly identity: number;
  readonly namespace: number;
  readonly pod: number;
  readonly cluster: number;
  /** `Kind/name` as sent. */
  readonly workloads: readonly number[];
  /** Kind and name of the first workload as sent. */
  readonly sentKind: number;
  readonly sentName: number;
  readonly labelSet: CachedLabelSet;
  readonly workload: number;
  readonly workloadKind: number;
  /** Fields inside the message that no column gives back; undefined when there are none. */
  readonly extra: Uint8Array | undefined;
  readonly lastSeen: LastSeen;
}

/** A label list as a set. */
export interface CachedLabelRun {
  readonly set: CachedLabelSet;
  /** Whether labels were cut off or shortened. */
  readonly cut: boolean;
}

/** No labels at all. */
export const NO_LABELS: CachedLabelSet = { lo: 0, hi: 0, labels: [], writtenBy: 0 };

/** What no flow has shown yet. */
export function neverSeen(): LastSeen {
  return {
    notedBy: 0,
    cluster: 0,
    hour: 0,
    ip0: 0,
    ip1: 0,
    ip2: 0,
    ip3: 0,
    serviceNamespace: 0,
    serviceName: 0,
  };
}

/** What stands for an absent endpoint. */
export const NO_ENDPOINT: CachedEndpoint = {
  id: 0,
  identity: 0,
  namespace: 0,
  pod: 0,
  cluster: 0,
  workloads: [],
  sentKind: 0,
  sentName: 0,
  labelSet: NO_LABELS,
  workload: 0,
  workloadKind: 0,
  extra: undefined,
  lastSeen: neverSeen(),
};
