import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Simulation, type SimulationOptions } from '@flowledger/simulator';
import type { AppendRecord } from '@flowledger/event-log';
import type { Clock, Log } from '@flowledger/platform';
import { Packer } from './packer.js';

export interface DemoOptions {
  readonly tenant: string;
  readonly cluster: string;
  readonly partitions: number;
  readonly append: (records: readonly AppendRecord[]) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
  /** File that remembers how far the demo has played, so that a restart goes on where it stopped. */
  readonly stateFile: string;
  readonly historyMs: number;
  readonly callsPerSecond: number;
}

/** How far the demo has played. Times are ns since the epoch; everything in [since, until) was appended durably. */
export interface DemoState {
  readonly seed: number;
  /** Where the history begins. */
  readonly from: bigint;
  readonly incidentStart: bigint;
  readonly since: bigint;
  readonly until: bigint;
}

const NS_PER_MS = 1_000_000n;
const SECOND_NS = 1_000_000_000n;
const INCIDENT_BEFORE_NOW_NS = 1500n * SECOND_NS;
/** The newest part of the history is played first, so that the incident can be looked at within seconds. */
const PLAYED_FIRST_NS = 7200n * SECOND_NS;
const HISTORY_STEP_NS = 600n * SECOND_NS;
const IDLE_MS = 250;

/** The demo's state of an earlier start, or a new one whose incident began 25 minutes ago. */
export async function openDemo(options: DemoOptions): Promise<DemoState> {
  const now = wholeSecond(options.clock);
  const oldest = now - BigInt(options.historyMs) * NS_PER_MS;
  const saved = await readState(options.stateFile);
  if (saved !== undefined && saved.until <= now && saved.until >= oldest) return saved;
  const first = now - (PLAYED_FIRST_NS < now - oldest ? PLAYED_FIRST_NS : now - oldest);
  return { seed: 20, from: oldest, incidentStart: now - INCIDENT_BEFORE_NOW_NS, since: first, until: first };
}

/**
 * Plays the demo cluster into the log until `signal` aborts: up to now first, then the older history backwards, then second by
 * second. A kill between append and state costs duplicates, which the loader removes by uuid.
 */
export async function playDemo(start: DemoState, options: DemoOptions, signal: AbortSignal): Promise<void> {
  let state = start;
  while (!signal.aborted) {
    const next = nextWindow(state, wholeSecond(options.clock));
    if (next === undefined) {
      await options.clock.sleep(IDLE_MS, signal).catch(() => undefined);
      continue;
    }
    await playWindow(state, next.from, next.to, options);
    state = next.from === state.until ? { ...state, until: next.to } : { ...state, since: next.from };
    await writeState(options.stateFile, state);
  }
}

/** What to play now: forward to `nowNs` before backward to the beginning; undefined when all is played. */
export function nextWindow(state: DemoState, nowNs: bigint): { from: bigint; to: bigint } | undefined {
  const { from, since, until } = state;
  if (until < nowNs)
    return { from: until, to: nowNs - until > HISTORY_STEP_NS ? until + HISTORY_STEP_NS : nowNs };
  if (since > from)
    return { from: since - from > HISTORY_STEP_NS ? since - HISTORY_STEP_NS : from, to: since };
  return undefined;
}

function wholeSecond(clock: Clock): bigint {
  return BigInt(Math.floor(clock.now() / 1000)) * SECOND_NS;
}

async function playWindow(state: DemoState, from: bigint, to: bigint, options: DemoOptions): Promise<void> {
  const simulation = new Simulation(simulationOptions(state, from, to, options));
  const packer = new Packer({
    ...options,
    source: 'demo',
    codec: 'hubble.get_flows_response',
    now: () => options.clock.now(),
  });
  const full: AppendRecord[] = [];
  for (const event of simulation.events()) {
    const packed = packer.add(event.node, event.bytes, event.timeNs);
    if (packed === undefined) continue;
    full.push(packed.record);
    if (full.length >= 8) await options.append(full.splice(0));
  }
  for (const packed of packer.flush()) full.push(packed.record);
  if (full.length > 0) await options.append(full);
}

function simulationOptions(
  state: DemoState,
  from: bigint,
  to: bigint,
  options: DemoOptions,
): SimulationOptions {
  return {
    seed: state.seed,
    from,
    to,
    incidentStart: state.incidentStart,
    callsPerSecond: options.callsPerSecond,
    scenario: 'demo',
  };
}

/** Facts of the demo for the ready line: nodes, and the incident in words. */
export function describeDemo(state: DemoState, options: DemoOptions): { nodes: number; incident: string } {
  const description = new Simulation(simulationOptions(state, state.until, state.until, options)).describe();
  return { nodes: description.nodes.length, incident: description.incident.text };
}

async function readState(path: string): Promise<DemoState | undefined> {
  try {
    const raw: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof raw !== 'object' || raw === null) return undefined;
    const { seed, ...times } = raw as Record<string, unknown>;
    const [from, incidentStart, since, until] = ['from', 'incidentStart', 'since', 'until'].map((key) =>
      nanos(times[key]),
    );
    if (
      typeof seed !== 'number' ||
      from === undefined ||
      incidentStart === undefined ||
      since === undefined ||
      until === undefined
    )
      return undefined;
    return { seed, from, incidentStart, since, until };
  } catch {
    return undefined;
  }
}

async function writeState(path: string, state: DemoState): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const text = JSON.stringify(state, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

function nanos(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^\d{1,19}$/.test(value) ? BigInt(value) : undefined;
}
