import { ELSEWHERE, sql } from '../filter/condition.js';
import type { FieldParser } from '../filter/filter-scope.js';
import { any, refused } from '../filter/flow-test.js';
import type { ParsedField } from '../filter/flow-test.js';
import { compileCel } from './cel-check.js';
import { CelRefusal } from './cel-refusal.js';

/** One expression as a test. An error while it is evaluated (an index that is not there) means: no match. */
function celTest(text: string): ParsedField {
  try {
    const compiled = compileCel(text);
    return {
      condition: (scope) => (scope.columns.raw ? sql(`ifNull(${compiled.sql(scope)}, 0) = 1`) : ELSEWHERE),
      matches: (flow) => compiled.read({ flow, variables: [] }) === true,
    };
  } catch (error) {
    if (error instanceof CelRefusal) return refused(`a CEL condition on \`_flow\`: ${error.message}`);
    throw error;
  }
}

/**
 * CEL expressions over `_flow` (`flow.Flow`): any of them is true. A subset, typed before it runs: fields by their proto
 * names, `== != < <= > >= in && || ! ?:`, `has size exists all startsWith endsWith contains matches`, enum names,
 * literals. Everything else is refused by name. Source and destination are those of the packet in every question.
 */
export const celExpression: FieldParser<string> = (values) => any(values.map(celTest));
