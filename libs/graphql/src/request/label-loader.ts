import { planLabels, readLabels } from '@flowledger/query';
import type { RequestScope } from './request-scope.js';

/** Label sets that one statement looks up. */
const MAX_IDS = 2000;
/** Label sets of live flows that are remembered; beyond it they are forgotten and told again with their flows. */
const MAX_KNOWN = 10_000;

type LabelSets = ReadonlyMap<string, readonly string[]>;

/** Looks up label sets by id; everything asked for before the next turn of the event loop is one statement. */
export class LabelLoader {
  readonly #scope: RequestScope;
  #pending: { readonly ids: Set<string>; readonly sets: Promise<LabelSets> } | undefined;

  readonly #known = new Map<string, readonly string[]>();

  constructor(scope: RequestScope) {
    this.#scope = scope;
  }

  /** Tells the labels of a set, so that they are not looked up. */
  know(id: string, labels: readonly string[]): void {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(id, labels);
  }

  /** Labels of a set (decimal id) as `key=value`; empty for the set that flows without labels name. */
  async load(id: string): Promise<readonly string[]> {
    if (id === '' || id === '0') return [];
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    if (this.#pending === undefined || this.#pending.ids.size >= MAX_IDS) this.#pending = this.#collect();
    const { ids, sets } = this.#pending;
    ids.add(id);
    return (await sets).get(id) ?? [];
  }

  #collect(): { ids: Set<string>; sets: Promise<LabelSets> } {
    const ids = new Set<string>();
    const sets = new Promise<void>((resolve) => setImmediate(resolve)).then(async (): Promise<LabelSets> => {
      if (this.#pending?.ids === ids) this.#pending = undefined;
      const result = await this.#scope.query<{ id: string; labels: readonly string[] }>(
        planLabels([...ids], this.#scope.planning),
      );
      return readLabels(result.rows);
    });
    return { ids, sets };
  }
}
