import type { RecordScope } from './record-scope.js';

/** `time_quality`: believable. */
export const TIME_OK = 0;
/** `time_quality`: more than an hour after it was received. */
export const TIME_FUTURE = 1;
/** `time_quality`: older than the raw TTL when it was received. */
export const TIME_ANCIENT = 2;
/** `time_quality`: not sent. */
export const TIME_ABSENT = 3;
/** `time_quality`: no time that DateTime64(9) could hold. */
export const TIME_INVALID = 4;

/** Seconds that DateTime64(9) can hold: 1900-01-01 to 2262-04-11. */
const MIN_S = -2_208_988_800;
const MAX_S = 9_223_372_035;
const TWO_32 = 0x1_0000_0000;

/** A time put where rows need it: `bucket_time` and `time_shift` in halves, and its quality. One object, reused. */
export class EventTime {
  quality = TIME_ABSENT;
  bucketLo = 0;
  bucketHi = 0;
  /** Whole seconds of the bucket time. */
  bucketS = 0;
  shiftLo = 0;
  shiftHi = 0;
  /** Event time, or the received time where there is none; ns since 1970 in halves. */
  lo = 0;
  hi = 0;

  /**
   * Judges a `google.protobuf.Timestamp` (seconds in two halves, nanos) against the received time of its record: within
   * [received - raw TTL, received + 1 h] it is its own bucket time, else the received time is (design section 5).
   */
  set(scope: RecordScope, present: boolean, secondsLo: number, secondsHi: number, nanos: number): void {
    this.bucketLo = scope.receivedLo;
    this.bucketHi = scope.receivedHi;
    this.bucketS = scope.receivedS;
    this.shiftLo = 0;
    this.shiftHi = 0;
    this.lo = scope.receivedLo;
    this.hi = scope.receivedHi;
    const seconds = (secondsHi | 0) * TWO_32 + (secondsLo >>> 0);
    if (!present) this.quality = TIME_ABSENT;
    else if (!(seconds >= MIN_S && seconds <= MAX_S) || nanos < 0 || nanos > 999_999_999)
      this.quality = TIME_INVALID;
    else this.#judge(scope, seconds, nanos);
  }

  #judge(scope: RecordScope, seconds: number, nanos: number): void {
    this.#toNs(seconds, nanos);
    if (before(seconds, nanos, scope.oldestS, scope.receivedNanos)) this.quality = TIME_ANCIENT;
    else if (before(scope.newestS, scope.receivedNanos, seconds, nanos)) this.quality = TIME_FUTURE;
    else {
      this.quality = TIME_OK;
      this.bucketLo = this.lo;
      this.bucketHi = this.hi;
      this.bucketS = seconds;
      return;
    }
    const borrow = this.lo < this.bucketLo ? 1 : 0;
    this.shiftLo = (this.lo - this.bucketLo) >>> 0;
    this.shiftHi = (this.hi - this.bucketHi - borrow) >>> 0;
  }

  /** seconds × 10^9 + nanos as two's complement halves. Split at 2^16 so that every product stays below 2^53. */
  #toNs(seconds: number, nanos: number): void {
    const high = Math.floor(seconds / 65_536);
    const low = seconds - high * 65_536;
    const lowNs = low * 1e9 + nanos;
    const highNs = high * 1e9;
    const highOver = Math.floor(highNs / 65_536);
    const lowOver = Math.floor(lowNs / TWO_32);
    const sum = (highNs - highOver * 65_536) * 65_536 + (lowNs - lowOver * TWO_32);
    const carry = sum >= TWO_32 ? 1 : 0;
    this.lo = sum >>> 0;
    this.hi = (highOver + lowOver + carry) >>> 0;
  }
}

function before(seconds: number, nanos: number, limitSeconds: number, limitNanos: number): boolean {
  return seconds < limitSeconds || (seconds === limitSeconds && nanos < limitNanos);
}
