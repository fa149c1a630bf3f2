import type { QueryResult } from '@flowledger/column-store';
import type { Missing, RankedAnswer, RankedPlan } from '@flowledger/query';
import { answeredView } from './answered.js';

/** The answer to a question about single flows, in the shape of the schema; `viewOf` is that of one set of numbers. */
export function rankedView<Stats, View>(
  answer: RankedAnswer<Stats> & { readonly missing: readonly Missing[] },
  { window }: RankedPlan,
  result: Pick<QueryResult<unknown>, 'rowsRead' | 'elapsedMs'>,
  viewOf: (stats: Stats) => View,
) {
  return {
    total: viewOf(answer.total),
    groups: answer.groups.map(({ key, id, stats }) => ({ key, id, stats: viewOf(stats) })),
    other: answer.other === null ? null : viewOf(answer.other),
    groupCount: answer.groupCount,
    missing: answer.missing,
    answered: answeredView({ table: 'flows', resolutionNs: null, exact: true }, result),
    window,
  };
}
