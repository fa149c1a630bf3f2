/** What goes wrong with observing, apart from what goes wrong in the cluster. */
export interface FaultOptions {
  /** Chance per node and second that a part of that second's records is lost and a lost-events message says so. */
  readonly lostEvents: number;
  /** How far each node's clock is ahead, ms, below 1,000 either way; nodes beyond the list are exact. */
  readonly clockSkewMs: readonly number[];
  /** Chance per second that the relay reconnects and replays the last records of that second, byte for byte. */
  readonly duplicateShare: number;
  /** Share of calls whose records come from an aggregating exporter: weight above 1, no uuid. */
  readonly aggregatedShare: number;
  /** Life of a pod, s; 0 = pods live for ever. Addresses of gone pods are used again by others. */
  readonly podChurn: number;
  /** Mean time between outages of a node, s; 0 = none. An outage loses its records and nobody counts them. */
  readonly nodeOutages: number;
}

/** Faults of the demo: a cluster that is mostly well. */
export const DEMO_FAULTS: FaultOptions = {
  lostEvents: 0.001,
  clockSkewMs: [0, 0.4, -1.1, 2.3],
  duplicateShare: 0.0005,
  aggregatedShare: 0,
  podChurn: 21_600,
  nodeOutages: 43_200,
};

/** Faults of the test scenario: none, so that a test names those it wants. */
export const NO_FAULTS: FaultOptions = {
  lostEvents: 0,
  clockSkewMs: [],
  duplicateShare: 0,
  aggregatedShare: 0,
  podChurn: 0,
  nodeOutages: 0,
};
