/** At most so many flows a second, with bursts of one second's worth. Time is the caller's, in ms. */
export class RateCap {
  #tokens: number;
  #at: number;

  constructor(
    private readonly perSecond: number,
    nowMs: number,
  ) {
    this.#tokens = perSecond;
    this.#at = nowMs;
  }

  /** How many of `wanted` may go now. */
  take(wanted: number, nowMs: number): number {
    this.#refill(nowMs);
    const taken = Math.min(wanted, Math.floor(this.#tokens));
    this.#tokens -= taken;
    return taken;
  }

  /** Milliseconds until one may go. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / this.perSecond);
  }

  #refill(nowMs: number): void {
    const earned = (Math.max(0, nowMs - this.#at) * this.perSecond) / 1000;
    this.#tokens = Math.min(this.perSecond, this.#tokens + earned);
    this.#at = Math.max(this.#at, nowMs);
  }
}
