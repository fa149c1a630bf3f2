import { describeError, type Clock, type Log } from '@flowledger/platform';
import type { PartitionStatus } from './loader-status.js';
import { storeFault } from './store-fault.js';

const FIRST_MS = 100;
const LONGEST_MS = 5_000;
/** A wrong installation is looked at less often: a person has to act. */
const BLOCKED_MS = 10_000;

export interface PatienceOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly status: PartitionStatus;
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

/**
 * Waiting for a store that does not answer, for as long as it takes: exponential, jittered, at most 5 s, and visible in
 * status and log. One for each lease, so that a store that came back is used at once by all steps.
 */
export class Patience {
  #delayMs = FIRST_MS;

  constructor(private readonly options: PatienceOptions) {}

  /** Call after a success. */
  relieved(): void {
    this.#delayMs = FIRST_MS;
    this.options.status.waiting = undefined;
  }

  /** Waits after a fault; rejects with the fault itself when waiting cannot help, with an abort when told to stop. */
  async after(fault: unknown, step: string): Promise<void> {
    const { clock, log, status, signal } = this.options;
    const kind = storeFault(fault);
    status.lastError = describeError(fault);
    if (kind === 'ours') throw fault;
    // Statements without rows of ours come here too: when one is refused, no row is to blame.
    const blocked = kind === 'blocked' || kind === 'content';
    status.waiting = blocked ? 'blocked' : 'store';
    const facts = { partition: status.partition, step, error: status.lastError };
    if (blocked) log.error(facts, 'loader is blocked: the installation of the store is wrong');
    else if (this.#delayMs === FIRST_MS || this.#delayMs >= LONGEST_MS)
      log.warn(facts, 'store fault, trying again');
    const delay = blocked ? BLOCKED_MS : this.#delayMs;
    this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_MS);
    await clock.sleep(delay * (0.5 + Math.random() / 2), signal);
  }

  /** Does work that may be repeated freely until it succeeds. */
  async until<T>(step: string, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const result = await work();
        this.relieved();
        return result;
      } catch (error) {
        await this.after(error, step);
      }
    }
  }
}
