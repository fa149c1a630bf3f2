import type { Observation } from '../observe/observation.js';
import type { Cluster } from '../topology/cluster.js';
import type { Call } from '../traffic/call.js';
import type { CallRecord, ObservationLine } from './call-record.js';
import { lineOf, recordCall } from './record-call.js';

/** Names of `event_type.type` in the totals. */
const TYPE_NAMES: Readonly<Record<number, keyof FlowTotals>> = {
  1: 'drop',
  4: 'trace',
  5: 'verdict',
  7: 'sock',
  129: 'l7',
};

/** Flow records given out, by what kind of event made them. */
export interface FlowTotals {
  drop: number;
  trace: number;
  verdict: number;
  sock: number;
  l7: number;
}

/** What a run gave out, counted as it did. Duplicates are counted apart and in nothing else. */
export interface Totals {
  /** Calls that started in the window of the run. */
  calls: number;
  /** All events: flows, lost events, node status, agent events; no duplicates. */
  events: number;
  flows: number;
  /** Flows by weight: an aggregated record counts for all it stands for. */
  weightedFlows: number;
  readonly byType: FlowTotals;
  lostEvents: number;
  nodeStatus: number;
  agentEvents: number;
  /** Flow records that lost-event messages own up to. */
  lostFlows: number;
  /** Flow records that nobody reports as lost: their node was out of reach. */
  unreachableFlows: number;
  /** Events given out a second time. */
  duplicates: number;
}

/**
 * What really happened, written when a call was decided. `totals` is always kept; `calls` only with the option
 * `keepCalls`, because it grows with the run. Both grow while the events of the run are read, and only then.
 */
export class Truth {
  readonly totals: Totals = {
    calls: 0,
    events: 0,
    flows: 0,
    weightedFlows: 0,
    byType: { drop: 0, trace: 0, verdict: 0, sock: 0, l7: 0 },
    lostEvents: 0,
    nodeStatus: 0,
    agentEvents: 0,
    lostFlows: 0,
    unreachableFlows: 0,
    duplicates: 0,
  };
  private readonly records: CallRecord[] = [];

  constructor(
    private readonly cluster: Cluster,
    private readonly from: number,
    private readonly to: number,
    private readonly keepCalls: boolean,
  ) {}

  /**
   * Calls that started in the window, and earlier ones of which something countable falls into it. A call at the edge
   * of two runs is in both, each with its own records marked as emitted: the rules then count every record once.
   */
  get calls(): readonly CallRecord[] {
    return this.records;
  }

  /** Writes a call down; to be called before anything is observed of it. Returns where its observations go. */
  decide(call: Call): ObservationLine[] | undefined {
    const inside = call.slot >= this.from && call.slot < this.to;
    if (inside) this.totals.calls++;
    if (!this.keepCalls) return undefined;
    const lines: ObservationLine[] = [];
    const record = recordCall(call, this.cluster, lines);
    if (inside) this.records.push(record);
    else this.waiting.set(lines, record);
    return lines;
  }

  /** Adds what should be seen of a call to its record. */
  observe(call: Call, lines: ObservationLine[] | undefined): void {
    if (lines === undefined) return;
    let inside = false;
    for (const seen of call.observations) {
      const line = lineOf(seen, this.cluster);
      if (line === undefined) continue;
      seen.line = line;
      lines.push(line);
      inside ||= seen.second >= this.from && seen.second < this.to;
    }
    const record = this.waiting.get(lines);
    this.waiting.delete(lines);
    if (inside && record !== undefined) this.records.push(record);
  }

  /** Counts a flow record that is given out. */
  emit(seen: Observation): void {
    const { totals } = this;
    const name = TYPE_NAMES[seen.type];
    totals.events++;
    totals.flows++;
    totals.weightedFlows += seen.call.weight;
    if (name !== undefined) totals.byType[name]++;
    if (seen.line !== undefined) seen.line.emitted = true;
  }

  private readonly waiting = new Map<ObservationLine[], CallRecord>();
}
