import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Names one process so that its number being given to another process later does not matter. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Kernel start time of the process (proc(5) stat field 22); empty where there is no /proc. */
  readonly started: string;
  /** Boot id of the machine; empty where there is no /proc. */
  readonly boot: string;
  /** PID namespace, because a container cannot see the processes of its neighbour; empty where there is no /proc. */
  readonly namespace: string;
}

/** `unknown`: the process may run where we cannot see it, so only its heartbeat can tell. */
export type Liveness = 'alive' | 'dead' | 'unknown';

/** Who we are, and whether another process still runs. An interface so that tests can kill and revive owners. */
export interface ProcessTable {
  self(): Promise<ProcessIdentity>;
  liveness(process: ProcessIdentity): Promise<Liveness>;
}

/** Start time of a process, `gone` for one that ended (a zombie has: it holds nothing), undefined without /proc. */
async function startTime(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The command name may hold spaces and brackets, so fields are counted from its closing bracket.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? 'gone' : fields[19];
  } catch {
    return undefined;
  }
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM means that it runs under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

const readOrEmpty = (reading: Promise<string>): Promise<string> =>
  reading.then(
    (text) => text.trim(),
    () => '',
  );

/** The machine's processes, by /proc where there is one, else by signal 0. */
export const systemProcesses: ProcessTable = {
  self: async () => ({
    pid: process.pid,
    host: hostname(),
    started: (await startTime(process.pid)) ?? '',
    boot: await readOrEmpty(readFile('/proc/sys/kernel/random/boot_id', 'latin1')),
    namespace: await readOrEmpty(readlink('/proc/self/ns/pid')),
  }),
  liveness: async (owner) => {
    const self = await systemProcesses.self();
    if (owner.boot !== self.boot) return owner.host === self.host ? 'dead' : 'unknown';
    if (owner.namespace !== self.namespace || (owner.boot === '' && owner.host !== self.host))
      return 'unknown';
    if (!signalReaches(owner.pid)) return 'dead';
    if (owner.started === '') return 'unknown';
    return (await startTime(owner.pid)) === owner.started ? 'alive' : 'dead';
  },
};
