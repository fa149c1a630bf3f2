import { AppError } from '@flowledger/platform';
import type { Clock } from '@flowledger/platform';
import { errnoOf } from './file-system.js';
import { HEARTBEAT_MS } from './generation-lock.js';
import type { HeldLock } from './generation-lock.js';

/** Without a confirmed heartbeat for this long we check that nobody took over before we write. */
const TRUST_MS = 5_000;

/** Keeps a lock's heartbeat going and notices when the lock was taken over. The owner awaits `stop`. */
export class Heartbeat {
  private readonly stopping = new AbortController();
  private readonly done: Promise<void>;
  private confirmedAt: number;

  constructor(
    private readonly lock: HeldLock,
    private readonly clock: Clock,
    private readonly onLost: () => void,
  ) {
    this.confirmedAt = clock.monotonic();
    this.done = this.run();
  }

  /**
   * Resolves when the lock is ours for sure, as far as a clock can tell. Rejects LOG_UNAVAILABLE: for good when
   * somebody took over, with retry when it could not be found out.
   */
  async confirm(): Promise<void> {
    if (this.clock.monotonic() - this.confirmedAt < TRUST_MS) return;
    const found = await this.beat();
    if (found === 'ours') return;
    const text = found === 'lost' ? 'another process took the log over' : 'ownership could not be confirmed';
    throw new AppError('LOG_UNAVAILABLE', text, { retry: found === 'unclear' });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.done;
  }

  private async beat(): Promise<'ours' | 'lost' | 'unclear'> {
    try {
      if (await this.lock.isCurrent()) {
        await this.lock.beat();
        this.confirmedAt = this.clock.monotonic();
        return 'ours';
      }
    } catch (error) {
      // A heartbeat that failed for want of resources is made up by the next; a directory that is gone is an answer.
      if (errnoOf(error) !== 'ENOENT') return 'unclear';
    }
    this.onLost();
    return 'lost';
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.clock.sleep(HEARTBEAT_MS, signal).catch(() => undefined);
      if (!signal.aborted) await this.beat();
    }
  }
}
