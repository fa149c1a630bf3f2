import { AppError, describeError } from './errors.js';
import type { Log } from './log.js';

export interface Part {
  readonly name: string;
  /** Called in reverse order of `own`; must resolve when everything it holds is flushed and released. */
  stop(): Promise<void>;
}

/**
 * Owns what a process started and stops it in reverse order, one at a time, each within its share of the deadline.
 * A part that fails or hangs is logged and the next one is stopped all the same.
 */
export class Lifecycle {
  readonly #parts: Part[] = [];
  readonly #log: Log;
  #stopping: Promise<boolean> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  own(name: string, stop: () => Promise<void>): void {
    this.#parts.push({ name, stop });
  }

  /** Stops everything once; true when every part stopped in time and without a fault. */
  stop(deadlineMs: number): Promise<boolean> {
    this.#stopping ??= this.#stopAll(performance.now() + deadlineMs);
    return this.#stopping;
  }

  async #stopAll(deadline: number): Promise<boolean> {
    let clean = true;
    for (const part of this.#parts.toReversed()) {
      try {
        await within(part.stop(), Math.max(100, deadline - performance.now()), part.name);
      } catch (error) {
        clean = false;
        this.#log.error({ part: part.name, error: describeError(error) }, 'part did not stop cleanly');
      }
    }
    return clean;
  }
}

async function within(work: Promise<void>, ms: number, name: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('TIMEOUT', `stop ${name}`, { retry: false })), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Aborts the returned signal on SIGTERM, SIGINT or when the parent process is gone (its IPC channel closed), and ends
 * the process with exit code 1 at the second signal.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort(new AppError('CANCELLED', 'process is stopping', { retry: false }));
  };
  process.on('SIGTERM', stop);
  // Ctrl-C reaches the whole group at once; a supervised child leaves the order of stopping to its supervisor.
  process.on('SIGINT', process.connected ? () => {} : stop);
  const orphaned = (): void => controller.abort();
  if (process.connected) process.on('disconnect', orphaned);
  // A parent that died while we were loading closed the channel before anybody listened; `send` tells there was one.
  else if (process.send !== undefined) orphaned();
  return controller.signal;
}
