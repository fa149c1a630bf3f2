import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startTicks, systemClock } from '@flowledger/platform';

/** One process of the group as `flowledger status` shows it. */
export interface ProcessEntry {
  readonly name: string;
  readonly pid: number;
  /** Kernel start time, so that a reused pid is not mistaken for the process; empty where the platform does not tell. */
  readonly startTicks: string;
  readonly since: string;
  readonly restarts: number;
  readonly url?: string;
  /** `host:port` of Hubble's Observer API. */
  readonly observer?: string;
}

/** What the running group says about itself in `<data>/run/group.json`. */
export interface GroupState {
  readonly url: string;
  readonly supervisor: ProcessEntry;
  readonly processes: readonly ProcessEntry[];
  /** What the start page says on top: the demo and its incident. */
  readonly banner?: string;
}

export function groupStatePath(dataDir: string): string {
  return join(dataDir, 'run', 'group.json');
}

/** True while exactly that process lives. */
export function isRunning(entry: ProcessEntry): boolean {
  try {
    process.kill(entry.pid, 0);
  } catch {
    return false;
  }
  return (startTicks(entry.pid) ?? '') === entry.startTicks;
}

export async function writeGroupState(dataDir: string, state: GroupState): Promise<void> {
  const path = groupStatePath(dataDir);
  await mkdir(join(dataDir, 'run'), { recursive: true });
  await writeFile(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

/** The last state written, whether or not its processes still live. */
export async function readGroupState(dataDir: string): Promise<GroupState | undefined> {
  try {
    return JSON.parse(await readFile(groupStatePath(dataDir), 'utf8')) as GroupState;
  } catch {
    return undefined;
  }
}

const GONE_POLL_MS = 10;
const GONE_MS = 5_000;

/**
 * Kills processes that outlived a supervisor that is gone, and waits until they are: they hold the store, the log and the
 * port. True when a group died here; then a process it had not written down yet may still be ending by itself.
 */
export async function killLeftovers(dataDir: string): Promise<boolean> {
  const state = await readGroupState(dataDir);
  if (state === undefined || isRunning(state.supervisor)) return false;
  const left = state.processes.filter(isRunning);
  for (const { pid } of left) process.kill(pid, 'SIGKILL');
  const deadline = systemClock.monotonic() + GONE_MS;
  while (left.some(isRunning) && systemClock.monotonic() < deadline) await systemClock.sleep(GONE_POLL_MS);
  return true;
}
