import { setTimeout as delay } from 'node:timers/promises';
import { AppError, isAppError } from '@flowledger/platform';
import { startChild } from './child-process.js';
import type { ChildExit, RunningChild } from './child-process.js';
import type { ServerOptions, ServerStats } from './messages.js';
import type { StoreUser } from './users.js';

const MIB = 1024 * 1024;
/** Crashes within this time count together. */
const CRASH_WINDOW_MS = 10 * 60_000;
const DEFAULT_MAX_CRASHES = 5;
const LONGEST_PAUSE_MS = 5_000;

export interface EmbeddedClickHouseOptions {
  /** Data directory; made when missing. */
  readonly directory: string;
  /** Where insert bodies wait; a directory in memory is 2–3 times faster. Default: `<directory>/spool`. */
  readonly spoolDirectory?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free port. Kept over restarts. */
  readonly port?: number;
  readonly users: readonly StoreUser[];
  /** Default 2 GiB. */
  readonly maxMemoryBytes?: number;
  /** Default 256 MiB. */
  readonly maxBodyBytes?: number;
  /** Default 512 MiB. */
  readonly maxSpoolBytes?: number;
  /** Default 10 s. */
  readonly queueTimeoutMs?: number;
  /** How long to wait for a previous owner of the directory to end. Default 15 s. */
  readonly lockTimeoutMs?: number;
  /** The engine's own complaints, line by line. */
  readonly onLog?: (line: string) => void;
  /** Told about every unexpected end. `restarting` is false when it crashed too often: then nothing runs any more. */
  readonly onExit?: (exit: ChildExit & { readonly restarting: boolean }) => void;
  /** Told when a child works again after a crash; its pid is another one. */
  readonly onRestart?: () => void;
  /** Crashes within ten minutes after which nothing is started any more. Default 5; Infinity never gives up. */
  readonly maxCrashes?: number;
}

/** A running embedded store. Owner: who started it; `stop` ends the process and resolves when it has ended. */
export interface EmbeddedClickHouse {
  readonly url: string;
  readonly port: number;
  /** Process id of the current child; changes after a crash. */
  readonly pid: number;
  /** Engine version text. */
  readonly version: string;
  /** Rejects STORE_UNAVAILABLE while the child is down. */
  stats(): Promise<ServerStats>;
  /** Lets queries finish for `drainMs` (default 5 s), cancels the rest, ends the process. */
  stop(drainMs?: number): Promise<void>;
}

function serverOptions(options: EmbeddedClickHouseOptions): ServerOptions {
  return {
    directory: options.directory,
    spoolDirectory: options.spoolDirectory ?? `${options.directory}/spool`,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    users: options.users,
    maxMemoryBytes: options.maxMemoryBytes ?? 2_048 * MIB,
    maxBodyBytes: options.maxBodyBytes ?? 256 * MIB,
    maxSpoolBytes: options.maxSpoolBytes ?? 512 * MIB,
    queueTimeoutMs: options.queueTimeoutMs ?? 10_000,
  };
}

/** Starts a child, waiting up to `lockTimeoutMs` for an earlier owner of the directory (a killed parent's child) to end. */
async function startWhenFree(
  options: ServerOptions,
  lockTimeoutMs: number,
  onLog: (line: string) => void,
): Promise<RunningChild> {
  const deadline = performance.now() + lockTimeoutMs;
  for (;;) {
    try {
      return await startChild(options, onLog);
    } catch (error) {
      if (!isAppError(error, 'CONFLICT') || performance.now() > deadline) throw error;
      await delay(200);
    }
  }
}

class Supervisor implements EmbeddedClickHouse {
  readonly #options: EmbeddedClickHouseOptions;
  readonly #server: ServerOptions;
  #child: RunningChild;
  #stopping = false;
  #restarting: Promise<void> | null = null;
  #crashes: number[] = [];

  constructor(options: EmbeddedClickHouseOptions, server: ServerOptions, child: RunningChild) {
    this.#options = options;
    this.#server = { ...server, port: child.port };
    this.#child = child;
    this.#watch(child);
  }

  get url(): string {
    const host = this.#server.host.includes(':') ? `[${this.#server.host}]` : this.#server.host;
    return `http://${host}:${this.port}`;
  }

  get port(): number {
    return this.#server.port;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get version(): string {
    return this.#child.version;
  }

  stats(): Promise<ServerStats> {
    return this.#child.stats();
  }

  async stop(drainMs = 5_000): Promise<void> {
    this.#stopping = true;
    await this.#restarting;
    await this.#child.stop(drainMs);
  }

  #watch(child: RunningChild): void {
    void child.exited.then((exit) => {
      if (this.#stopping) return;
      const now = performance.now();
      this.#crashes = [...this.#crashes.filter((at) => now - at < CRASH_WINDOW_MS), now];
      const restarting = this.#crashes.length <= (this.#options.maxCrashes ?? DEFAULT_MAX_CRASHES);
      this.#options.onExit?.({ ...exit, restarting });
      if (restarting) this.#restarting = this.#restart();
    });
  }

  async #restart(): Promise<void> {
    await delay(Math.min(LONGEST_PAUSE_MS, 100 * 2 ** (this.#crashes.length - 1)));
    if (this.#stopping) return;
    try {
      const log = this.#options.onLog ?? ignore;
      this.#child = await startWhenFree(this.#server, this.#options.lockTimeoutMs ?? 15_000, log);
      this.#watch(this.#child);
      this.#options.onRestart?.();
    } catch {
      this.#options.onExit?.({ code: null, signal: null, restarting: false });
    }
  }
}

function ignore(): void {}

/**
 * Starts ClickHouse inside a child process of this one, behind ClickHouse's HTTP interface on `url`, and keeps it
 * running: a crashed child is started again on the same port, with growing pauses, up to five times in ten minutes.
 * Rejects CONFLICT when another process owns the directory, STORE_UNAVAILABLE when the engine does not start.
 */
export async function startEmbeddedClickHouse(
  options: EmbeddedClickHouseOptions,
): Promise<EmbeddedClickHouse> {
  if (options.users.length === 0) {
    throw new AppError('CONFIG_INVALID', 'start the embedded store: no users given', { retry: false });
  }
  const server = serverOptions(options);
  const child = await startWhenFree(server, options.lockTimeoutMs ?? 15_000, options.onLog ?? ignore);
  return new Supervisor(options, server, child);
}
