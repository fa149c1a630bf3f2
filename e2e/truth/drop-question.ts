import type { Asked } from './red-question.js';
import { timeNs, windowInput, type Span } from './scenarios.js';
import type { DropTruth } from './drop-truth.js';

const QUESTION = `query Drops($window: WindowInput, $filters: FlowFilters, $groupBy: [GroupBy!]!, $step: Duration, $limit: Int) {
  drops(window: $window, filters: $filters, groupBy: $groupBy, step: $step, limit: $limit) {
    step buckets total audited other groupCount
    groups { key { value } count series firstSeen lastSeen text }
    answered { table exact }
  }
}`;

/** The answer. */
export interface DropAnswer {
  readonly buckets: readonly string[];
  readonly total: number;
  readonly audited: number;
  readonly other: number;
  readonly groupCount: number;
  readonly groups: readonly {
    readonly key: readonly { readonly value: string | null }[];
    readonly count: number;
    readonly series: readonly (number | null)[];
    readonly firstSeen: string;
    readonly lastSeen: string;
    readonly text: string;
  }[];
  readonly answered: { readonly table: string; readonly exact: boolean };
}

/** What to ask. */
export interface DropQuestion {
  readonly window: Span;
  readonly filters?: object;
  readonly groupBy?: readonly object[];
  readonly step?: string;
  readonly limit?: number;
}

/** Asks `drops`. */
export async function askDrops(api: Asked, question: DropQuestion): Promise<DropAnswer> {
  const { window, filters, groupBy = [{ dimension: 'DROP_REASON' }], step, limit = 1000 } = question;
  const variables = { window: windowInput(window), filters, groupBy, step, limit };
  const { drops } = await api.ask<{ drops: DropAnswer }>(QUESTION, variables);
  return drops;
}

/** Groups by the JSON text of their key values, in the form of the truth. */
export function dropsByKey(answer: DropAnswer): ReadonlyMap<string, DropTruth> {
  return new Map(
    answer.groups.map(({ key, count, firstSeen, lastSeen }) => [
      JSON.stringify(key.map((part) => part.value)),
      { count, firstNs: timeNs(firstSeen), lastNs: timeNs(lastSeen) },
    ]),
  );
}
