import { sqlFiles } from '@flowledger/column-store';

/** Every statement of the loader ends in an error, never in a partial answer. */
const LIMITS = {
  max_execution_time: 120,
  timeout_overflow_mode: 'throw',
  max_result_rows: 20_000_000,
  result_overflow_mode: 'throw',
  use_query_condition_cache: 0,
};

/** The loader's statements, read from `libs/sink/sql`: text, plan, and plan with filled places. */
export const {
  text: sqlFile,
  plan: planOf,
  filled: filledPlan,
} = sqlFiles(new URL('../sql/', import.meta.url), LIMITS);
