import { refuseCel } from './cel-refusal.js';

/** A token of CEL with its place, counted from 1. */
export type CelToken =
  | { readonly kind: 'name' | 'operator'; readonly text: string; readonly at: number }
  | { readonly kind: 'string'; readonly value: string; readonly at: number }
  | { readonly kind: 'integer'; readonly value: bigint; readonly at: number }
  | { readonly kind: 'end'; readonly at: number };

const SPACE = /(?:\s|\/\/[^\n]*)*/y;
const NAME = /[A-Za-z_]\w*/y;
const NUMBER = /(?:0[xX][0-9a-fA-F]+|\d+)(\.\d|[eE][+-]?\d)?[uU]?/y;
const OPERATOR = /&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()[\]{}]/y;
const QUOTED = /([rR]?)("(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*')/y;
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))/gs;
const SIMPLE: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
};

function unescape(body: string): string {
  return body.replace(
    ESCAPE,
    (whole, x?: string, u?: string, long?: string, octal?: string, one?: string) => {
      const hex = x ?? u ?? long;
      const code =
        hex === undefined ? (octal === undefined ? undefined : parseInt(octal, 8)) : parseInt(hex, 16);
      if (code !== undefined)
        return code <= 0x10ffff ? String.fromCodePoint(code) : refuseCel(`${whole} is no character`);
      return SIMPLE[one ?? ''] ?? refuseCel(`the escape ${whole} is not part of CEL`);
    },
  );
}

function stringToken(match: RegExpExecArray): CelToken {
  const [, raw = '', quoted = ''] = match;
  const body = quoted.slice(1, -1);
  return { kind: 'string', value: raw === '' ? unescape(body) : body, at: match.index + 1 };
}

function integerToken(match: RegExpExecArray): CelToken {
  if (match[1] !== undefined) refuseCel('numbers with a fraction are not supported');
  return { kind: 'integer', value: BigInt(match[0].replace(/[uU]$/, '')), at: match.index + 1 };
}

function nextToken(text: string, start: number): { readonly token: CelToken; readonly end: number } {
  const match = (pattern: RegExp) => {
    pattern.lastIndex = start;
    return pattern.exec(text);
  };
  const at = start + 1;
  const quoted = match(QUOTED);
  if (quoted !== null) return { token: stringToken(quoted), end: start + quoted[0].length };
  const number = match(NUMBER);
  if (number !== null) return { token: integerToken(number), end: start + number[0].length };
  const name = match(NAME);
  if (name !== null) return { token: { kind: 'name', text: name[0], at }, end: start + name[0].length };
  const operator = match(OPERATOR);
  if (operator === null) return refuseCel(`character ${at} is not part of an expression`);
  return { token: { kind: 'operator', text: operator[0], at }, end: start + operator[0].length };
}

/** Splits an expression; the last token is `end`. Triple-quoted and byte strings are refused. */
export function celTokens(text: string): readonly CelToken[] {
  const tokens: CelToken[] = [];
  let at = 0;
  for (;;) {
    SPACE.lastIndex = at;
    at += SPACE.exec(text)?.[0].length ?? 0;
    if (at >= text.length) return [...tokens, { kind: 'end', at: text.length + 1 }];
    const { token, end } = nextToken(text, at);
    tokens.push(token);
    at = end;
  }
}
