import type { FlowRequirement, LabelledFlow } from '../live/live-flows.js';
import { allOf, ALWAYS, anyOf, not } from './condition.js';
import type { Condition } from './condition.js';
import type { FilterScope } from './filter-scope.js';
import { narrowest, requiring, united } from './flow-requirement.js';

/**
 * One parsed test of a flow, with its two renderings. Values are parsed and refused once, before either of them, so SQL
 * over the history and the predicate over the live tail cannot understand a filter differently.
 */
export interface FlowTest {
  /** SQL condition on the columns of the scope. */
  readonly condition: (scope: FilterScope) => Condition;
  /** The same test on a decoded flow; meant for records (source = sender), not for calls. */
  readonly matches: (flow: LabelledFlow) => boolean;
  /** What every flow fulfils that matches; absent where no one fact decides. */
  readonly requires?: FlowRequirement | undefined;
}

/** Why values cannot be used: one sentence that says what would be accepted. */
export interface Refused {
  readonly hint: string;
}

/** Values of a field, parsed. */
export type ParsedField = FlowTest | Refused;

/** A refusal. */
export function refused(hint: string): Refused {
  return { hint };
}

/** Tells a refusal from a test. */
export function isRefused(parsed: ParsedField): parsed is Refused {
  return 'hint' in parsed;
}

/** Matches every flow. */
export const EVERY_FLOW: FlowTest = { condition: () => ALWAYS, matches: () => true };

function tests(parts: readonly ParsedField[]): Refused | readonly FlowTest[] {
  const refusal = parts.find(isRefused);
  return refusal ?? parts.filter((part): part is FlowTest => !isRefused(part));
}

/** All must hold; true when there is none. The first refusal wins. */
export function all(parts: readonly ParsedField[]): ParsedField {
  const found = tests(parts);
  if ('hint' in found) return found;
  const [first] = found;
  if (first === undefined || found.length === 1) return first ?? EVERY_FLOW;
  return {
    condition: (scope) => allOf(found.map((test) => test.condition(scope))),
    matches: (flow) => found.every((test) => test.matches(flow)),
    ...requiring(narrowest(found)),
  };
}

/** One must hold; false when there is none. The first refusal wins. */
export function any(parts: readonly ParsedField[]): ParsedField {
  const found = tests(parts);
  if ('hint' in found) return found;
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  return {
    condition: (scope) => anyOf(found.map((test) => test.condition(scope))),
    matches: (flow) => found.some((test) => test.matches(flow)),
    ...requiring(united(found)),
  };
}

/** The opposite. */
export function opposite(test: FlowTest): FlowTest {
  return {
    condition: (scope) => not(test.condition(scope)),
    matches: (flow) => !test.matches(flow),
  };
}
