import type { Clock } from '@flowledger/platform';

/** Time that stands still until a test moves it. Sleepers wake when it passes their time or their signal aborts. */
export class ManualClock implements Clock {
  private readonly sleeping = new Set<() => void>();

  constructor(private ms = 1_700_000_000_000) {}

  now(): number {
    return this.ms;
  }

  monotonic(): number {
    return this.ms;
  }

  advance(ms: number): void {
    this.ms += ms;
    for (const check of this.sleeping) check();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const due = this.ms + ms;
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        this.sleeping.delete(check);
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const abort = (): void => finish(() => reject(new DOMException('sleep was aborted', 'AbortError')));
      const check = (): void => {
        if (this.ms >= due) finish(resolve);
      };
      this.sleeping.add(check);
      signal?.addEventListener('abort', abort, { once: true });
      if (signal?.aborted === true) abort();
    });
  }
}
