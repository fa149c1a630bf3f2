import { planLabels, readLabels, type FlowRecord, type LabelledFlow } from '@flowledger/query';
import type { StoreReader } from './store-reader.js';

/** Label sets kept; a set is the labels of one identity, so that few sets serve all flows of a cluster. */
const MAX_SETS = 20_000;
const NONE: readonly string[] = [];

/** Labels of label sets, kept for all streams: a set's id is the hash of its labels, so that it never changes. */
export class LabelCache {
  readonly #sets = new Map<string, readonly string[]>();

  constructor(private readonly reader: StoreReader) {}

  /** Gives flows of a page their labels; one statement looks up all sets that are not known yet. */
  async of(flows: readonly FlowRecord[], signal: AbortSignal): Promise<(flow: FlowRecord) => LabelledFlow> {
    // Of this page: the cache may be cleared for another stream before the page is encoded.
    const sets = new Map<string, readonly string[]>([
      ['', NONE],
      ['0', NONE],
    ]);
    const missing: string[] = [];
    for (const flow of flows)
      for (const id of idsOf(flow)) {
        if (sets.has(id)) continue;
        const known = this.#sets.get(id);
        sets.set(id, known ?? NONE);
        if (known === undefined) missing.push(id);
      }
    for (const [id, labels] of await this.#load(missing, signal)) sets.set(id, labels);
    const labels = (id: string): readonly string[] => sets.get(id) ?? NONE;
    return (flow) => {
      const [source, destination, node] = idsOf(flow);
      return {
        flow,
        sourceLabels: labels(source),
        destinationLabels: labels(destination),
        nodeLabels: labels(node),
      };
    };
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

function idsOf(flow: FlowRecord): readonly [string, string, string] {
  return [flow.source.labelSet, flow.destination.labelSet, flow.wire?.nodeLabelSet ?? ''];
}
