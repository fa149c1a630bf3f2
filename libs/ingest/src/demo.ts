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

/** What the demo says about itself on start. Times are ns since the epoch. */
export interface DemoState {
  readonly seed: number;
  readonly from: bigint;
  readonly incidentStart: bigint;
  /** Everything before this was appended durably. */
  readonly until: bigint;
}

const NS_PER_MS = 1_000_000n;
const INCIDENT_BEFORE_NOW_MS = 25 * 60_000;
const HISTORY_STEP_NS = 600_000_000_000n;
const LIVE_STEP_MS = 1000;

/** The demo's state of an earlier start, or a new one whose incident began 25 minutes ago. */
export async function openDemo(options: DemoOptions): Promise<DemoState> {
  const now = BigInt(Math.floor(options.clock.now() / 1000)) * 1_000_000_000n;
  const saved = await readState(options.stateFile);
  const oldest = now - BigInt(options.historyMs) * NS_PER_MS;
  if (saved !== undefined && saved.until <= now)
    return saved.until < oldest ? { ...saved, until: oldest } : saved;
  const incidentStart = now - BigInt(INCIDENT_BEFORE_NOW_MS) * NS_PER_MS;
  return { seed: 20, from: oldest, incidentStart, until: oldest };
}

/**
 * Plays the demo cluster into the log: first what is missing up to now, as fast as the log takes it, then second by
 * second until `signal` aborts. A kill between append and state costs duplicates, which the loader removes by uuid.
 */
export async function playDemo(state: DemoState, options: DemoOptions, signal: AbortSignal): Promise<void> {
  let until = state.until;
  while (!signal.aborted) {
    const now = BigInt(Math.floor(options.clock.now() / 1000)) * 1_000_000_000n;
    const behind = now - until;
    if (behind < BigInt(LIVE_STEP_MS) * NS_PER_MS) {
      await options.clock.sleep(LIVE_STEP_MS / 4, signal).catch(() => undefined);
      continue;
    }
    const to = behind > HISTORY_STEP_NS ? until + HISTORY_STEP_NS : now;
    await playWindow(state, until, to, options);
    until = to;
    await writeState(options.stateFile, { ...state, until });
  }
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
    const { seed, from, incidentStart, until } = raw as Record<string, unknown>;
    if (
      typeof seed !== 'number' ||
      typeof from !== 'string' ||
      typeof incidentStart !== 'string' ||
      typeof until !== 'string'
    )
      return undefined;
    return { seed, from: BigInt(from), incidentStart: BigInt(incidentStart), until: BigInt(until) };
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
