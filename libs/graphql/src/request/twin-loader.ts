import { planTwins, readTwins, type FlowRecord, type FlowRow, type PolicyRef } from '@flowledger/query';
import type { RequestScope } from './request-scope.js';

/** Drops that one statement looks verdicts up for. */
const BATCH = 50;

type Twins = ReadonlyMap<string, FlowRecord>;

/** Finds the policies of dropped packets: a drop names none, its policy verdict does. Asked together, looked up together. */
export class TwinLoader {
  readonly #scope: RequestScope;
  #pending: { readonly drops: FlowRecord[]; readonly twins: Promise<Twins> } | undefined;

  constructor(scope: RequestScope) {
    this.#scope = scope;
  }

  /** Policies of the flow itself, or of the verdict of the same packet. */
  async policiesOf(flow: FlowRecord): Promise<readonly PolicyRef[]> {
    if (flow.policies.length > 0 || this.#scope.isLive(flow)) return flow.policies;
    if (planTwins([flow], this.#scope.planning) === null) return flow.policies;
    if (this.#pending === undefined || this.#pending.drops.length >= BATCH) this.#pending = this.#collect();
    const { drops, twins } = this.#pending;
    drops.push(flow);
    return (await twins).get(flow.id)?.policies ?? [];
  }

  #collect(): { drops: FlowRecord[]; twins: Promise<Twins> } {
    const drops: FlowRecord[] = [];
    const twins = new Promise<void>((resolve) => setImmediate(resolve)).then(async (): Promise<Twins> => {
      if (this.#pending?.drops === drops) this.#pending = undefined;
      const plan = planTwins(drops, this.#scope.planning);
      if (plan === null) return new Map();
      return readTwins((await this.#scope.query<FlowRow>(plan)).rows, drops);
    });
    return { drops, twins };
  }
}
