import type {
  CelBool,
  CelExpression,
  CelFrame,
  CelInt,
  CelScope,
  CelText,
  CelWrapper,
} from './cel-expression.js';
import { NOTHING } from './cel-expression.js';
import { refuseCel } from './cel-refusal.js';
import { closeLabels, together } from './cel-uses.js';

/** Literals. Texts are bound; numbers and booleans cannot carry anything but themselves. */
export function literal(value: bigint | string | boolean | null): CelExpression {
  if (typeof value === 'bigint') {
    if (value >= 1n << 64n || value < -(1n << 63n)) refuseCel('a number of more than 64 bits');
    return { kind: 'int', sql: () => value.toString(), read: () => value, uses: NOTHING };
  }
  if (typeof value === 'boolean')
    return { kind: 'bool', sql: () => String(value), read: () => value, uses: NOTHING };
  if (value === null) return { kind: 'null', sql: () => 'NULL', read: () => null, uses: NOTHING };
  const sql = ({ binder }: CelScope) => binder.bind('String', value);
  return { kind: 'string', sql, read: () => value, uses: NOTHING };
}

/** An expression as a condition: a wrapper that is not set is an error there. */
export function condition(expression: CelExpression): CelBool {
  if (expression.kind === 'bool') return expression;
  if (expression.kind !== 'wrapper')
    return refuseCel(`a condition is due where there is a ${expression.kind}`);
  return { ...expression, kind: 'bool', read: (frame) => expression.read(frame) ?? undefined };
}

/** `!`. */
export function negation(of: CelBool): CelBool {
  return {
    kind: 'bool',
    sql: (scope) => `NOT (${of.sql(scope)})`,
    read: (frame) => {
      const value = of.read(frame);
      return value === undefined ? undefined : !value;
    },
    uses: of.uses,
  };
}

/** `&&` and `||`: one side can decide even when the other ends in an error. */
export function logic(operator: '&&' | '||', left: CelBool, right: CelBool): CelBool {
  const decisive = operator === '||';
  return {
    kind: 'bool',
    sql: (scope) => `(${left.sql(scope)}) ${decisive ? 'OR' : 'AND'} (${right.sql(scope)})`,
    read: (frame) => {
      const first = left.read(frame);
      if (first === decisive) return decisive;
      const second = right.read(frame);
      if (second === decisive) return decisive;
      return first === undefined || second === undefined ? undefined : !decisive;
    },
    uses: together(left, right),
  };
}

type Scalar = CelInt | CelText | CelBool;

function scalars(left: CelExpression, right: CelExpression): readonly [Scalar, Scalar] | undefined {
  if (left.kind === 'int' && right.kind === 'int') return [left, right];
  if (left.kind === 'string' && right.kind === 'string') return [left, right];
  return left.kind === 'bool' && right.kind === 'bool' ? [left, right] : undefined;
}

/** Texts are ordered by code point, as CEL and the store do. */
function order(left: bigint | string | boolean, right: bigint | string | boolean): number {
  if (typeof left === 'string' && typeof right === 'string')
    return left === right ? 0 : Buffer.compare(Buffer.from(left), Buffer.from(right));
  return left < right ? -1 : left > right ? 1 : 0;
}

const ORDERS: Readonly<Record<string, (order: number) => boolean>> = {
  '==': (found) => found === 0,
  '!=': (found) => found !== 0,
  '<': (found) => found < 0,
  '<=': (found) => found <= 0,
  '>': (found) => found > 0,
  '>=': (found) => found >= 0,
};

function compareScalars(operator: string, left: Scalar, right: Scalar): CelBool {
  const holds = ORDERS[operator] ?? refuseCel(`the operator \`${operator}\` is not supported`);
  const word = operator === '==' ? '=' : operator;
  return {
    kind: 'bool',
    sql: (scope) => `(${left.sql(scope)}) ${word} (${right.sql(scope)})`,
    read: (frame: CelFrame) => {
      const [first, second] = [left.read(frame), right.read(frame)];
      return first === undefined || second === undefined ? undefined : holds(order(first, second));
    },
    uses: together(left, right),
  };
}

/** A wrapper equals null when it is not set, and a boolean only when it is set and the same. */
function compareWrapper(operator: string, wrapper: CelWrapper, other: CelExpression): CelBool {
  if (other.kind !== 'bool' && other.kind !== 'null' && other.kind !== 'wrapper')
    return refuseCel(`a wrapper cannot be compared with a ${other.kind}`);
  const same: CelBool = {
    kind: 'bool',
    sql: (scope) => `isNotDistinctFrom(${wrapper.sql(scope)}, ${other.sql(scope)})`,
    read: (frame) => {
      const value = other.read(frame);
      return value === undefined ? undefined : wrapper.read(frame) === value;
    },
    uses: { ...together(wrapper, other), fallible: other.kind === 'bool' && other.uses.fallible },
  };
  return operator === '==' ? same : negation(same);
}

/** `==`, `!=`, `<` and so on. Signed and unsigned numbers compare by value. */
export function comparison(operator: string, left: CelExpression, right: CelExpression): CelBool {
  const equality = operator === '==' || operator === '!=';
  if (equality && left.kind === 'wrapper') return compareWrapper(operator, left, right);
  if (equality && right.kind === 'wrapper') return compareWrapper(operator, right, left);
  const pair = scalars(left, right);
  if (pair === undefined || (!equality && pair[0].kind === 'bool'))
    return refuseCel(`\`${operator}\` between a ${left.kind} and a ${right.kind} is not supported`);
  return closeLabels(compareScalars(operator, ...pair));
}

/** `value in list`: one of some scalars, or an element of a list of strings. */
export function membership(value: CelExpression, list: CelExpression | readonly CelExpression[]): CelBool {
  if ('kind' in list) {
    if (list.kind !== 'list of strings' || value.kind !== 'string')
      return refuseCel(`\`in\` between a ${value.kind} and a ${list.kind} is not supported`);
    const text: CelText = value;
    return closeLabels({
      kind: 'bool',
      sql: (scope) => withoutNull(text, scope, (sql) => `has(${list.sql(scope)}, ${sql})`),
      read: (frame) => {
        const [wanted, values] = [text.read(frame), list.read(frame)];
        return wanted === undefined ? undefined : values?.includes(wanted);
      },
      uses: together(text, text, list),
    });
  }
  const [first, ...more] = list.map((item) => comparison('==', value, item));
  if (first === undefined) return { kind: 'bool', sql: () => 'false', read: () => false, uses: NOTHING };
  return more.reduce((sum, one) => logic('||', sum, one), first);
}

/** SQL of a function that does not hand NULL on by itself. */
function withoutNull(of: CelExpression, scope: CelScope, make: (sql: string) => string): string {
  const sql = of.sql(scope);
  return of.uses.fallible ? `if((${sql}) IS NULL, NULL, ${make(`assumeNotNull(${sql})`)})` : make(sql);
}

/** `when ? yes : no`. */
export function choice(when: CelBool, yes: CelExpression, no: CelExpression): CelExpression {
  const pair = scalars(yes, no);
  if (pair === undefined)
    return refuseCel(`a choice between a ${yes.kind} and a ${no.kind} is not supported`);
  const uses = together(when, when, ...pair);
  const sql = (scope: CelScope) => {
    const chosen = `if(${when.sql(scope)}, ${pair[0].sql(scope)}, ${pair[1].sql(scope)})`;
    return when.uses.fallible ? `if((${when.sql(scope)}) IS NULL, NULL, ${chosen})` : chosen;
  };
  return chosenOf(pair, sql, (frame) => when.read(frame), uses);
}

function chosenOf(
  [yes, no]: readonly [Scalar, Scalar],
  sql: CelBool['sql'],
  when: CelBool['read'],
  uses: CelBool['uses'],
): CelExpression {
  function read<Value>(first: (frame: CelFrame) => Value | undefined, second: typeof first) {
    return (frame: CelFrame) => {
      const decided = when(frame);
      return decided === undefined ? undefined : decided ? first(frame) : second(frame);
    };
  }
  if (yes.kind === 'int' && no.kind === 'int')
    return { kind: 'int', sql, uses, read: read(yes.read, no.read) };
  if (yes.kind === 'string' && no.kind === 'string')
    return { kind: 'string', sql, uses, read: read(yes.read, no.read) };
  if (yes.kind === 'bool' && no.kind === 'bool')
    return { kind: 'bool', sql, uses, read: read(yes.read, no.read) };
  return refuseCel('a choice between values of two kinds is not supported');
}
