import { DEMO_FAULTS, NO_FAULTS, type FaultOptions } from './faults/options.js';

/** What to simulate. The same options give the same bytes and the same truth, on every machine. */
export interface SimulationOptions {
  readonly seed: number;
  /** First moment, ns since 1970; a whole second. */
  readonly from: bigint;
  /** End, exclusive, ns since 1970; a whole second, not before `from`. */
  readonly to: bigint;
  /** Default `demo`. */
  readonly cluster?: string;
  /** Default 4. */
  readonly nodes?: number;
  /** Calls a second, look-ups and retries included; in the demo at the busiest hour. Default 1. */
  readonly callsPerSecond?: number;
  /** Whether the incident happens. Default true. */
  readonly incidents?: boolean;
  /**
   * When the incident's policy takes effect, ns since 1970. Default: 25 minutes before `to` in the demo, the middle of the
   * run in a test. Runs that continue each other must name it.
   */
  readonly incidentStart?: bigint;
  /** On top of the scenario's own: the demo has few, a test none. */
  readonly faults?: Partial<FaultOptions>;
  /** `demo`: traffic with a daily curve; `test`: even traffic in which rare things are frequent. Default `demo`. */
  readonly scenario?: 'demo' | 'test';
  /** Keep a record of every call in the truth; memory grows with the run. Default false. */
  readonly keepCalls?: boolean;
}

/** Options with every value present; seconds since 1970 instead of ns. */
export interface Settings {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly cluster: string;
  readonly nodes: number;
  readonly callsPerSecond: number;
  readonly incidentSecond: number;
  readonly incidentNanos: number;
  readonly incidentStart: bigint | undefined;
  readonly faults: FaultOptions;
  readonly demo: boolean;
  readonly keepCalls: boolean;
  /** Seconds around the demo's incident in which observing works, so that its story can be told without gaps. */
  readonly calm: Calm;
}

/** Seconds [from, to) without losses and outages. */
export interface Calm {
  readonly from: number;
  readonly to: number;
}

const NO_CALM: Calm = { from: 0, to: 0 };
const CALM_BEFORE_INCIDENT_S = 5400;
const CALM_AFTER_INCIDENT_S = 14_400;

function calmAround(incidentSecond: number): Calm {
  return { from: incidentSecond - CALM_BEFORE_INCIDENT_S, to: incidentSecond + CALM_AFTER_INCIDENT_S };
}

const SECOND_NS = 1_000_000_000n;
const DEMO_INCIDENT_BEFORE_END_NS = 1500n * SECOND_NS;

/** Fills in the defaults. Throws RangeError on what makes no sense. */
export function settingsOf(options: SimulationOptions): Settings {
  const { from, to, nodes = 4, callsPerSecond = 1, cluster = 'demo' } = options;
  const demo = options.scenario !== 'test';
  const faults: FaultOptions = { ...(demo ? DEMO_FAULTS : NO_FAULTS), ...options.faults };
  if (from % SECOND_NS !== 0n || to % SECOND_NS !== 0n)
    throw new RangeError('from and to must be whole seconds');
  if (to < from) throw new RangeError('to is before from');
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > 200) throw new RangeError('nodes must be 1 to 200');
  if (!(callsPerSecond >= 0)) throw new RangeError('callsPerSecond must not be negative');
  if (faults.clockSkewMs.some((skew) => !(Math.abs(skew) < 1000)))
    throw new RangeError('clockSkewMs must be below 1,000 either way');
  const usual = demo ? to - DEMO_INCIDENT_BEFORE_END_NS : from + (to - from) / 2n;
  const incidentStart = options.incidents === false ? undefined : (options.incidentStart ?? usual);
  return {
    seed: options.seed,
    from: Number(from / SECOND_NS),
    to: Number(to / SECOND_NS),
    cluster,
    nodes,
    callsPerSecond,
    incidentSecond: incidentStart === undefined ? Infinity : Number(incidentStart / SECOND_NS),
    incidentNanos: incidentStart === undefined ? 0 : Number(incidentStart % SECOND_NS),
    incidentStart,
    faults,
    demo,
    keepCalls: options.keepCalls === true,
    calm: demo && incidentStart !== undefined ? calmAround(Number(incidentStart / SECOND_NS)) : NO_CALM,
  };
}
