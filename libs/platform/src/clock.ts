import { setTimeout as delay } from 'node:timers/promises';

/** Wall time and waiting, as an argument, so that tests decide what time it is. */
export interface Clock {
  /** Milliseconds since the epoch. Used for event times and retention only, never for timeouts. */
  now(): number;
  /** Milliseconds of a clock that never jumps. Used for every timeout and age. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  },
};
