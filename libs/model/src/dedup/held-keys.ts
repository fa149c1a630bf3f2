import type { SecondRange } from './import-times.js';
import { mergeRanges } from './import-times.js';
import { KeySet } from './key-set.js';

/** Keys held at most, by all streams together, when a batch begins; then they are given up and asked for anew. */
const MOST_KEYS = 1_000_000;

/**
 * Keys by stream of everything that was accepted with a bucket time in certain spans of time: what the store told of
 * them once, and every key accepted since. An import goes forward in time, so a span asked about once answers for
 * thousands of envelopes; asking for each anew costs more than loading them (measured).
 */
export class HeldKeys {
  #spans: readonly SecondRange[] = [];
  readonly #keys = new Map<string, KeySet>();

  /** Nothing is held: accepted keys need not be told. */
  get empty(): boolean {
    return this.#spans.length === 0;
  }

  /** What of the range is not held, as one range; undefined when nothing is missing. */
  missing(range: SecondRange): SecondRange | undefined {
    let { first, last } = range;
    for (const span of this.#spans) if (span.first <= first && first <= span.last) first = span.last + 1;
    for (const span of this.#spans) if (span.first <= last && last <= span.last) last = span.first - 1;
    return first > last ? undefined : { first, last };
  }

  /** Takes a span whose keys in the store were added, or will be before the next question. */
  cover(span: SecondRange): void {
    this.#spans = mergeRanges([...this.#spans, span]);
  }

  /** The keys of one stream, to add to. */
  of(stream: string): KeySet {
    let set = this.#keys.get(stream);
    if (set === undefined) this.#keys.set(stream, (set = new KeySet()));
    return set;
  }

  /** Gives all up when there is too much of it. Only call it when the store, or another set, knows every key. */
  trim(most = MOST_KEYS): void {
    let held = 0;
    for (const set of this.#keys.values()) held += set.size;
    if (held <= most) return;
    this.#spans = [];
    this.#keys.clear();
  }
}
