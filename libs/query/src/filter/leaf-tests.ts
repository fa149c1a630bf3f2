import type { FlowTest } from './flow-test.js';
import { ELSEWHERE, sql } from './condition.js';
import type { FilterScope } from './filter-scope.js';
import type { NameGlob } from './name-glob.js';
import { goRegex } from './regex.js';
import type { Regex } from './regex.js';
import type { NumberSubject, Subject } from './subjects.js';

/** A test on one subject: SQL on its column, the same on its value. */
export function leaf<Value>(
  subject: Subject<Value>,
  render: (column: string, scope: FilterScope) => string,
  holds: (value: Value) => boolean,
): FlowTest {
  return {
    condition: (scope) => {
      const column = subject.column(scope.columns);
      return column === undefined ? ELSEWHERE : sql(render(column, scope));
    },
    matches: (flow) => holds(subject.read(flow)),
  };
}

/** The number is one of these. */
export function numberIn(subject: NumberSubject, values: readonly number[]): FlowTest {
  const wanted = new Set(values);
  const [only] = values;
  const test = leaf(
    subject,
    (column, { binder }) =>
      values.length === 1 && only !== undefined
        ? `${column} = ${binder.bind(subject.type, only)}`
        : `${column} IN ${binder.bind(`Array(${subject.type})`, values)}`,
    (value) => wanted.has(value),
  );
  return { ...test, requires: { fact: subject.read, values: wanted } };
}

/** The text is one of these. */
export function textIn(subject: Subject<string>, values: readonly string[]): FlowTest {
  const wanted = new Set(values);
  const [only] = values;
  const test = leaf(
    subject,
    (column, { binder }) =>
      values.length === 1 && only !== undefined
        ? `${column} = ${binder.bind('String', only)}`
        : `${column} IN ${binder.bind('Array(String)', values)}`,
    (value) => wanted.has(value),
  );
  return { ...test, requires: { fact: subject.read, values: wanted } };
}

/** The text begins so. */
export function textStarts(subject: Subject<string>, prefix: string): FlowTest {
  return leaf(
    subject,
    (column, { binder }) => `startsWith(${column}, ${binder.bind('String', prefix)})`,
    (value) => value.startsWith(prefix),
  );
}

/** The text is not empty. */
export function textPresent(subject: Subject<string>): FlowTest {
  return leaf(
    subject,
    (column) => `${column} != ''`,
    (value) => value !== '',
  );
}

/** The expression matches anywhere in the text. */
export function textMatches(subject: Subject<string>, regex: Regex): FlowTest {
  return leaf(
    subject,
    (column, { binder }) => `match(${column}, ${binder.bind('String', goRegex(regex.pattern))})`,
    regex.test,
  );
}

/** The whole text fits the name pattern. */
export function textFits(subject: Subject<string>, glob: NameGlob): FlowTest {
  if ('exact' in glob) return textIn(subject, [glob.exact]);
  return leaf(
    subject,
    (column, { binder }) => `match(${column}, ${binder.bind('String', glob.regex.pattern)})`,
    glob.regex.test,
  );
}

/** One element of the list fits the name pattern. */
export function someFits(subject: Subject<readonly string[]>, glob: NameGlob): FlowTest {
  if ('exact' in glob)
    return leaf(
      subject,
      (column, { binder }) => `has(${column}, ${binder.bind('String', glob.exact)})`,
      (values) => values.includes(glob.exact),
    );
  return leaf(
    subject,
    (column, { binder }) =>
      `arrayExists(n -> match(n, ${binder.bind('String', glob.regex.pattern)}), ${column})`,
    (values) => values.some(glob.regex.test),
  );
}
