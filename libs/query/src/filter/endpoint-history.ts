/** What an address was in one hour: canonical workload and service, empty where nothing was known. */
export interface HistoricEndpoint {
  readonly workload: string;
  readonly workloadKind: string;
  readonly serviceNamespace: string;
  readonly serviceName: string;
}

/**
 * The table `endpoints` in memory, for predicates with `matchInferred`. Whoever streams supplies it; a lookup is made
 * for every flow, so it answers at once and never waits.
 */
export interface EndpointHistory {
  /** What `ip` (text as in the flow) was in the cluster in the hour that holds `timeNs`; empty = not known. */
  at(cluster: string, timeNs: bigint, ip: string): readonly HistoricEndpoint[];
}

/** The history that a live tail keeps while somebody matches inferred names. */
export interface LiveEndpointHistory extends EndpointHistory {
  /** Must have resolved before a tail with such a predicate begins. Rejects with the fault of the store. */
  prepare(): Promise<void>;
}
