import {
  compilePredicate,
  type EndpointHistory,
  type FlowFilters,
  type FlowPredicate,
  type Result,
} from '@flowledger/query';

/** Filters whose predicate is remembered; least recently used go. */
const REMEMBERED = 1000;

/** One predicate for all who filter alike, so that the live tail asks it once for each flow. */
export class SharedPredicates {
  readonly #known = new Map<string, Result<FlowPredicate>>();

  /** Without a history filters with `matchInferred` are refused. */
  constructor(private readonly history?: EndpointHistory) {}

  /** The predicate of filters with this hash, or why there is none. */
  of(filters: FlowFilters | null, filterHash: string): Result<FlowPredicate> {
    const known = this.#known.get(filterHash);
    const predicate =
      known ?? compilePredicate(filters, this.history === undefined ? {} : { history: this.history });
    this.#known.delete(filterHash);
    this.#known.set(filterHash, predicate);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break;
      this.#known.delete(oldest);
    }
    return predicate;
  }
}
