import fc from 'fast-check';
import { CEL_FIELDS, CEL_PRESENT } from '../cel/cel-flow-fields.js';
import type { CelExpression } from '../cel/cel-expression.js';
import { WORDS } from './odd-flows.js';

const TEXTS = [
  ...WORDS.ips,
  ...WORDS.namespaces,
  ...WORDS.pods,
  ...WORDS.labels,
  ...WORDS.names,
  ...WORDS.traces,
  ...WORDS.queries,
  ...WORDS.methods,
  ...WORDS.nodes,
  ...WORDS.uuids,
  ...WORDS.interfaces,
  ...WORDS.kinds,
  ...WORDS.headers,
  'default/node-1',
  'a',
];
const text = fc.constantFrom(...TEXTS).map((value) => JSON.stringify(value));
const part = fc
  .tuple(fc.constantFrom(...TEXTS), fc.nat({ max: 3 }))
  .map(([value, start]) => JSON.stringify(value.slice(start, start + 4)));
const number = fc
  .constantFrom(0, 1, 2, 3, 4, 5, 80, 129, 133, 200, 443, -1, 4_294_967_295, '18446744073709551615u')
  .map(String);
const compare = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');
const test = fc.constantFrom('startsWith', 'endsWith', 'contains');
const regex = fc
  .constantFrom('^web', '[0-9]+$', '(?i)EXAMPLE', 'a|b', '')
  .map((value) => JSON.stringify(value));

function onText(value: string): fc.Arbitrary<string> {
  return fc.oneof(
    fc.tuple(compare, text).map(([operator, other]) => `${value} ${operator} ${other}`),
    fc.tuple(test, part).map(([name, other]) => `${value}.${name}(${other})`),
    regex.map((pattern) => `${value}.matches(${pattern})`),
    fc.array(text, { maxLength: 3 }).map((values) => `${value} in [${values.join(', ')}]`),
    fc.tuple(compare, number).map(([operator, other]) => `size(${value}) ${operator} ${other}`),
  );
}

function onTexts(list: string): fc.Arbitrary<string> {
  return fc.oneof(
    text.map((value) => `${value} in ${list}`),
    fc
      .tuple(fc.constantFrom('exists', 'all'), onText('v'))
      .map(([name, body]) => `${list}.${name}(v, ${body})`),
    fc.nat({ max: 2 }).chain((at) => onText(`${list}[${at}]`)),
    fc.tuple(compare, number).map(([operator, other]) => `${list}.size() ${operator} ${other}`),
  );
}

function onMessages(list: string, members: readonly string[]): fc.Arbitrary<string> {
  const member = fc.constantFrom(...members);
  return fc.oneof(
    fc
      .tuple(
        fc.constantFrom('exists', 'all'),
        member.chain((name) => onText(`v.${name}`)),
      )
      .map(([name, body]) => `${list}.${name}(v, ${body})`),
    fc.tuple(fc.nat({ max: 2 }), member).chain(([at, name]) => onText(`${list}[${at}].${name}`)),
  );
}

function onField(name: string, field: CelExpression): fc.Arbitrary<string> {
  const path = `_flow.${name}`;
  switch (field.kind) {
    case 'int':
      return fc.oneof(
        fc.tuple(compare, number).map(([operator, value]) => `${path} ${operator} ${value}`),
        fc.array(number, { maxLength: 3 }).map((values) => `${path} in [${values.join(', ')}]`),
      );
    case 'string':
      return onText(path);
    case 'list of strings':
      return onTexts(path);
    case 'list of messages':
      return onMessages(path, Object.keys(field.members));
    case 'wrapper':
      return fc.constantFrom(
        path,
        `${path} == true`,
        `${path} != false`,
        `${path} == null`,
        `${path} != null`,
      );
    default:
      return fc.constant(path);
  }
}

/** Conditions on single fields, by the path of the field. */
export const CEL_CONDITIONS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  ...Object.fromEntries(Object.entries(CEL_FIELDS).map(([name, field]) => [name, onField(name, field)])),
  'has()': fc
    .constantFrom(...Object.keys(CEL_FIELDS), ...Object.keys(CEL_PRESENT))
    .map((name) => `has(_flow.${name})`),
};

const condition = fc.constantFrom(...Object.values(CEL_CONDITIONS)).chain((one) => one);

/** Conditions joined by CEL's logic, in which errors must travel as CEL says. */
export const randomCel: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(condition, condition, condition).map(([a, b, c]) => `!(${a}) || ${b} && ${c}`),
  fc.tuple(condition, condition, condition).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  fc.tuple(condition, condition).map(([a, b]) => `(${a}) == !(${b})`),
);
