import { AgentEvents } from './agent-events.js';
import { describeCluster, type ClusterDescription } from './describe.js';
import { loseEvents, reachability } from './faults/losses.js';
import { encodeLoss } from './flows/other-events.js';
import { FlowEncoder } from './flows/flow-encoder.js';
import type { Observation } from './observe/observation.js';
import { observeCall } from './observe/observe-call.js';
import { Observer } from './observe/observer.js';
import { settingsOf, type Settings, type SimulationOptions } from './options.js';
import { Random } from './random.js';
import type { SimulatedEvent } from './simulated-event.js';
import { Cluster } from './topology/cluster.js';
import { Traffic } from './traffic/traffic.js';
import { Truth } from './truth/truth.js';

/** Longest that anything observable follows the start of what caused it, s. */
const LONGEST_CALL_S = 20;
/** Clocks differ by less than this, s: a second is complete once the next one's calls are known. */
const CLOCK_MARGIN_S = 1;
const MOST_REPLAYED = 200;
const SECOND_NS = 1_000_000_000n;

/**
 * A deterministic cluster seen through Hubble. Every second is a pure function of options and second, so runs over
 * adjoining windows give together exactly what one run over both gives, in the same order, provided that they name the
 * same seed, cluster, rates, faults and `incidentStart`; a pod, a connection or a retry goes on across the seam.
 */
export class Simulation {
  /** What really happened; grows while {@link events} is read. */
  readonly truth: Truth;
  private readonly settings: Settings;
  private readonly cluster: Cluster;
  private readonly traffic: Traffic;
  private readonly observer: Observer;
  private readonly agentEvents: AgentEvents;
  private readonly encoder: FlowEncoder;
  private started = false;

  /** Throws RangeError when the options make no sense. */
  constructor(options: SimulationOptions) {
    const settings = settingsOf(options);
    const { seed, faults } = settings;
    this.settings = settings;
    this.cluster = new Cluster(seed, settings.cluster, settings.nodes, faults.podChurn);
    this.truth = new Truth(this.cluster, settings.from, settings.to, settings.keepCalls);
    this.traffic = new Traffic(this.cluster, {
      ...settings,
      aggregatedShare: faults.aggregatedShare,
      daily: settings.demo,
      dense: !settings.demo,
    });
    this.observer = new Observer(faults.clockSkewMs.map((skew) => Math.round(skew * 1e6)));
    this.agentEvents = new AgentEvents(this.cluster, { ...settings, nodeOutages: faults.nodeOutages });
    this.encoder = new FlowEncoder(seed, this.cluster);
  }

  /** What there is in the cluster, and the incident. */
  describe(): ClusterDescription {
    return describeCluster(this.cluster, this.settings);
  }

  /**
   * The events with a time in [from, to), ordered by time but for replays. Memory is that of a few seconds. May be read
   * once, because the truth is written meanwhile; throws Error when it is read again.
   */
  *events(): Generator<SimulatedEvent, void, undefined> {
    if (this.started) throw new Error('the events of a simulation can be read once');
    this.started = true;
    const { from, to } = this.settings;
    if (from === to) return;
    const pending = new Map<number, Observation[]>();
    for (let second = from - LONGEST_CALL_S; second < to + CLOCK_MARGIN_S; second++) {
      this.decide(second, pending);
      const complete = second - CLOCK_MARGIN_S;
      const seen = pending.get(complete) ?? [];
      pending.delete(complete);
      if (complete >= from) yield* this.play(complete, seen);
    }
  }

  private decide(second: number, pending: Map<number, Observation[]>): void {
    for (const call of this.traffic.callsOf(second)) {
      const lines = this.truth.decide(call);
      observeCall(this.observer, call);
      this.truth.observe(call, lines);
      for (const seen of call.observations) {
        if (seen.second > second + LONGEST_CALL_S) throw new RangeError('a call lasts too long');
        const list = pending.get(seen.second);
        if (list === undefined) pending.set(seen.second, [seen]);
        else list.push(seen);
      }
      call.observations = [];
    }
  }

  private *play(second: number, seen: Observation[]): Generator<SimulatedEvent, void, undefined> {
    const { seed, faults } = this.settings;
    seen.sort(byTime);
    this.loseUnreachable(second, seen);
    const others = this.agentEvents.of(second);
    const { calm } = this.settings;
    const lossChance = second >= calm.from && second < calm.to ? 0 : faults.lostEvents;
    for (const loss of loseEvents(seed, second, this.cluster.nodes.length, lossChance, seen)) {
      const node = this.cluster.node(loss.node);
      const timeNs = BigInt(second) * SECOND_NS + BigInt(loss.reportNanos);
      this.truth.totals.lostFlows += loss.count;
      others.push({
        node: node.absoluteName,
        timeNs,
        kind: 'lost_events',
        bytes: encodeLoss(node, second, loss),
      });
    }
    others.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0));
    const merged = this.merge(second, seen, others);
    if (faults.duplicateShare === 0) yield* merged;
    else yield* this.replay(second, merged);
  }

  private loseUnreachable(second: number, seen: readonly Observation[]): void {
    const { seed, faults } = this.settings;
    if (faults.nodeOutages === 0) return;
    const away = this.cluster.nodes.map(({ index }) => {
      const state = reachability(seed, second, index, faults.nodeOutages, this.settings.calm);
      return state === 'going' || state === 'down';
    });
    for (const one of seen) {
      if (away[one.node] !== true) continue;
      one.lost = true;
      this.truth.totals.unreachableFlows++;
    }
  }

  private *merge(
    second: number,
    seen: readonly Observation[],
    others: readonly SimulatedEvent[],
  ): Generator<SimulatedEvent, void, undefined> {
    const base = BigInt(second) * SECOND_NS;
    let next = 0;
    for (const one of seen) {
      if (one.lost) continue;
      const timeNs = base + BigInt(one.nanos);
      for (let other = others[next]; other !== undefined && other.timeNs <= timeNs; other = others[++next])
        yield this.count(other);
      const node = this.cluster.node(one.node).absoluteName;
      this.truth.emit(one);
      yield { node, timeNs, kind: 'flow', bytes: this.encoder.encode(one) };
    }
    for (const other of others.slice(next)) yield this.count(other);
  }

  private count(event: SimulatedEvent): SimulatedEvent {
    const { totals } = this.truth;
    totals.events++;
    if (event.kind === 'lost_events') totals.lostEvents++;
    else if (event.kind === 'node_status') totals.nodeStatus++;
    else totals.agentEvents++;
    return event;
  }

  /** Passes a second's events on and, when the relay reconnects at its end, the last of them once more. */
  private *replay(
    second: number,
    events: Iterable<SimulatedEvent>,
  ): Generator<SimulatedEvent, void, undefined> {
    const reconnects = new Random(this.settings.seed, second, 2).chance(this.settings.faults.duplicateShare);
    const last: SimulatedEvent[] = [];
    for (const event of events) {
      yield event;
      if (!reconnects || event.kind !== 'flow') continue;
      last.push(event);
      if (last.length > MOST_REPLAYED) last.shift();
    }
    this.truth.totals.duplicates += last.length;
    yield* last;
  }
}

function byTime(a: Observation, b: Observation): number {
  return (
    a.nanos - b.nanos ||
    a.node - b.node ||
    a.call.slot - b.call.slot ||
    a.call.index - b.call.index ||
    a.sequence - b.sequence
  );
}
