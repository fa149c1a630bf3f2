import { keyword, tokens } from './sql-lexer.js';
import type { Token } from './sql-lexer.js';

/** An INSERT whose data follows its head, in the same text or in the request body. Offsets are byte offsets. */
export interface InsertHead {
  readonly kind: 'insert';
  /** Where `FROM INFILE` has to be written: before SETTINGS, else before FORMAT or VALUES. */
  readonly cut: number;
  /** SETTINGS clause as written, or ''. */
  readonly settings: string;
  readonly format: string;
  /** First byte of data. */
  readonly dataStart: number;
}

/** One statement without data. `text` has its comments blanked out and its final semicolon removed. */
export interface PlainStatement {
  readonly kind: 'plain';
  readonly text: string;
  /** First keyword, upper case; '' when the text is empty. */
  readonly verb: string;
  /** Name in the FORMAT clause, or null. */
  readonly format: string | null;
}

/** Why a text is not one acceptable statement: a ClickHouse code, its name and a sentence. */
export interface StatementRefusal {
  readonly kind: 'refused';
  readonly code: number;
  readonly name: string;
  readonly reason: string;
}

function refuse(code: number, name: string, reason: string): StatementRefusal {
  return { kind: 'refused', code, name, reason };
}

function significant(sql: string): Iterator<Token, undefined> {
  const all = tokens(sql);
  return {
    next: () => {
      for (;;) {
        const step = all.next();
        if (step.done === true) return { done: true, value: undefined };
        if (step.value.kind !== 'space' && step.value.kind !== 'comment')
          return { done: false, value: step.value };
      }
    },
  };
}

/** Blanks, then one line end: what the engine skips between a FORMAT name and its data. */
function dataStartAfter(sql: string, at: number): number {
  const blank = /[ \t\f]*\r?\n?/y;
  blank.lastIndex = at;
  blank.test(sql);
  return blank.lastIndex;
}

/**
 * Finds the head of `INSERT INTO … [SETTINGS …] FORMAT name <data>` or `… VALUES <data>` at the start of a byte string.
 * Returns null for everything else (INSERT … SELECT included), and when the text ends before the head does. Bytes
 * behind the head are never looked at: they are data. Pure.
 */
export function insertHead(sql: string): InsertHead | null {
  const stream = significant(sql);
  const take = (): Token | undefined => {
    const step = stream.next();
    return step.done === true ? undefined : step.value;
  };
  let token = take();
  if (token === undefined || keyword(sql, token) !== 'INSERT') return null;
  token = take();
  for (const optional of ['INTO', 'TABLE', 'FUNCTION']) {
    if (token !== undefined && keyword(sql, token) === optional) token = take();
  }
  let depth = token !== undefined && keyword(sql, token) === '{' ? 1 : 0;
  token = take();
  let settingsAt = -1;
  let afterDot = false;
  for (; token !== undefined && token.kind !== 'invalid'; token = take()) {
    const text = keyword(sql, token);
    if (text === '(' || text === '[' || text === '{') depth++;
    else if (text === ')' || text === ']' || text === '}') depth--;
    else if (text === ';') return null;
    else if (depth === 0 && token.kind === 'word' && !afterDot) {
      if (text === 'SELECT' || text === 'WITH' || text === 'FROM' || text === 'WATCH') return null;
      if (text === 'SETTINGS') settingsAt = token.start;
      if (text === 'VALUES' || text === 'FORMAT') {
        const name = text === 'FORMAT' ? take() : token;
        if (name === undefined || name.kind !== 'word') return null;
        const cut = settingsAt === -1 ? token.start : settingsAt;
        const format = text === 'FORMAT' ? sql.slice(name.start, name.end) : 'Values';
        const dataStart = text === 'FORMAT' ? dataStartAfter(sql, name.end) : name.end;
        return { kind: 'insert', cut, settings: sql.slice(cut, token.start), format, dataStart };
      }
    }
    afterDot = text === '.';
  }
  return null;
}

function isSpaceOrComment(token: Token): boolean {
  return token.kind === 'space' || token.kind === 'comment';
}

/**
 * Reads a whole byte string as exactly one statement: refuses a second one (as a server does over HTTP), client-side
 * file clauses and everything the lexer cannot read. Comments come back as blanks of the same length, so that nothing
 * we took for a comment can reach the engine as code. Pure.
 */
export function plainStatement(sql: string): PlainStatement | StatementRefusal {
  const parts: string[] = [];
  const found: Token[] = [];
  let ended = false;
  for (const token of tokens(sql)) {
    const text = sql.slice(token.start, token.end);
    if (token.kind === 'invalid') {
      const near = text.slice(0, 20).replace(/[^ -~]/g, '?');
      return refuse(62, 'SYNTAX_ERROR', `Unrecognized token: failed at position ${token.start + 1}: ${near}`);
    }
    if (token.kind === 'comment') parts.push(text.replace(/[^\n]/g, ' '));
    else if (text === ';') {
      ended = true;
      parts.push(' ');
    } else parts.push(text);
    if (isSpaceOrComment(token) || text === ';') continue;
    if (ended) return refuse(62, 'SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed)');
    found.push(token);
  }
  const words = found.map((token) => keyword(sql, token));
  if (words.includes('OUTFILE')) {
    return refuse(
      358,
      'INTO_OUTFILE_NOT_ALLOWED',
      'INTO OUTFILE is a client feature and is not allowed over HTTP',
    );
  }
  if (words.includes('INFILE')) {
    return refuse(
      78,
      'UNKNOWN_TYPE_OF_QUERY',
      'FROM INFILE is a client feature and is not allowed over HTTP',
    );
  }
  const verb = words.find((word) => word !== '(') ?? '';
  return { kind: 'plain', text: parts.join(''), verb, format: formatClause(sql, found, words) };
}

function formatClause(sql: string, found: readonly Token[], words: readonly string[]): string | null {
  const at = words.lastIndexOf('FORMAT');
  const name = found[at + 1];
  if (at === -1 || name === undefined || name.kind !== 'word') return null;
  const next = words[at + 2];
  return next === undefined || next === 'SETTINGS' ? sql.slice(name.start, name.end) : null;
}
