/** Callers that are remembered; who asked longest ago is forgotten first, and starts with a full bucket if he comes back. */
const MAX_CALLERS = 10_000;

interface Bucket {
  /** Tokens at `atMs`. */
  tokens: number;
  atMs: number;
}

/**
 * Bounds what each caller may ask for, in units of requested cost: a bucket fills by `perSecond` up to `burst`, a request
 * takes its cost out of it. One a server.
 */
export class TokenBuckets {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, Bucket>();

  /** `perSecond` 0 = no limit. */
  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /**
   * Takes `cost` from the bucket of `caller` and returns 0; when there is not enough, takes nothing and returns in how many ms
   * there will be. A cost above the burst takes a full bucket.
   */
  take(caller: string, cost: number, nowMs: number): number {
    if (this.#perSecond === 0) return 0;
    const bucket = this.#filled(caller, nowMs);
    const wanted = Math.min(cost, this.#burst);
    if (bucket.tokens >= wanted) {
      bucket.tokens -= wanted;
      return 0;
    }
    return Math.ceil(((wanted - bucket.tokens) / this.#perSecond) * 1000);
  }

  #filled(caller: string, nowMs: number): Bucket {
    const known = this.#buckets.get(caller);
    // Used last, forgotten last.
    this.#buckets.delete(caller);
    const gained = known === undefined ? 0 : (Math.max(0, nowMs - known.atMs) / 1000) * this.#perSecond;
    const tokens = known === undefined ? this.#burst : Math.min(this.#burst, known.tokens + gained);
    const bucket = { tokens, atMs: nowMs };
    this.#buckets.set(caller, bucket);
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= MAX_CALLERS) break;
      this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
