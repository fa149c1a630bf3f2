import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY_LIMIT_MS = 60_000;

/** One of our processes, started as a deployment would: its compiled entry and its environment alone. */
export interface Service {
  readonly pid: number;
  /** What it told when it was ready, e.g. `url`. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** Everything it has written to standard error. */
  readonly said: () => string;
  /** Sends a signal and, for those that end it, waits until it is gone; resolves with its exit code. */
  signal(name: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  /** Stops it in its tracks, and lets it go on. */
  pause(): void;
  resume(): void;
  readonly ended: boolean;
}

type Name = 'ingestor' | 'worker' | 'api';

/** Nothing of the caller's configuration may reach the process. */
function cleanEnvironment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('FLOWLEDGER_'));
  return { ...Object.fromEntries(own), ...extra };
}

/** Starts one of our entries with an environment; see {@link startProcess}. */
export function startService(name: Name, env: Readonly<Record<string, string>>): Promise<Service> {
  return startProcess(['node', `apps/${name}/dist/main.js`], env);
}

/**
 * Runs a command (`node` first, paths from the workspace on) with that environment and nothing of ours from the caller's,
 * and waits until the process says that it is ready. Rejects with its last words when it ends before.
 */
export async function startProcess(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Service> {
  const [program, ...words] = command;
  if (program !== 'node') throw new Error(`not a command of ours: ${command.join(' ')}`);
  const name = words.join(' ');
  const child = spawn(process.execPath, words, {
    cwd: ROOT,
    env: cleanEnvironment(env),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-20_000)));
  const killed = (): boolean => child.kill('SIGKILL');
  process.once('exit', killed);
  child.once('exit', () => process.off('exit', killed));
  const facts = await untilReady(name, child, () => said);
  return {
    pid: child.pid ?? 0,
    facts,
    said: () => said,
    signal: (how) => endChild(child, how),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    get ended() {
      return child.exitCode !== null || child.signalCode !== null;
    },
  };
}

function untilReady(name: string, child: ChildProcess, said: () => string): Promise<Service['facts']> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${name} was not ready in time: ${said()}`));
    }, READY_LIMIT_MS);
    child.on('message', (message) => {
      if (typeof message !== 'object' || message === null || !('facts' in message)) return;
      clearTimeout(timer);
      resolve(message.facts as Service['facts']);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`${name} ended with ${code ?? 'a signal'}: ${said()}`));
    });
  });
}

function endChild(child: ChildProcess, how: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(how);
  return gone;
}
