import {
  AUTH_TYPE,
  DEBUG_CAPTURE_POINT,
  DROP_REASON,
  enumNumber,
  FLOW_TYPE,
  IP_VERSION,
  L7_FLOW_TYPE,
  SOCKET_TRANSLATION_POINT,
  TRACE_OBSERVATION_POINT,
  TRACE_REASON,
  TRAFFIC_DIRECTION,
  VERDICT,
} from '@flowledger/model';
import type { EnumTable } from '@flowledger/model';
import type { CelBool, CelElement, CelExpression, CelMessages, CelText, CelTexts } from './cel-expression.js';
import { NOTHING } from './cel-expression.js';
import { CEL_FIELDS, CEL_PRESENT } from './cel-flow-fields.js';
import { lambdaName, matches, quantifier, size, textTest } from './cel-functions.js';
import { choice, comparison, condition, literal, logic, membership, negation } from './cel-operators.js';
import { refuseCel } from './cel-refusal.js';
import type { CelSyntax } from './cel-syntax.js';
import { parseCel } from './cel-syntax.js';

const FLOW = '_flow';
const ENUMS: ReadonlyMap<string, EnumTable> = new Map(
  [
    VERDICT,
    FLOW_TYPE,
    AUTH_TYPE,
    TRACE_OBSERVATION_POINT,
    TRACE_REASON,
    TRAFFIC_DIRECTION,
    L7_FLOW_TYPE,
    IP_VERSION,
    SOCKET_TRANSLATION_POINT,
    DEBUG_CAPTURE_POINT,
    DROP_REASON,
  ].map((table) => [table.name, table]),
);

/** Variables of the lambdas that are open, from the outermost in. */
type Variables = readonly { readonly name: string; readonly value: CelText | CelElement }[];

/** `a.b.c` as a list of names; undefined when it is something else. */
function pathOf(syntax: CelSyntax): readonly string[] | undefined {
  if (syntax.kind === 'name') return [syntax.name];
  if (syntax.kind !== 'select') return undefined;
  const head = pathOf(syntax.of);
  return head === undefined ? undefined : [...head, syntax.field];
}

/** `Verdict.DROPPED` or `flow.Verdict.DROPPED`. */
function enumValue(path: readonly string[]): CelExpression | undefined {
  const [name = '', ...type] = path.toReversed();
  const full = type.toReversed().join('.');
  const table = ENUMS.get(full) ?? ENUMS.get(`flow.${full}`);
  if (table === undefined) return undefined;
  const number = Object.values(table.names).includes(name) ? enumNumber(table, name) : undefined;
  return number === undefined ? refuseCel(`${table.name} has no value ${name}`) : literal(BigInt(number));
}

function flowField(path: readonly string[]): CelExpression {
  const name = path.join('.');
  const field = Object.hasOwn(CEL_FIELDS, name) ? CEL_FIELDS[name] : undefined;
  return field ?? refuseCel(`\`${[FLOW, ...path].join('.')}\` is not a field that can be compared here`);
}

function member(of: CelElement, name: string): CelText {
  const sql = Object.hasOwn(of.members, name) ? of.members[name] : undefined;
  if (sql === undefined) return refuseCel(`such a message has no field \`${name}\` here`);
  return {
    kind: 'string',
    sql: (scope) => sql(of.sql(scope)),
    read: (frame) => of.read(frame)?.[name],
    uses: of.uses,
  };
}

function select(of: CelSyntax, field: string, variables: Variables): CelExpression {
  const path = pathOf({ kind: 'select', of, field });
  const [root, ...rest] = path ?? [];
  const bound = variables.some(({ name }) => name === root);
  if (root === FLOW && !bound) return flowField(rest);
  const constant = path === undefined || bound ? undefined : enumValue(path);
  if (constant !== undefined) return constant;
  const message = check(of, variables);
  if (message.kind === 'message') return member(message, field);
  return refuseCel(`a ${message.kind} has no field \`${field}\``);
}

function elementOf(list: CelTexts | CelMessages, at: number): CelText | CelElement {
  const uses = { ...list.uses, fallible: true };
  if (list.kind === 'list of strings')
    return {
      kind: 'string',
      sql: (scope) => `if(length(${list.sql(scope)}) > ${at}, ${list.sql(scope)}[${at + 1}], NULL)`,
      read: (frame) => list.read(frame)?.[at],
      uses,
    };
  const members = Object.entries(list.members).map(([name, sql]): [string, (element: string) => string] => [
    name,
    (all) => `if(length(${all}) > ${at}, ${sql(`${all}[${at + 1}]`)}, NULL)`,
  ]);
  return {
    kind: 'message',
    sql: list.sql,
    read: (frame) => list.read(frame)?.[at],
    members: Object.fromEntries(members),
    uses,
  };
}

function index(of: CelSyntax, at: CelSyntax, variables: Variables): CelExpression {
  const list = check(of, variables);
  if (list.kind !== 'list of strings' && list.kind !== 'list of messages')
    return refuseCel(`an index into a ${list.kind} is not supported`);
  if (at.kind !== 'literal' || typeof at.value !== 'bigint' || at.value < 0n || at.value > 10_000n)
    return refuseCel('an index is a literal number from 0 to 10000');
  return elementOf(list, Number(at.value));
}

/** `has(_flow.a.b)`: a message is there, a list is not empty, a scalar is not its default. */
function has(args: readonly CelSyntax[]): CelBool {
  const [root, ...path] = (args.length === 1 && args[0] !== undefined && pathOf(args[0])) || [];
  if (root !== FLOW || path.length === 0) return refuseCel('`has` takes one field of `_flow`');
  const name = path.join('.');
  const present = Object.hasOwn(CEL_PRESENT, name) ? CEL_PRESENT[name] : undefined;
  if (present !== undefined) return present;
  if (!Object.hasOwn(CEL_FIELDS, name))
    return refuseCel(`whether \`${FLOW}.${name}\` was sent is not kept; ask for one of its fields`);
  const field = flowField(path);
  if (field.kind === 'int') return comparison('!=', field, literal(0n));
  if (field.kind === 'string') return comparison('!=', field, literal(''));
  return field.kind === 'bool' ? field : comparison('!=', size(field), literal(0n));
}

function quantify(call: CelSyntax & { kind: 'call' }, variables: Variables): CelBool {
  const [variable, body, ...more] = call.args;
  if (call.on === undefined || variable?.kind !== 'name' || body === undefined || more.length > 0)
    return refuseCel(`\`${call.name}\` is written list.${call.name}(name, condition)`);
  const list = check(call.on, variables);
  if (list.kind !== 'list of strings' && list.kind !== 'list of messages')
    return refuseCel(`\`${call.name}\` of a ${list.kind} is not supported`);
  const depth = variables.length;
  const sql = () => lambdaName(depth);
  const value: CelText | CelElement =
    list.kind === 'list of strings'
      ? {
          kind: 'string',
          sql,
          read: ({ variables: values }) => {
            const found = values[depth];
            return typeof found === 'string' ? found : undefined;
          },
          uses: NOTHING,
        }
      : {
          kind: 'message',
          sql,
          read: ({ variables: values }) => {
            const found = values[depth];
            return typeof found === 'object' ? found : undefined;
          },
          members: list.members,
          uses: NOTHING,
        };
  const inner = check(body, [...variables, { name: variable.name, value }]);
  return quantifier(call.name === 'all', list, inner, depth);
}

function call(syntax: CelSyntax & { kind: 'call' }, variables: Variables): CelExpression {
  const { name, on, args } = syntax;
  if (name === 'has' && on === undefined) return has(args);
  if (name === 'exists' || name === 'all') return quantify(syntax, variables);
  const [first, ...more] = args;
  if (name === 'size' && on === undefined && first !== undefined && more.length === 0)
    return size(check(first, variables));
  if (name === 'size' && on !== undefined && first === undefined) return size(check(on, variables));
  if (name === 'matches' && on !== undefined && more.length === 0)
    return matches(check(on, variables), first);
  if (on !== undefined && first !== undefined && more.length === 0) {
    const test = textTest(name, check(on, variables), check(first, variables));
    if (test !== undefined) return test;
  }
  return refuseCel(
    `\`${name}\` is not supported; there are has, size, exists, all, startsWith, endsWith, contains, matches`,
  );
}

function binary(syntax: CelSyntax & { kind: 'binary' }, variables: Variables): CelExpression {
  const { operator } = syntax;
  const left = check(syntax.left, variables);
  if (operator === 'in' && syntax.right.kind === 'list')
    return membership(
      left,
      syntax.right.items.map((item) => check(item, variables)),
    );
  const right = check(syntax.right, variables);
  if (operator === 'in') return membership(left, right);
  return operator === '&&' || operator === '||'
    ? logic(operator, condition(left), condition(right))
    : comparison(operator, left, right);
}

function named(name: string, variables: Variables): CelExpression {
  const variable = variables.findLast((one) => one.name === name);
  if (variable !== undefined) return variable.value;
  return refuseCel(
    name === FLOW ? '`_flow` alone is no condition; name one of its fields' : `\`${name}\` is not known`,
  );
}

function check(syntax: CelSyntax, variables: Variables): CelExpression {
  switch (syntax.kind) {
    case 'literal':
      return literal(syntax.value);
    case 'name':
      return named(syntax.name, variables);
    case 'select':
      return select(syntax.of, syntax.field, variables);
    case 'index':
      return index(syntax.of, syntax.index, variables);
    case 'call':
      return call(syntax, variables);
    case 'list':
      return refuseCel('a list is only supported after `in`');
    case 'not':
      return negation(condition(check(syntax.of, variables)));
    case 'binary':
      return binary(syntax, variables);
    case 'choice':
      return choice(
        condition(check(syntax.when, variables)),
        check(syntax.yes, variables),
        check(syntax.no, variables),
      );
  }
}

/** Parses and types one expression. Throws `CelRefusal` with a sentence for the client. */
export function compileCel(text: string): CelBool {
  return condition(check(parseCel(text), []));
}
