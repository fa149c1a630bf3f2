import { planLabels, readLabels, type FlowRecord, type LabelledFlow } from '@flowledger/query';
import type { StoreReader } from './store-reader.js';

/** Label sets kept; a set is the labels of one identity, so that few sets serve all flows of a cluster. */
const MAX_SETS = 20_000;
const NONE: readonly string[] = [];

/** Labels of label sets, kept for all streams: a set's id is the hash of its labels, so that it never changes. */
export class LabelCache {
  readonly #sets = new Map<string, readonly string[]>();

  constructor(private readonly reader: StoreReader) {}

  /** Flows with their labels; one statement looks up all sets that are not known yet. */
  async label(flows: readonly FlowRecord[], signal: AbortSignal): Promise<readonly LabelledFlow[]> {
    const missing = new Set<string>();
    for (const flow of flows)
      for (const id of idsOf(flow)) if (id !== '' && id !== '0' && !this.#sets.has(id)) missing.add(id);
    if (missing.size > 0) await this.#load([...missing], signal);
    const labels = (id: string): readonly string[] => this.#sets.get(id) ?? NONE;
    return flows.map((flow) => {
      const [source, destination, node] = idsOf(flow);
      return {
        flow,
        sourceLabels: labels(source),
        destinationLabels: labels(destination),
        nodeLabels: labels(node),
      };
    });
  }

  async #load(ids: readonly string[], signal: AbortSignal): Promise<void> {
    if (this.#sets.size + ids.length > MAX_SETS) this.#sets.clear();
    const plan = planLabels(ids, this.reader.context());
    const rows = await this.reader.rows<{ id: string; labels: readonly string[] }>(plan, signal);
    for (const [id, labels] of readLabels(rows)) this.#sets.set(id, labels);
  }
}

function idsOf(flow: FlowRecord): readonly [string, string, string] {
  return [flow.source.labelSet, flow.destination.labelSet, flow.wire?.nodeLabelSet ?? ''];
}
