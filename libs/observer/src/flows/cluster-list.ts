import { planClusters, planOtherClusters, type Window } from '@flowledger/query';
import type { StoreReader } from './store-reader.js';

/** Clusters that no flow names any more cost a part of every page, so the list is made anew from time to time, ms. */
const KEPT_MS = 3_600_000;

/** The clusters of the tenant: a page reads cluster by cluster in key order (design section 5). */
export class ClusterList {
  #known: readonly string[] = [];
  #listedMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly reader: StoreReader) {}

  /** All clusters with flows in the window, sorted. */
  async of(window: Window, signal: AbortSignal): Promise<readonly string[]> {
    const context = this.reader.context();
    const nowMs = this.reader.options.clock.monotonic();
    if (nowMs - this.#listedMs > KEPT_MS) {
      this.#known = names(await this.reader.rows<{ cluster: string }>(planClusters(context), signal));
      this.#listedMs = nowMs;
    }
    const others = planOtherClusters(this.#known, window, context);
    const met = names(await this.reader.rows<{ cluster: string }>(others, signal));
    if (met.length > 0) this.#known = [...new Set([...this.#known, ...met])].toSorted();
    return this.#known;
  }
}

function names(rows: readonly { readonly cluster: string }[]): readonly string[] {
  return rows.map(({ cluster }) => cluster);
}
