import { lacksNames, refinedKeys } from '../group/refined-keys.js';
import type { QueryContext } from '../query-plan.js';
import type { Result } from '../result.js';
import { planRedQuestion } from './plan-red.js';
import type { RedPlan } from './plan-red.js';
import { isUnsided } from './read-red.js';
import type { RedRow } from './read-red.js';

/**
 * The question planned again, when rows of its answer name no workload (with the endpoint history: those rows come from
 * raw flows, all others from where they came before) or when a report came from neither side; null when neither is so,
 * and a question costs one statement then. The new statement answers alone.
 */
export function refineRed(
  planned: RedPlan,
  rows: readonly RedRow[],
  context: QueryContext,
): Result<RedPlan> | null {
  const { question, keys } = planned;
  const lacking = lacksNames(keys, rows);
  if (!lacking && !isUnsided(planned, rows)) return null;
  return planRedQuestion({ ...question, keys: lacking ? refinedKeys(keys) : keys, unsided: true }, context);
}
