import { describe, expect, it } from 'vitest';
import { readRefusal } from './read-access.js';
import type { ReadRules } from './read-access.js';
import { standardUsers } from './users.js';

const users = standardUsers({
  database: 'flowledger',
  passwords: { writer: 'a', reader: 'b', grafana: 'c' },
  maxMemoryBytes: 1e9,
});
const rules = (name: string): ReadRules => {
  const user = users.find((each) => each.name === name);
  if (user === undefined) throw new Error(`no user ${name}`);
  return {
    user,
    deniedFunctions: new Set(['file']),
    databases: new Set(['default', 'system', 'flowledger', 'other']),
  };
};
const select = (...inside: string[]) => [
  'SelectWithUnionQuery (children 1)',
  ...inside.map((line) => ` ${line}`),
];

describe('readRefusal', () => {
  it.each([
    [select('SelectQuery (children 1)', ' Function count (children 1)', '  Asterisk')],
    [select('TableExpression (children 1)', ' TableIdentifier flowledger.flows (alias f)')],
    [select('TableExpression (children 1)', ' TableIdentifier flows')],
    [select('TableExpression (children 1)', ' TableIdentifier system.columns')],
    [select('TableExpression (children 1)', ' Function numbers (alias file) (children 1)')],
    [select('Identifier f.time')],
    [['DescribeQuery (children 1)', ' TableExpression (children 1)', '  TableIdentifier flows']],
    [['ShowCreateTableQuery flowledger flows (children 2)', ' Identifier flowledger', ' Identifier flows']],
    [['ShowCreateViewQuery  v (children 1)', ' Identifier v']],
    [['Explain EXPLAIN (children 2)', ' Set', ' SelectWithUnionQuery']],
    [['Explain EXPLAIN QUERY TREE (children 1)', ...select('SelectQuery').map((line) => ` ${line}`)]],
  ])('lets %j pass', (lines) => {
    expect(readRefusal(lines, rules('grafana'))).toBeNull();
  });

  it.each([
    [select('TableExpression (children 1)', ' Function url (children 1)'), 'table function url'],
    [select('Function file (alias x) (children 1)'), 'function file'],
    [
      select('TableExpression (children 1)', ' TableIdentifier default./etc/passwd'),
      'table default./etc/passwd',
    ],
    [select('TableExpression (children 1)', ' TableIdentifier system.parts'), 'table system.parts'],
    [select('Function in (children 1)', ' Identifier other.secret (alias s)'), 'table other.secret'],
    [select('ColumnsApplyTransformer'), 'ColumnsApplyTransformer in a query'],
    [select('SelectQuery (children 1)', ' Set'), 'SETTINGS in a query'],
    [['InsertQuery   (children 2)'], 'InsertQuery in a query'],
    [['Literal 1'], 'Literal as a query'],
    [['Explain EXPLAIN TABLE OVERRIDE (children 1)'], 'EXPLAIN TABLE OVERRIDE as a query'],
    [['ShowCreateTableQuery default /etc/passwd (children 2)'], 'table default./etc/passwd'],
    [[...select('TableExpression (children 1)', ' TableIdentifier a'), 'b.c'], 'a name with a line end'],
    [[...select('Literal 1'), 'SelectWithUnionQuery'], 'a name with a line end'],
    [[], 'an empty query'],
  ])('refuses %j', (lines, reason) => {
    expect(readRefusal(lines, rules('grafana'))).toBe(reason);
  });

  it('lets our own api see sizes that Grafana may not', () => {
    const lines = select('TableExpression (children 1)', ' TableIdentifier system.parts');
    expect(readRefusal(lines, rules('reader'))).toBeNull();
  });
});
