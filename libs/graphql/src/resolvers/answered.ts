import type { QueryResult } from '@flowledger/column-store';
import type { AnsweredFrom } from '@flowledger/query';

/** `Answered` of the schema: which table answered, and what that took. */
export function answeredView(
  from: AnsweredFrom,
  result: Pick<QueryResult<unknown>, 'rowsRead' | 'elapsedMs'>,
) {
  return {
    table: from.table,
    resolution: from.resolutionNs,
    exact: from.exact,
    rowsRead: result.rowsRead,
    elapsedMs: result.elapsedMs,
  };
}
