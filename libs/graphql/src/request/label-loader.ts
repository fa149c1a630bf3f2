import { planLabels, readLabels } from '@flowledger/query';
import type { RequestScope } from './request-scope.js';

/** Label sets that one statement looks up. */
const MAX_IDS = 2000;

type LabelSets = ReadonlyMap<string, readonly string[]>;

/** Looks up label sets by id; everything asked for before the next turn of the event loop is one statement. */
export class LabelLoader {
  readonly #scope: RequestScope;
  #pending: { readonly ids: Set<string>; readonly sets: Promise<LabelSets> } | undefined;

  constructor(scope: RequestScope) {
    this.#scope = scope;
  }

  /** Labels of a set (decimal id) as `key=value`; empty for the set that flows without labels name. */
  async load(id: string): Promise<readonly string[]> {
    if (id === '' || id === '0') return [];
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
