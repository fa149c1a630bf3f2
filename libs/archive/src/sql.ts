import { sqlFiles } from '@flowledger/column-store';

/** Copies take as long as they take, but each statement ends: an hour a piece. */
const LIMITS = { max_execution_time: 3600, timeout_overflow_mode: 'throw', use_query_condition_cache: 0 };

/** Statements of this library, read from `libs/archive/sql`. */
export const sql = sqlFiles(new URL('../sql/', import.meta.url), LIMITS);
