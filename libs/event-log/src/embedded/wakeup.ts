import type { Clock } from '@flowledger/platform';

/** Lets many readers wait for "something new", for a time limit, or for their signal, whichever comes first. */
export class Wakeup {
  private readonly waiting = new Set<() => void>();

  constructor(private readonly clock: Clock) {}

  /** Releases everyone who waits now. */
  wake(): void {
    for (const release of this.waiting) release();
  }

  /** Resolves on the next `wake`, after `ms`, or when `signal` aborts; never rejects. */
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = new AbortController();
      const release = (): void => {
        this.waiting.delete(release);
        signal?.removeEventListener('abort', release);
        timer.abort();
        resolve();
      };
      this.waiting.add(release);
      signal?.addEventListener('abort', release, { once: true });
      this.clock.sleep(ms, timer.signal).then(release, release);
    });
  }
}
