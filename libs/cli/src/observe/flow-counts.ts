import { AppError } from '@flowledger/platform';
import type { FlowLines } from './flow-printer.js';
import { FLOW_KEYS, type FlowJson } from './print-flow.js';

const MAX_GROUPS = 100_000;

/** Counts flows by keys; what comes when there are too many groups is counted together. Prints when all have come. */
export class FlowCounts implements FlowLines {
  readonly #keys: readonly string[];
  readonly #counts = new Map<string, number>();
  #others = 0;

  /** Throws INVALID_ARGUMENT for a key that there is not. */
  constructor(keys: readonly string[]) {
    const wrong = keys.find((key) => FLOW_KEYS[key] === undefined);
    if (wrong !== undefined)
      throw new AppError(
        'INVALID_ARGUMENT',
        `--aggregate-by ${wrong}: one of ${Object.keys(FLOW_KEYS).join(', ')}`,
        {
          retry: false,
        },
      );
    this.#keys = keys;
  }

  head(): readonly string[] {
    return [];
  }

  add(flow: FlowJson): readonly string[] {
    const group = this.#keys.map((key) => FLOW_KEYS[key]?.(flow) ?? '').join('\t');
    const count = this.#counts.get(group);
    if (count === undefined && this.#counts.size >= MAX_GROUPS) this.#others++;
    else this.#counts.set(group, (count ?? 0) + 1);
    return [];
  }

  /** Tab-separated lines, most frequent first. */
  end(): readonly string[] {
    const sorted = [...this.#counts].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    const others = this.#others === 0 ? [] : [`${this.#others}\tothers`];
    return [
      `flows\t${this.#keys.join('\t')}`,
      ...sorted.map(([group, count]) => `${count}\t${group}`),
      ...others,
    ];
  }
}
