import { sqlFiles } from '@flowledger/column-store';

/** What a person waits for at a terminal. */
const LIMITS = {
  max_execution_time: 60,
  timeout_overflow_mode: 'throw',
  max_result_rows: 1_000_000,
  result_overflow_mode: 'throw',
};

/** Statements of this library, read from `libs/cli/sql`. */
export const sql = sqlFiles(new URL('../sql/', import.meta.url), LIMITS);
