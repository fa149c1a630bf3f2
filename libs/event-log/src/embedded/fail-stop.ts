import { AppError, isAppError } from '@flowledger/platform';
import { errnoOf } from './file-system.js';

/**
 * Remembers the first failure after which what is on the disk is no longer known (a failed fsync above all: the kernel
 * may have dropped the pages and would answer a second fsync with success). From then on every write is refused.
 */
export class FailStop {
  private cause: unknown;
  private what: string | undefined;

  /** The first failure in words, for health checks; undefined while all is well. */
  get reason(): string | undefined {
    return this.what;
  }

  /** Records the failure and returns the fault to throw. */
  trip(what: string, cause: unknown): AppError {
    this.what ??= what;
    this.cause ??= cause;
    return this.fault();
  }

  /** Throws LOG_UNAVAILABLE after a failure. */
  check(): void {
    if (this.what !== undefined) throw this.fault();
  }

  private fault(): AppError {
    const text = `event log stopped taking records: ${this.what ?? 'unknown failure'}; restart the writer to recover`;
    return new AppError('LOG_UNAVAILABLE', text, { retry: false, cause: this.cause });
  }
}

/**
 * Turns a system error of `work` into a LOG_UNAVAILABLE that a retry may cure (no descriptors, no space, no access);
 * faults of the log, and anything that is no system error, pass unchanged.
 */
export async function asLogFault<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isAppError(error) || errnoOf(error) === undefined) throw error;
    throw new AppError('LOG_UNAVAILABLE', `event log could not ${what}`, { retry: true, cause: error });
  }
}
