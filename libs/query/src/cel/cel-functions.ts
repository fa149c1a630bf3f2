import { parseRegex, goRegex } from '../filter/regex.js';
import type { CelBool, CelExpression, CelInt, CelScope, CelText } from './cel-expression.js';
import { condition } from './cel-operators.js';
import { refuseCel } from './cel-refusal.js';
import { closeLabels, together } from './cel-uses.js';
import type { CelSyntax } from './cel-syntax.js';

interface TextTest {
  readonly sql: (text: string, part: string) => string;
  readonly holds: (text: string, part: string) => boolean;
}

const TEXT_TESTS: Readonly<Record<string, TextTest>> = {
  startsWith: {
    sql: (text, part) => `startsWith(${text}, ${part})`,
    holds: (text, part) => text.startsWith(part),
  },
  endsWith: {
    sql: (text, part) => `endsWith(${text}, ${part})`,
    holds: (text, part) => text.endsWith(part),
  },
  contains: {
    sql: (text, part) => `position(${text}, ${part}) > 0`,
    holds: (text, part) => text.includes(part),
  },
};

/** `text.startsWith(part)` and its siblings; undefined for another name. */
export function textTest(name: string, on: CelExpression, part: CelExpression): CelBool | undefined {
  const test = Object.hasOwn(TEXT_TESTS, name) ? TEXT_TESTS[name] : undefined;
  if (test === undefined) return undefined;
  if (on.kind !== 'string' || part.kind !== 'string')
    return refuseCel(`\`${name}\` of a ${on.kind} with a ${part.kind} is not supported`);
  const [text, other]: readonly [CelText, CelText] = [on, part];
  return closeLabels({
    kind: 'bool',
    sql: (scope) => test.sql(text.sql(scope), other.sql(scope)),
    read: (frame) => {
      const [whole, wanted] = [text.read(frame), other.read(frame)];
      return whole === undefined || wanted === undefined ? undefined : test.holds(whole, wanted);
    },
    uses: together(text, other),
  });
}

/** `text.matches('re')`: RE2, anywhere in the text. Only literals, so that a bad expression is refused and not met. */
export function matches(on: CelExpression, pattern: CelSyntax | undefined): CelBool {
  if (on.kind !== 'string') return refuseCel(`\`matches\` of a ${on.kind} is not supported`);
  if (pattern?.kind !== 'literal' || typeof pattern.value !== 'string')
    return refuseCel('`matches` takes one expression as a literal text');
  const regex = parseRegex(pattern.value);
  if ('fault' in regex) return refuseCel(`a regular expression in RE2 syntax; ${regex.fault}`);
  const text: CelText = on;
  return closeLabels({
    kind: 'bool',
    sql: (scope) => `match(${text.sql(scope)}, ${scope.binder.bind('String', goRegex(regex.pattern))})`,
    read: (frame) => {
      const value = text.read(frame);
      return value === undefined ? undefined : regex.test(value);
    },
    uses: text.uses,
  });
}

/** `size(x)`: code points of a text, elements of a list. */
export function size(of: CelExpression): CelInt {
  const { uses } = of;
  if (of.kind === 'string') {
    const read: CelInt['read'] = (frame) => {
      const value = of.read(frame);
      return value === undefined ? undefined : BigInt([...value].length);
    };
    return { kind: 'int', sql: (scope) => `lengthUTF8(${of.sql(scope)})`, read, uses };
  }
  if (of.kind !== 'list of strings' && of.kind !== 'list of messages')
    return refuseCel(`the size of a ${of.kind} is not supported`);
  const count: (frame: Parameters<CelInt['read']>[0]) => number = (frame) => of.read(frame)?.length ?? 0;
  return {
    kind: 'int',
    sql: (scope) => `length(${of.sql(scope)})`,
    read: (frame) => BigInt(count(frame)),
    uses,
  };
}

/** Name of the lambda variable of the given depth in SQL; no column is called so. */
export function lambdaName(depth: number): string {
  return `_cel${depth}`;
}

/** Errors inside count only when no element decides (CEL's macros). */
function quantified(list: string, lambda: string, body: string, fallible: boolean, all: boolean): string {
  const decided = all ? `NOT ifNull(${body}, 1)` : `ifNull(${body}, 0)`;
  const found = `arrayExists(${lambda} -> ${decided}, ${list})`;
  const otherwise = fallible
    ? `if(arrayExists(${lambda} -> (${body}) IS NULL, ${list}), NULL, ${all ? 1 : 0})`
    : `${all ? 1 : 0}`;
  return `if(${found}, ${all ? 0 : 1}, ${otherwise})`;
}

/** `list.exists(v, body)` and `list.all(v, body)`; `depth` lambdas are open around them. */
export function quantifier(all: boolean, list: CelExpression, body: CelExpression, depth: number): CelBool {
  if (list.kind !== 'list of strings' && list.kind !== 'list of messages')
    return refuseCel(`\`exists\` and \`all\` of a ${list.kind} are not supported`);
  const inner = condition(body);
  if (inner.uses.subquery || (inner.uses.labels !== undefined && list.uses.labels === undefined))
    return refuseCel('labels inside `exists` and `all` of another list are not supported');
  const name = lambdaName(depth);
  const items = list.read;
  return closeLabels({
    kind: 'bool',
    sql: (scope: CelScope) => quantified(list.sql(scope), name, inner.sql(scope), inner.uses.fallible, all),
    read: (frame) => {
      const results = (items(frame) ?? []).map((item) =>
        inner.read({ ...frame, variables: [...frame.variables.slice(0, depth), item] }),
      );
      if (results.includes(!all)) return !all;
      return results.includes(undefined) ? undefined : all;
    },
    uses: together(list, list, inner, inner),
  });
}
