import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, readGroupState, type GroupState, type ProcessEntry } from '@flowledger/cli';

/** The group under test: `flowledger start` on one directory, started again whenever its supervisor was killed. */
export class GroupUnderTest {
  readonly url: string;
  readonly #root: string;
  readonly #dataDir: string;
  readonly #port: number;
  readonly #settings: readonly string[];
  #supervisor: ChildProcess | undefined;

  constructor(root: string, dataDir: string, port: number, settings: readonly string[]) {
    this.#root = root;
    this.#dataDir = dataDir;
    this.#port = port;
    this.#settings = settings;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts the supervisor and waits for its ready line. */
  async start(): Promise<void> {
    const words = [
      'start',
      '--data-dir',
      this.#dataDir,
      '--port',
      String(this.#port),
      '--no-demo',
      '--sink-max-age',
      '200ms',
      ...this.#settings,
    ];
    const entry = join(this.#root, 'apps/flowledger/dist/main.js');
    const child = spawn(process.execPath, [entry, ...words], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: process.env,
    });
    this.#supervisor = child;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('group was not ready within 60 s')), 60_000);
      child.stdout.on('data', (chunk: Buffer) => {
        if (!chunk.includes('ready http')) return;
        clearTimeout(timer);
        resolve();
      });
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        reject(new Error(`supervisor ended before it was ready: ${code ?? signal ?? ''}`));
      });
    });
  }

  /** Every process of the group that lives now, found from what the group says about itself. */
  async living(): Promise<readonly ProcessEntry[]> {
    const state: GroupState | undefined = await readGroupState(this.#dataDir);
    return state === undefined ? [] : [state.supervisor, ...state.processes].filter(isRunning);
  }

  /** Kills one process; when it was the supervisor, starts the group again. */
  async kill(victim: ProcessEntry): Promise<void> {
    process.kill(victim.pid, 'SIGKILL');
    if (victim.name !== 'supervisor') return;
    while (isRunning(victim)) await delay(10);
    await this.start();
  }

  /** SIGTERM, and the exit code that followed. */
  async stop(): Promise<number | null> {
    const child = this.#supervisor;
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    return ended;
  }
}
