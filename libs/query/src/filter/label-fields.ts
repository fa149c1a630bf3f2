import type { FilterSide } from './filter-columns.js';
import type { FieldParser, FilterScope } from './filter-scope.js';
import { all, any, refused } from './flow-test.js';
import type { FlowTest, ParsedField } from './flow-test.js';
import { labelKeyPattern, labelMatches, parseLabelSelector } from './label-selector.js';
import type { LabelRequirement } from './label-selector.js';
import { leaf } from './leaf-tests.js';
import { NODE_LABELS, side as sideSubjects } from './subjects.js';
import type { Subject } from './subjects.js';

function labelSets(scope: FilterScope, where: string): string {
  return `(SELECT id FROM label_sets WHERE tenant = ${scope.tenant} AND ${where})`;
}

/** `!=`, `notin` and `!key` match sets that lack the label, so they exclude instead of include: no labels is no row. */
function condition(set: string, wanted: LabelRequirement, scope: FilterScope): string {
  const key = scope.binder.bind('String', labelKeyPattern(wanted));
  const has = `arrayExists(l -> match(l, ${key}), labels)`;
  const value = `extract(arrayFirst(l -> match(l, ${key}), labels), '(?s)^[^=]*=(.*)$')`;
  if (wanted.operator === 'exists') return `${set} IN ${labelSets(scope, has)}`;
  if (wanted.operator === 'absent') return `${set} NOT IN ${labelSets(scope, has)}`;
  if (wanted.operator === 'gt' || wanted.operator === 'lt') {
    const bound = scope.binder.bind('Int64', BigInt(wanted.values[0] ?? '0'));
    const compared = `toInt64OrNull(${value}) ${wanted.operator === 'gt' ? '>' : '<'} ${bound}`;
    return `${set} IN ${labelSets(scope, `${has} AND ${compared}`)}`;
  }
  const among = `${value} IN ${scope.binder.bind('Array(String)', [...wanted.values])}`;
  const word = wanted.operator === 'in' ? 'IN' : 'NOT IN';
  return `${set} ${word} ${labelSets(scope, `${has} AND ${among}`)}`;
}

function required(subject: Subject<readonly string[]>, wanted: LabelRequirement): FlowTest {
  return leaf(
    subject,
    (set, scope) => condition(set, wanted, scope),
    (labels) => labelMatches(labels, wanted),
  );
}

function selected(subject: Subject<readonly string[]>, value: string): ParsedField {
  const requirements = parseLabelSelector(value);
  if (requirements === undefined) return refused('a label selector such as `k8s:app=web, tier in (a, b)`');
  return all(requirements.map((wanted) => required(subject, wanted)));
}

/** Label selectors of one side. */
export function labels(side: FilterSide): FieldParser<string> {
  const subject = sideSubjects(side).labels;
  return (values) => any(values.map((value) => selected(subject, value)));
}

/** Label selectors of the observing node. */
export const nodeLabels: FieldParser<string> = (values) =>
  any(values.map((value) => selected(NODE_LABELS, value)));
