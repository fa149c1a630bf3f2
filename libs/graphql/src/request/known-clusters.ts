import { planClusters } from '@flowledger/query';
import type { RequestScope } from './request-scope.js';

/** A row of the lists of clusters. */
export interface ClusterRow {
  readonly cluster: string;
}

/** Clusters that no flow names any more cost a part of every page, so the list is made anew from time to time, ms. */
const KEPT_MS = 3_600_000;

/**
 * The clusters of the server's tenant, listed once an hour and added to when an answer meets another. Never complete for
 * certain: whoever reads by it must look for others beside it. One a server.
 */
export class KnownClusters {
  #names: Promise<Set<string>> | undefined;
  #listedMs = 0;

  /** Sorted names. The first of several askers lists them for all; a failed listing is tried again by the next. */
  async known(scope: RequestScope): Promise<readonly string[]> {
    const nowMs = scope.deps.clock.monotonic();
    const listed = this.#names !== undefined && nowMs - this.#listedMs <= KEPT_MS ? this.#names : undefined;
    if (listed === undefined) return [...(await this.#list(scope, nowMs))].toSorted();
    try {
      return [...(await listed)].toSorted();
    } catch {
      // Whoever listed them has gone away; that is not this request's fault.
      return this.known(scope);
    }
  }

  #list(scope: RequestScope, nowMs: number): Promise<Set<string>> {
    this.#listedMs = nowMs;
    const listing = scope.query<ClusterRow>(planClusters(scope.planning));
    const names = listing.then(({ rows }) => new Set(rows.map((row) => row.cluster)));
    this.#names = names;
    names.catch(() => {
      if (this.#names === names) this.#names = undefined;
    });
    return names;
  }

  /** Adds clusters that an answer met. */
  add(rows: readonly ClusterRow[]): void {
    const added = rows.map((row) => row.cluster);
    this.#names = (this.#names ?? Promise.resolve(new Set<string>())).then(
      (names) => new Set([...names, ...added]),
    );
  }
}
