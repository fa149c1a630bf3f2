import type { PartitionLease } from '@flowledger/event-log';
import type { Clock } from '@flowledger/platform';
import { writeControl } from './control.js';

const PAUSE_MS = 15_000;
const RENEW_MS = 4_000;

/**
 * Keeps loaders out while `work` runs: the request to pause is renewed, so that it ends by itself when this process
 * dies. `work` may turn it into a swap, after which it no longer ends by itself until `done` is called.
 */
export async function whilePaused<T>(
  lease: PartitionLease,
  clock: Clock,
  work: (swap: { begin(database: string): Promise<void>; done(): Promise<void> }) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  let swapping = false;
  const renew = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await clock.sleep(RENEW_MS, ended.signal).catch(() => undefined);
      if (!ended.signal.aborted && !swapping) await writeControl(lease, pausing(clock));
    }
  };
  await writeControl(lease, pausing(clock));
  const renewing = renew();
  // A pause that could not be renewed shows as a lease that is lost; the work's own fault is the one to tell.
  renewing.catch(() => undefined);
  try {
    return await work({
      begin: (database) => {
        swapping = true;
        return writeControl(lease, { state: 'swapping', database });
      },
      done: async () => {
        await writeControl(lease, { state: 'none' });
        swapping = false;
      },
    });
  } finally {
    ended.abort();
    await renewing.catch(() => undefined);
    if (!swapping) await writeControl(lease, { state: 'none' });
  }
}

function pausing(clock: Clock): { readonly state: 'pausing'; readonly untilMs: number } {
  return { state: 'pausing', untilMs: clock.now() + PAUSE_MS };
}
