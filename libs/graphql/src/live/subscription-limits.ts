import { requestError } from '../errors/request-error.js';

/** Subscriptions of one WebSocket. */
export interface StreamConnection {
  subscriptions: number;
}

/** Counts subscriptions; both bounds are of what is open now. */
export class SubscriptionLimits {
  #open = 0;

  constructor(
    private readonly perConnection: number,
    private readonly total: number,
    private readonly changed: (open: number) => void = () => undefined,
  ) {}

  /** Takes a place, or throws RATE_LIMITED; call what it returns when the subscription ends (again is harmless). */
  enter(connection: StreamConnection): () => void {
    if (connection.subscriptions >= this.perConnection)
      throw requestError('RATE_LIMITED', `a connection may have ${this.perConnection} subscriptions`);
    if (this.#open >= this.total)
      throw requestError('RATE_LIMITED', 'too many subscriptions at once', {
        retryable: true,
        retryAfterMs: 5000,
      });
    connection.subscriptions++;
    this.changed(++this.#open);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      connection.subscriptions--;
      this.changed(--this.#open);
    };
  }
}
