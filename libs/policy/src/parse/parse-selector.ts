import { isObject, listAt, objectAt, textAt, type Json, type JsonObject } from '../json.js';
import type { Requirement } from '../selector.js';
import type { Findings } from './findings.js';

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** Label source of keys without one: Cilium's policies mean any source, Kubernetes' their own. */
export type DefaultSource = 'any' | 'k8s';

/** Requirements of a label selector, and the doubts about those that cannot be judged. */
export interface ParsedSelector {
  readonly requirements: readonly Requirement[];
  readonly doubts: readonly string[];
}

function keyOf(text: string, fallback: DefaultSource): Pick<Requirement, 'source' | 'key'> {
  const at = text.indexOf(':');
  return at < 0 ? { source: fallback, key: text } : { source: text.slice(0, at), key: text.slice(at + 1) };
}

function expression(value: Json, path: string, fallback: DefaultSource, find: Findings): ParsedSelector {
  const given: JsonObject = isObject(value) ? value : {};
  const operator = OPERATORS.find((one) => one === given['operator']);
  const key = textAt(given, 'key');
  if (operator === undefined || key === '')
    return { requirements: [], doubts: [find.say(path, 'no key, or an operator that does not exist')] };
  const values = (listAt(given, 'values') ?? []).map(String);
  return { requirements: [{ ...keyOf(key, fallback), operator, values }], doubts: [] };
}

/** Reads a label selector (`matchLabels`, `matchExpressions`). Anything else in it is a doubt. */
export function parseSelector(
  value: Json | undefined,
  path: string,
  fallback: DefaultSource,
  find: Findings,
): ParsedSelector {
  const given: JsonObject = isObject(value) ? value : {};
  const labels = objectAt(given, 'matchLabels');
  const equal = Object.keys(labels).map((key): Requirement => ({
    ...keyOf(key, fallback),
    operator: 'In',
    values: [textAt(labels, key)],
  }));
  const expressions = (listAt(given, 'matchExpressions') ?? []).map((one, i) =>
    expression(one, `${path}.matchExpressions[${i}]`, fallback, find),
  );
  return {
    requirements: [...equal, ...expressions.flatMap((one) => one.requirements)],
    doubts: [
      ...expressions.flatMap((one) => one.doubts),
      ...find.unknownKeys(given, new Set(['matchLabels', 'matchExpressions']), path),
    ],
  };
}
