import { describe, expect, it } from 'vitest';
import { keyword, tokens } from './sql-lexer.js';
import { insertHead, plainStatement } from './statement.js';

const kinds = (sql: string) =>
  [...tokens(sql)]
    .filter((token) => token.kind !== 'space')
    .map((token) => `${token.kind}:${sql.slice(token.start, token.end)}`);

describe('tokens', () => {
  it.each([
    ["'a''b\\'c;'", ["string:'a''b\\'c;'"]],
    ['`a``b\\`;` "c"";"', ['quoted:`a``b\\`;`', 'quoted:"c"";"']],
    ['1 -- x;\n2', ['number:1', 'comment:-- x;', 'number:2']],
    ['1 // x;\n2', ['number:1', 'comment:// x;', 'number:2']],
    ['1 # x;\n2 #!y', ['number:1', 'comment:# x;', 'number:2', 'comment:#!y']],
    ['/* a /* b; */ c; */ 1', ['comment:/* a /* b; */ c; */', 'number:1']],
    ["$$ ';' $$ $t$ $$ ; $t$", ["string:$$ ';' $$", 'string:$t$ $$ ; $t$']],
    ['a$b$ $x', ['word:a$b$', 'word:$x']],
    ["x'4a' B'01' X'", ["string:x'4a'", "string:B'01'", "invalid:X'"]],
    [
      '1e-3 0x1fp-2, .5e+1 1_000 12ab',
      ['number:1e-3', 'number:0x1fp-2', 'symbol:,', 'number:.5e+1', 'number:1_000', 'word:12ab'],
    ],
    [
      't.1.2 a.b (x).3',
      [
        'word:t',
        'symbol:.',
        'number:1',
        'symbol:.',
        'number:2',
        'word:a',
        'symbol:.',
        'word:b',
        'symbol:(',
        'word:x',
        'symbol:)',
        'symbol:.',
        'number:3',
      ],
    ],
    ['1e--2;', ['number:1e-', 'symbol:-', 'number:2', 'symbol:;']],
    ["1 'never closed", ['number:1', "invalid:'never closed"]],
    ['/* /* */ never closed', ['invalid:/* /* */ never closed']],
    ['a #b', ['word:a', 'invalid:#']],
    ['a \\G b', ['word:a', 'invalid:\\']],
    ['a \0 b', ['word:a', 'invalid:\0']],
    ['a \xe2\x80\x98b', ['word:a', 'invalid:\xe2']],
  ])('reads %j as the engine does', (sql, expected) => {
    expect(kinds(sql)).toEqual(expected);
  });

  it('compares keywords in upper case and nothing else', () => {
    const sql = "Select 'Select' `Select`";
    const significant = [...tokens(sql)].filter((token) => token.kind !== 'space');
    expect(significant.map((token) => keyword(sql, token))).toEqual(['SELECT', "'Select'", '`Select`']);
  });
});

describe('plainStatement', () => {
  it('blanks comments, drops the last semicolon and finds verb and format', () => {
    const sql = "/* ; */ (SELECT ';' -- a'\n) FORMAT  JSON ; -- end";
    expect(plainStatement(sql)).toEqual({
      kind: 'plain',
      text: "        (SELECT ';'      \n) FORMAT  JSON         ",
      verb: 'SELECT',
      format: 'JSON',
    });
  });

  it.each([
    ['SELECT 1 FORMAT JSON SETTINGS max_threads = 1', 'JSON'],
    ["SELECT 'FORMAT JSON'", null],
    ['SELECT format FROM t', null],
    ['SELECT 1', null],
  ])('finds the format of %s', (sql, format) => {
    expect(plainStatement(sql)).toMatchObject({ kind: 'plain', format });
  });

  it.each([
    ['SELECT 1; SELECT 2', 62],
    ['SELECT 1;;SELECT 2', 62],
    ["SELECT ';", 62],
    ['SELECT 1 INTO OUTFILE 1', 358],
    ['SELECT 1 into/**/outfile 1', 358],
    ['INSERT INTO t FROM INFILE 1', 78],
  ])('refuses %s with %i', (sql, code) => {
    expect(plainStatement(sql)).toMatchObject({ kind: 'refused', code });
  });
});

describe('insertHead', () => {
  it.each([
    ['INSERT INTO t FORMAT Native\n\x01;\n\nDROP', 14, '', 'Native', '\x01;\n\nDROP'],
    ['insert into db.`t;` (a, `b c`) Format\tCSV  \r\n1;2', 31, '', 'CSV', '1;2'],
    ["INSERT INTO t SETTINGS a=1, b='FORMAT' FORMAT TSV 1", 14, "SETTINGS a=1, b='FORMAT' ", 'TSV', '1'],
    ['INSERT INTO t(values, format) VALUES (1)', 30, '', 'Values', ' (1)'],
    ['/* x; */ INSERT INTO TABLE format.values FORMAT TSV\n', 41, '', 'TSV', ''],
    ['INSERT INTO {t:Identifier} (a) FORMAT TSV\n1', 31, '', 'TSV', '1'],
  ])('finds where the data of %j begins', (sql, cut, settings, format, data) => {
    const head = insertHead(sql);
    expect(head).toEqual({ kind: 'insert', cut, settings, format, dataStart: sql.length - data.length });
  });

  it.each([
    'INSERT INTO t SELECT 1 FORMAT TSV',
    'INSERT INTO t WITH 1 AS x SELECT x',
    "INSERT INTO t FROM INFILE 'x' FORMAT TSV",
    'INSERT INTO t (a)',
    "INSERT INTO t (a 'FORMAT TSV",
    'INSERT INTO t; FORMAT TSV',
    'SELECT 1 FORMAT TSV',
    '',
  ])('sees no data in %j', (sql) => {
    expect(insertHead(sql)).toBeNull();
  });
});
