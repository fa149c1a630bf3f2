interface Waiter {
  readonly grant: (giveBack: () => void) => void;
}

/** A fixed number of places, given in the order in which they were asked for. */
export class Room {
  readonly #waiting = new Set<Waiter>();
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  /** Places that nobody has. */
  get free(): number {
    return this.#free;
  }

  /** Resolves with the function that gives the place back (once). Rejects with the signal's reason when it aborts. */
  take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(this.#once());
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        grant: (giveBack) => {
          signal.removeEventListener('abort', onAbort);
          resolve(giveBack);
        },
      };
      const onAbort = (): void => {
        this.#waiting.delete(waiter);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  /** A place is given back once, however often its owner says so. */
  #once(): () => void {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      for (const waiter of this.#waiting) {
        this.#waiting.delete(waiter);
        waiter.grant(this.#once());
        return;
      }
      this.#free++;
    };
  }
}
