import {
  Simulation,
  type CallRecord,
  type SimulatedEvent,
  type SimulationOptions,
} from '@flowledger/simulator';

export const SECOND_NS = 1_000_000_000n;
export const MINUTE_NS = 60n * SECOND_NS;
export const HOUR_NS = 60n * MINUTE_NS;
const DAY_NS = 24n * HOUR_NS;
const FIRST_DAY_NS = BigInt(Date.UTC(2026, 8, 14)) * 1_000_000n;

/** A half-open span of time, ns since 1970. */
export interface Span {
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** A run of the simulated cluster with one kind of trouble, on a day of its own so that no question sees two. */
export interface Scenario extends Span {
  readonly name: string;
  readonly simulations: readonly SimulationOptions[];
}

type Run = Partial<SimulationOptions> & { readonly seed: number };

/** From 09:20 to 11:10: a whole hour between two that are cut. */
function scenario(day: number, name: string, ...runs: readonly Run[]): Scenario {
  const fromNs = FIRST_DAY_NS + BigInt(day) * DAY_NS + 9n * HOUR_NS + 20n * MINUTE_NS;
  const toNs = fromNs + 110n * MINUTE_NS;
  const simulations = runs.map((run) => ({
    from: fromNs,
    to: toNs,
    callsPerSecond: 0.5,
    scenario: 'test' as const,
    incidents: false,
    keepCalls: true,
    ...run,
  }));
  return { name, fromNs, toNs, simulations };
}

const SKEW = [0, 740, -930, 61];

/** Every kind of trouble alone, then all at once. */
export const SCENARIOS: readonly Scenario[] = [
  scenario(0, 'nothing goes wrong', { seed: 11 }),
  scenario(1, 'the relay replays what it sent', { seed: 12, faults: { duplicateShare: 0.05 } }),
  scenario(2, 'agents lose events', { seed: 13, faults: { lostEvents: 0.05 } }),
  scenario(3, 'an exporter aggregates', { seed: 14, faults: { aggregatedShare: 0.3 } }),
  scenario(4, 'clocks differ', { seed: 15, faults: { clockSkewMs: SKEW } }),
  scenario(5, 'a policy breaks payments', { seed: 16, incidents: true }),
  scenario(6, 'pods come and go', { seed: 17, faults: { podChurn: 20 } }),
  scenario(7, 'nodes are out of reach', { seed: 18, faults: { nodeOutages: 1200 } }),
  scenario(
    8,
    'everything at once, in two clusters',
    {
      seed: 19,
      incidents: true,
      faults: {
        duplicateShare: 0.02,
        lostEvents: 0.02,
        aggregatedShare: 0.1,
        clockSkewMs: SKEW,
        podChurn: 600,
        nodeOutages: 3000,
      },
    },
    { seed: 20, cluster: 'east', nodes: 2, callsPerSecond: 0.25 },
  ),
];

/** When all scenarios are over, ms since 1970. */
export const AFTERWARDS_MS = Number((FIRST_DAY_NS + 8n * DAY_NS + 12n * HOUR_NS) / 1_000_000n);

/** A scenario that was played: its events, and what really happened. */
export interface Played {
  readonly events: readonly SimulatedEvent[];
  readonly calls: readonly CallRecord[];
  readonly simulations: readonly Simulation[];
}

/** Longest that playing and loading all scenarios may take on a busy machine, ms. */
export const SETUP_MS = 300_000;

/** Plays the runs of a scenario one after the other. */
export function play({ simulations }: Scenario): Played {
  const runs = simulations.map((options) => new Simulation(options));
  const events = runs.flatMap((run) => [...run.events()]);
  return { events, calls: runs.flatMap((run) => run.truth.calls), simulations: runs };
}

/** Windows to ask about: all of it, cut anywhere, whole hours, inside one hour, less than a minute. */
export function windowsOf({ fromNs, toNs }: Span): readonly Span[] {
  const tenNs = fromNs + 40n * MINUTE_NS;
  return [
    { fromNs, toNs },
    { fromNs: fromNs + 433_123_456_789n, toNs: toNs - 77_000_000_001n },
    { fromNs: tenNs, toNs: tenNs + HOUR_NS },
    { fromNs: tenNs + 11n * MINUTE_NS, toNs: tenNs + 34n * MINUTE_NS },
    { fromNs: tenNs - 17_000_000_001n, toNs: tenNs + 8n * SECOND_NS },
  ];
}

/** RFC 3339 with nine digits. */
export function timeText(ns: bigint): string {
  const whole = new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19);
  return `${whole}.${(ns % SECOND_NS).toString().padStart(9, '0')}Z`;
}

/** A span as `WindowInput`. */
export function windowInput({ fromNs, toNs }: Span): { from: string; to: string } {
  return { from: timeText(fromNs), to: timeText(toNs) };
}

/** A time of an answer, ns since 1970. */
export function timeNs(text: string): bigint {
  const [whole = '', fraction = ''] = text.replace('Z', '').split('.');
  return BigInt(Date.parse(`${whole}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** A window cut at the multiples of a step. */
export function spansOf({ fromNs, toNs }: Span, stepNs: bigint): readonly Span[] {
  const spans: Span[] = [];
  for (let at = fromNs; at < toNs;) {
    const next = at - (at % stepNs) + stepNs;
    spans.push({ fromNs: at, toNs: next < toNs ? next : toNs });
    at = next;
  }
  return spans;
}
