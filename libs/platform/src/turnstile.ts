import { AppError } from './errors.js';

/** A bounded number of pieces of work at once, and a line of those that wait, bounded too; first come, first served. */
export class Turnstile {
  readonly #limit: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  readonly #onChange: (running: number, waiting: number) => void;
  #running = 0;

  /** `maxWaiting` may be Infinity where the callers are bounded themselves. `onChange` hears of every change, for gauges. */
  constructor(
    limit: number,
    maxWaiting: number,
    onChange: (running: number, waiting: number) => void = () => {},
  ) {
    this.#limit = limit;
    this.#maxWaiting = maxWaiting;
    this.#onChange = onChange;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Runs `work` when it is its turn. Rejects OVERLOADED (a retry helps) when the line is full, with the signal's reason when
   * it aborts first.
   */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#limit) {
      this.#running++;
      this.#changed();
      return;
    }
    if (this.#waiting.length >= this.#maxWaiting)
      throw new AppError('OVERLOADED', 'too many queries at once', { retry: true });
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        this.#changed();
        reject(signal.reason);
      };
      this.#waiting.push(turn);
      this.#changed();
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** The place goes to the next in line, so `running` stays as it is when somebody waits. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
    this.#changed();
  }

  #changed(): void {
    this.#onChange(this.#running, this.#waiting.length);
  }
}
