import { allOf, ALWAYS, anyOf, ELSEWHERE, refused, sql } from './condition.js';
import type { Condition } from './condition.js';
import type { FilterSide } from './filter-columns.js';
import type { FilterScope, ListCompiler } from './filter-scope.js';
import { labelKeyPattern, parseLabelSelector } from './label-selector.js';
import type { LabelRequirement } from './label-selector.js';

function labelSets(scope: FilterScope, where: string): string {
  return `(SELECT id FROM label_sets WHERE tenant = ${scope.tenant} AND ${where})`;
}

/** `!=`, `notin` and `!key` match sets that lack the label, so they exclude instead of include: no labels is no row. */
function requirement(set: string, wanted: LabelRequirement, scope: FilterScope): Condition {
  const key = scope.binder.bind('String', labelKeyPattern(wanted));
  const has = `arrayExists(l -> match(l, ${key}), labels)`;
  const value = `extract(arrayFirst(l -> match(l, ${key}), labels), '(?s)^[^=]*=(.*)$')`;
  if (wanted.operator === 'exists') return sql(`${set} IN ${labelSets(scope, has)}`);
  if (wanted.operator === 'absent') return sql(`${set} NOT IN ${labelSets(scope, has)}`);
  if (wanted.operator === 'gt' || wanted.operator === 'lt') {
    const bound = scope.binder.bind('Int64', BigInt(wanted.values[0] ?? '0'));
    const compared = `toInt64OrNull(${value}) ${wanted.operator === 'gt' ? '>' : '<'} ${bound}`;
    return sql(`${set} IN ${labelSets(scope, `${has} AND ${compared}`)}`);
  }
  const among = `${value} IN ${scope.binder.bind('Array(String)', [...wanted.values])}`;
  const word = wanted.operator === 'in' ? 'IN' : 'NOT IN';
  return sql(`${set} ${word} ${labelSets(scope, `${has} AND ${among}`)}`);
}

function selected(set: string, value: string, scope: FilterScope): Condition {
  const requirements = parseLabelSelector(value);
  if (requirements === undefined) return refused('a label selector such as `k8s:app=web, tier in (a, b)`');
  if (requirements.length === 0) return ALWAYS;
  return allOf(requirements.map((wanted) => requirement(set, wanted, scope)));
}

function inSets(set: string | undefined, values: readonly string[], scope: FilterScope): Condition {
  return set === undefined ? ELSEWHERE : anyOf(values.map((value) => selected(set, value, scope)));
}

/** Label selectors of one side. */
export function labels(side: FilterSide): ListCompiler<string> {
  return (values, scope) => inSets(scope.columns.endpoint(side, 'label_set'), values, scope);
}

/** Label selectors of the observing node. */
export const nodeLabels: ListCompiler<string> = (values, scope) =>
  inSets(scope.columns.own('node_label_set'), values, scope);
