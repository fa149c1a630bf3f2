/** One event as a source would receive it. */
export interface SimulatedEvent {
  /** `cluster/node` whose agent (for `node_status`: whose relay) sent it. */
  readonly node: string;
  /** By the clock of that node, ns since 1970. */
  readonly timeNs: bigint;
  readonly kind: 'flow' | 'lost_events' | 'node_status' | 'agent_event';
  /**
   * Encoded `observer.GetFlowsResponse`; an agent event is an `observer.ExportEvent` (field 4), which has the other three
   * kinds in the same fields, so one decoder reads all four. The caller may keep it; nobody writes to it again.
   */
  readonly bytes: Uint8Array;
}
