/**
 * ClickHouse's token rules, as far as they decide where a statement, a string or a comment ends. Works on byte strings
 * (`latin1`), so that offsets are byte offsets and binary data behind `FORMAT` can follow. The rules are the engine's
 * own lexer's (ClickHouse `src/Parsers/Lexer.cpp`, observed on 26.7); what it reads in more than one way across
 * versions (bytes beyond ASCII outside quotes, NUL, backslash, `#` without a space) is `invalid` here.
 */
export type TokenKind = 'space' | 'comment' | 'word' | 'quoted' | 'string' | 'number' | 'symbol' | 'invalid';

/** One token: bytes `start` (inclusive) to `end` (exclusive). A quote or comment that never closes is `invalid`. */
export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
}

const SPACE = /[ \t\n\r\f\v]+/y;
const LINE_COMMENT = /(?:--|\/\/|# |#!)[^\n]*/y;
const WORD = /[A-Za-z0-9_$]+/y;
const HEREDOC = /\$[A-Za-z0-9_]*\$/y;
const HEX_OR_BINARY = /[xX]'[0-9a-fA-F]*'|[bB]'[01]*'/y;
const HEX_NUMBER =
  /0[xX][0-9a-fA-F](?:[0-9a-fA-F]|_(?=[0-9a-fA-F]))*(?:\.(?:[0-9a-fA-F]|_(?=[0-9a-fA-F]))*)?(?:[pP](?=[^])(?:[+-](?=[^]))?(?:[0-9]|_(?=[0-9]))*)?/y;
const NUMBER =
  /(?:[0-9](?:[0-9]|_(?=[0-9]))*(?:\.(?:[0-9]|_(?=[0-9]))*)?|\.[0-9](?:[0-9]|_(?=[0-9]))*)(?:[eE](?=[^])(?:[+-](?=[^]))?(?:[0-9]|_(?=[0-9]))*)?/y;
const INTEGER = /[0-9](?:[0-9]|_(?=[0-9]))*/y;
const SYMBOL = /[-+*/%=<>!?:|@^~&,;.()[\]{}$]/y;

function match(pattern: RegExp, sql: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(sql) ? pattern.lastIndex : -1;
}

/** End of a quoted token that starts at `at`, or -1. Backslash escapes one character; a doubled quote is the quote. */
function quoteEnd(sql: string, at: number): number {
  const quote = sql[at];
  for (let i = at + 1; i < sql.length; i++) {
    if (sql[i] === '\\') i++;
    else if (sql[i] === quote) {
      if (sql[i + 1] !== quote) return i + 1;
      i++;
    }
  }
  return -1;
}

/** End of a block comment that starts at `at`, or -1. Block comments nest. */
function blockCommentEnd(sql: string, at: number): number {
  let depth = 1;
  for (let i = at + 2; i + 2 <= sql.length;) {
    const two = sql.slice(i, i + 2);
    if (two === '/*') depth++;
    if (two === '*/') depth--;
    if (depth === 0) return i + 2;
    i += two === '/*' || two === '*/' ? 2 : 1;
  }
  return -1;
}

function numberToken(sql: string, start: number, afterDot: boolean): Token {
  const hex = afterDot ? -1 : match(HEX_NUMBER, sql, start);
  const end = hex !== -1 ? hex : match(afterDot ? INTEGER : NUMBER, sql, start);
  const wordEnd = match(WORD, sql, end);
  if (wordEnd === -1) return { kind: 'number', start, end };
  const whole = match(WORD, sql, start) === wordEnd;
  return { kind: whole ? 'word' : 'invalid', start, end: wordEnd };
}

function dollarToken(sql: string, start: number): Token {
  const tagEnd = match(HEREDOC, sql, start);
  if (tagEnd !== -1) {
    const tag = sql.slice(start, tagEnd);
    const close = sql.indexOf(tag, tagEnd);
    if (close !== -1) return { kind: 'string', start, end: close + tag.length };
  }
  if (!/[A-Za-z0-9_]/.test(sql[start + 1] ?? ' ')) return { kind: 'symbol', start, end: start + 1 };
  return { kind: 'word', start, end: match(WORD, sql, start) };
}

function quotedToken(sql: string, start: number): Token {
  const end = quoteEnd(sql, start);
  if (end === -1) return { kind: 'invalid', start, end: sql.length };
  return { kind: sql[start] === "'" ? 'string' : 'quoted', start, end };
}

/** A dot directly behind a name, number or closing bracket is a separator even before a digit. */
function dotSeparates(sql: string, previous: Token | undefined): boolean {
  if (previous === undefined) return false;
  if (previous.kind === 'word' || previous.kind === 'quoted' || previous.kind === 'number') return true;
  const last = sql[previous.end - 1];
  return previous.kind === 'symbol' && (last === ')' || last === ']');
}

function tokenAt(sql: string, start: number, previous: Token | undefined): Token {
  const c = sql[start] ?? '';
  const space = match(SPACE, sql, start);
  if (space !== -1) return { kind: 'space', start, end: space };
  const comment = match(LINE_COMMENT, sql, start);
  if (comment !== -1) return { kind: 'comment', start, end: comment };
  if (c === '/' && sql[start + 1] === '*') {
    const end = blockCommentEnd(sql, start);
    return end === -1 ? { kind: 'invalid', start, end: sql.length } : { kind: 'comment', start, end };
  }
  if (c === "'" || c === '"' || c === '`') return quotedToken(sql, start);
  if (c >= '0' && c <= '9') {
    return numberToken(sql, start, previous?.kind === 'symbol' && sql[previous.end - 1] === '.');
  }
  if (c === '.' && /[0-9]/.test(sql[start + 1] ?? '') && !dotSeparates(sql, previous)) {
    return numberToken(sql, start, false);
  }
  if (c === '$') return dollarToken(sql, start);
  if (sql[start + 1] === "'" && /[xXbB]/.test(c)) {
    const end = match(HEX_OR_BINARY, sql, start);
    return end === -1 ? { kind: 'invalid', start, end: sql.length } : { kind: 'string', start, end };
  }
  const word = match(WORD, sql, start);
  if (word !== -1) return { kind: 'word', start, end: word };
  const symbol = match(SYMBOL, sql, start);
  return symbol === -1 ? { kind: 'invalid', start, end: start + 1 } : { kind: 'symbol', start, end: symbol };
}

/** Tokens of a byte string from `at` on, in order, spaces and comments included. Ends after the first `invalid` one. */
export function* tokens(sql: string, at = 0): Generator<Token> {
  let previous: Token | undefined;
  while (at < sql.length) {
    const token = tokenAt(sql, at, previous);
    yield token;
    if (token.kind === 'invalid') return;
    if (token.kind !== 'space' && token.kind !== 'comment') previous = token;
    at = token.end;
  }
}

/** Text of a token, upper-cased when it is a bare word, so that keywords compare. */
export function keyword(sql: string, token: Token): string {
  const text = sql.slice(token.start, token.end);
  return token.kind === 'word' ? text.toUpperCase() : text;
}
