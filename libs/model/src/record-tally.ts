import type { RecordAccount } from './projected-batches.js';

/** Smallest and largest of the 64-bit times noted, ns since 1970 in unsigned halves (bucket times are never negative). */
export class TimeRange {
  #any = false;
  #minLo = 0;
  #minHi = 0;
  #maxLo = 0;
  #maxHi = 0;

  note(lo: number, hi: number): void {
    if (!this.#any || hi < this.#minHi || (hi === this.#minHi && lo < this.#minLo)) {
      this.#minLo = lo;
      this.#minHi = hi;
    }
    if (!this.#any || hi > this.#maxHi || (hi === this.#maxHi && lo > this.#maxLo)) {
      this.#maxLo = lo;
      this.#maxHi = hi;
    }
    this.#any = true;
  }

  /** The range, or undefined when nothing was noted. */
  range(): { readonly min: bigint; readonly max: bigint } | undefined {
    if (!this.#any) return undefined;
    return {
      min: (BigInt(this.#minHi) << 32n) | BigInt(this.#minLo),
      max: (BigInt(this.#maxHi) << 32n) | BigInt(this.#maxLo),
    };
  }

  /** The range under a name, when there is one; starts anew. */
  take(name: 'flows' | 'events'): { readonly [table in 'flows' | 'events']?: { min: bigint; max: bigint } } {
    const range = this.range();
    this.#any = false;
    return range === undefined ? {} : { [name]: range };
  }
}

/** Counts what becomes of one record's events. */
export class RecordTally {
  flows = 0;
  otherEvents = 0;
  duplicates = 0;
  dead = 0;
  skipped = 0;
  receivedMs = 0;
  readonly times = new TimeRange();

  constructor(private readonly offset: bigint) {}

  account(): RecordAccount {
    const { offset, flows, otherEvents, duplicates, dead, skipped, receivedMs } = this;
    const events = flows + otherEvents + duplicates + dead + skipped;
    const range = this.times.range();
    const times = range === undefined ? {} : { minBucketTime: range.min, maxBucketTime: range.max };
    return { offset, events, flows, otherEvents, duplicates, dead, skipped, receivedMs, ...times };
  }
}
