import {
  planLabels,
  readLabels,
  type FlowBatchPage,
  type FlowRecord,
  type LabelledFlow,
} from '@flowledger/query';
import type { StoreReader } from './store-reader.js';

/** Label sets kept; a set is the labels of one identity, so that few sets serve all flows of a cluster. */
const MAX_SETS = 20_000;
const NONE: readonly string[] = [];

/** Labels of label sets, kept for all streams: a set's id is the hash of its labels, so that it never changes. */
export class LabelCache {
  readonly #sets = new Map<string, readonly string[]>();

  constructor(private readonly reader: StoreReader) {}

  /** Gives flows of a page their labels; one statement looks up all sets that are not known yet. */
  async of(page: FlowBatchPage, signal: AbortSignal): Promise<(flow: FlowRecord) => LabelledFlow> {
    // Of this page: the cache may be cleared for another stream before the page is encoded.
    const sets = new Map<string, readonly string[]>();
    const missing: string[] = [];
    for (const set of page.labelSets()) {
      if (set === 0n) continue;
      const id = set.toString();
      const known = this.#sets.get(id);
      if (known === undefined) missing.push(id);
      else sets.set(id, known);
    }
    for (const [id, labels] of await this.#load(missing, signal)) sets.set(id, labels);
    const labels = (id: string): readonly string[] => sets.get(id) ?? NONE;
    return (flow) => ({
      flow,
      sourceLabels: labels(flow.source.labelSet),
      destinationLabels: labels(flow.destination.labelSet),
      nodeLabels: labels(flow.wire?.nodeLabelSet ?? ''),
    });
  }

  async #load(ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> {
    if (ids.length === 0) return new Map();
    if (this.#sets.size + ids.length > MAX_SETS) this.#sets.clear();
    const plan = planLabels(ids, this.reader.context());
    const found = readLabels(await this.reader.rows<{ id: string; labels: readonly string[] }>(plan, signal));
    for (const [id, labels] of found) this.#sets.set(id, labels);
    return found;
  }
}
