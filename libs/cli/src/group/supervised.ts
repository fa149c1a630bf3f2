import { fork, type ChildProcess } from 'node:child_process';
import { AppError, EXIT, type Log, type ReadyMessage, startTicks } from '@flowledger/platform';
import { type ProcessEntry } from './run-state.js';

export interface SupervisedOptions {
  readonly name: string;
  /** Compiled entry of the process. */
  readonly entry: string;
  readonly environment: () => Readonly<Record<string, string>>;
  readonly log: Log;
  /** Told after every start and end, to keep the state file true. */
  readonly changed: () => void;
  readonly readyTimeoutMs?: number;
}

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5000;
const STEADY_MS = 30_000;

/**
 * Keeps one child process running: starts it, waits for its ready message, starts it again with back-off when it ends
 * unasked. The child ends by itself when its channel to us closes.
 */
export class Supervised {
  readonly name: string;
  facts: ReadyMessage['facts'] = {};
  readonly #options: SupervisedOptions;
  #child: ChildProcess | undefined;
  #since = '';
  #restarts = 0;
  #stopping = false;
  #backoffMs = FIRST_BACKOFF_MS;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SupervisedOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Starts the child and resolves when it is ready; rejects when the first start fails. */
  async start(): Promise<void> {
    const child = this.#spawn();
    await this.#ready(child);
  }

  get entry(): ProcessEntry | undefined {
    const pid = this.#child?.pid;
    if (pid === undefined) return undefined;
    const { url, observer } = this.facts;
    return {
      name: this.name,
      pid,
      startTicks: startTicks(pid) ?? '',
      since: this.#since,
      restarts: this.#restarts,
      ...(typeof url === 'string' ? { url } : {}),
      ...(typeof observer === 'string' ? { observer } : {}),
    };
  }

  /** Asks the child to stop, and kills it when it has not within `deadlineMs`; true when it exited with 0. */
  async stop(deadlineMs: number): Promise<boolean> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return true;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    const code = await ended;
    clearTimeout(timer);
    return code === 0;
  }

  #spawn(): ChildProcess {
    const child = fork(this.#options.entry, [], {
      env: this.#options.environment(),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: ['--enable-source-maps'],
    });
    this.#child = child;
    this.#since = new Date().toISOString();
    const began = performance.now();
    child.once('exit', (code, signal) => this.#ended(code, signal, performance.now() - began));
    child.on('error', () => {});
    this.#options.changed();
    return child;
  }

  #ready(child: ChildProcess): Promise<void> {
    const { name } = this;
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new AppError('TIMEOUT', `${name} did not become ready`, { retry: true }));
      }, this.#options.readyTimeoutMs ?? 60_000);
      child.on('message', (message: ReadyMessage) => {
        if (message.type !== 'ready') return;
        clearTimeout(timeout);
        this.facts = message.facts;
        this.#options.changed();
        resolve();
      });
      child.once('exit', (code) => {
        clearTimeout(timeout);
        // It has said itself what is wrong with its settings.
        const refused = code === EXIT.config;
        const text = `${name} ended with code ${code ?? 'none'} before it was ready`;
        reject(new AppError(refused ? 'CONFIG_INVALID' : 'INTERNAL', text, { retry: !refused }));
      });
    });
  }

  #ended(code: number | null, signal: NodeJS.Signals | null, ranMs: number): void {
    this.#child = undefined;
    this.#options.changed();
    if (this.#stopping) return;
    this.#options.log.warn({ process: this.name, code, signal }, 'process ended, starting it again');
    this.#backoffMs =
      ranMs > STEADY_MS ? FIRST_BACKOFF_MS : Math.min(this.#backoffMs * 2, LONGEST_BACKOFF_MS);
    this.#timer = setTimeout(() => {
      if (this.#stopping) return;
      this.#restarts++;
      // A failed restart ends in `exit`, which leads back here; nothing else is to be done with the rejection.
      this.#ready(this.#spawn()).catch(() => {});
    }, this.#backoffMs);
  }
}
