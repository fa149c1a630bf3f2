import type { SecondRange } from './import-times.js';

/** Keys that one stream had accepted in one record, or in a range of seconds. */
export interface AcceptedKeyRow {
  /** Offset of the record, decimal; without meaning for keys of seconds. */
  readonly lo: string;
  readonly tenant: string;
  readonly cluster: string;
  readonly node: string;
  /** Number of each event in its record; empty for keys of seconds. */
  readonly indexes: readonly number[];
  /** 8 bytes a key, little-endian, in base64. */
  readonly keys: string;
}

/** One partition of one log. */
export interface AcceptedPlace {
  readonly epoch: bigint;
  readonly partition: number;
}

/**
 * What was accepted into the tables, for {@link DuplicateRule}s that begin in the middle of a log. The loader's library
 * reads it from the store; the live tail is given it by the api process.
 */
export interface AcceptedKeys {
  /** Keys that may still be in the window at offset `next`, ordered by record. */
  before(place: AcceptedPlace, next: bigint, signal: AbortSignal): Promise<readonly AcceptedKeyRow[]>;
  /** Keys of records before offset `before` with a bucket time in one of the ranges. */
  within(
    place: AcceptedPlace,
    before: bigint,
    ranges: readonly SecondRange[],
    signal: AbortSignal,
  ): Promise<readonly AcceptedKeyRow[]>;
}
