import type { CelBool, CelExpression, CelUses, LabelSide } from './cel-expression.js';
import { NOTHING } from './cel-expression.js';
import { refuseCel } from './cel-refusal.js';

const MAX_WEIGHT = 2000;

function light(weight: number): number {
  return weight <= MAX_WEIGHT ? weight : refuseCel('the expression is too large');
}

/** What several parts need together; a part that the SQL names twice is given twice. */
export function together(...parts: readonly Pick<CelExpression, 'uses'>[]): CelUses {
  return parts.reduce((sum: CelUses, { uses }) => {
    if (sum.labels !== undefined && uses.labels !== undefined && sum.labels !== uses.labels)
      refuseCel('one comparison cannot read the labels of two sides');
    return {
      fallible: sum.fallible || uses.fallible,
      columns: sum.columns || uses.columns,
      labels: sum.labels ?? uses.labels,
      subquery: sum.subquery || uses.subquery,
      weight: light(sum.weight + uses.weight),
    };
  }, NOTHING);
}

const SETS: Readonly<Record<LabelSide, string>> = {
  source: 'src_label_set',
  destination: 'dst_label_set',
  node: 'node_label_set',
};

/**
 * Closes a condition that reads labels: it becomes one on the id of the label set, so the labels are searched once and
 * not once a flow. No labels is the id 0, which has no row. Other conditions stay as they are.
 */
export function closeLabels(condition: CelBool): CelBool {
  const { labels, columns, fallible, weight } = condition.uses;
  if (labels === undefined) return condition;
  if (columns) refuseCel('labels can be compared with literals only, not with other fields');
  const set = SETS[labels];
  return {
    ...condition,
    uses: { fallible, columns: true, labels: undefined, subquery: true, weight: light(3 * weight) },
    sql: (scope) => {
      const inner = condition.sql(scope);
      const ids = (where: string) =>
        `(SELECT id FROM label_sets WHERE tenant = ${scope.tenant} AND ${where})`;
      const none = `(SELECT ${inner} FROM (SELECT CAST([], 'Array(String)') AS labels))`;
      const error = fallible ? `${set} IN ${ids(`(${inner}) IS NULL`)}, NULL, ` : '';
      return `multiIf(${set} = 0, ${none}, ${error}${set} IN ${ids(`ifNull(${inner}, 0)`)}, 1, 0)`;
    },
  };
}
