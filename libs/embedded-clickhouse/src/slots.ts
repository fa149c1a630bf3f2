import { ClickHouseError } from './clickhouse-error.js';

interface Waiter {
  readonly grant: () => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * A bounded number of running queries with a bounded queue in front. Waiting is in order; who waits longer than the
 * limit, or finds the queue full, gets ClickHouse's 202 TOO_MANY_SIMULTANEOUS_QUERIES. Owned by the server.
 */
export class Slots {
  readonly #limit: number;
  readonly #queueLimit: number;
  readonly #timeoutMs: number;
  readonly #waiting = new Set<Waiter>();
  #used = 0;

  constructor(limit: number, queueLimit: number, timeoutMs: number) {
    this.#limit = limit;
    this.#queueLimit = queueLimit;
    this.#timeoutMs = timeoutMs;
  }

  get used(): number {
    return this.#used;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves with the function that gives the slot back (call it once). Rejects with code 202. */
  acquire(): Promise<() => void> {
    if (this.#used < this.#limit) {
      this.#used++;
      return Promise.resolve(() => this.#release());
    }
    if (this.#waiting.size >= this.#queueLimit) return Promise.reject(this.#refusal());
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        grant: () => resolve(() => this.#release()),
        timer: setTimeout(() => {
          this.#waiting.delete(waiter);
          reject(this.#refusal());
        }, this.#timeoutMs),
      };
      this.#waiting.add(waiter);
    });
  }

  #release(): void {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter);
      clearTimeout(waiter.timer);
      waiter.grant();
      return;
    }
    this.#used--;
  }

  #refusal(): ClickHouseError {
    const text = `Too many simultaneous queries. Maximum: ${this.#limit}`;
    return new ClickHouseError(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', text);
  }
}
