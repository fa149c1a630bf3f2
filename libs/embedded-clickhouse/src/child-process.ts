import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AppError } from '@flowledger/platform';
import type { ChildMessage, ParentMessage, ServerOptions, ServerStats } from './messages.js';

/** The child always runs compiled code, also under a test runner that reads our sources: both places are siblings. */
const ENTRY = new URL('../dist/child.js', import.meta.url);
const TAIL_BYTES = 4_096;
const LOCKED = /Cannot lock file|already running/;

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningChild {
  readonly pid: number;
  readonly port: number;
  readonly version: string;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<ChildExit>;
  stats(): Promise<ServerStats>;
  /** Asks for an orderly end and waits for it; kills the process `drainMs` + 10 s later. */
  stop(drainMs: number): Promise<void>;
}

function forkChild(options: ServerOptions): ChildProcess {
  if (!existsSync(ENTRY)) {
    throw new AppError(
      'CONFIG_INVALID',
      `the store's process is not built: ${fileURLToPath(ENTRY)} is missing`,
      {
        retry: false,
      },
    );
  }
  const queries = options.users.reduce((sum, user) => sum + user.limits.maxConcurrent, 0);
  return fork(ENTRY, {
    // The engine's queries block threads of libuv's pool; file and zlib work needs some beside them. Only the
    // environment of a new process can size that pool; nothing else of ours is passed on.
    env: { UV_THREADPOOL_SIZE: String(queries + 8), TZ: 'UTC' },
    execArgv: ['--enable-source-maps'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

function send(child: ChildProcess, message: ParentMessage): void {
  if (child.connected) child.send(message);
}

class Child implements RunningChild {
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  port = 0;
  version = '';
  readonly #process: ChildProcess;
  readonly #asked = new Map<number, (stats: ServerStats | null) => void>();
  #tail = '';
  #nextId = 1;

  constructor(child: ChildProcess, onLog: (line: string) => void) {
    this.#process = child;
    this.pid = child.pid ?? 0;
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        for (const answer of this.#asked.values()) answer(null);
        this.#asked.clear();
        resolve({ code, signal });
      });
      child.once('error', () => resolve({ code: null, signal: null }));
    });
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => {
        this.#tail = `${this.#tail}${line}\n`.slice(-TAIL_BYTES);
        onLog(line);
      });
    }
  }

  /** Resolves when the endpoint listens; rejects with CONFLICT (directory in use; retry) or STORE_UNAVAILABLE. */
  async start(options: ServerOptions): Promise<void> {
    const answer = new Promise<ChildMessage>((resolve) => {
      this.#process.on('message', (message: ChildMessage) => {
        if (message.type === 'stats') {
          this.#asked.get(message.id)?.(message.stats);
          this.#asked.delete(message.id);
        } else resolve(message);
      });
    });
    send(this.#process, { type: 'start', options });
    const first = await Promise.race([answer, this.exited.then(() => null)]);
    if (first?.type === 'ready') {
      this.port = first.port;
      this.version = first.version;
      return;
    }
    const exit = await this.exited;
    const said =
      first?.type === 'failed' ? first.message : `ended with ${exit.signal ?? `code ${exit.code}`}`;
    const locked = LOCKED.test(this.#tail);
    const reason = locked ? `another process uses ${options.directory}` : `${said} ${this.#tail}`.trim();
    throw new AppError(locked ? 'CONFLICT' : 'STORE_UNAVAILABLE', `start the embedded store: ${reason}`, {
      retry: locked,
    });
  }

  async stats(): Promise<ServerStats> {
    const id = this.#nextId++;
    const answer = new Promise<ServerStats | null>((resolve) => this.#asked.set(id, resolve));
    send(this.#process, { type: 'stats', id });
    if (!this.#process.connected) this.#asked.get(id)?.(null);
    const stats = await answer;
    if (stats === null)
      throw new AppError('STORE_UNAVAILABLE', 'the embedded store has ended', { retry: true });
    return stats;
  }

  async stop(drainMs: number): Promise<void> {
    send(this.#process, { type: 'stop', drainMs });
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), drainMs + 10_000);
    await this.exited;
    clearTimeout(timer);
  }
}

/**
 * Forks one store process and waits until it answers. The process ends by itself when this one disappears. Rejects
 * CONFLICT when another process holds the data directory, STORE_UNAVAILABLE with the engine's last words otherwise.
 */
export async function startChild(
  options: ServerOptions,
  onLog: (line: string) => void,
): Promise<RunningChild> {
  const child = new Child(forkChild(options), onLog);
  await child.start(options);
  return child;
}
