import { describe, expect, it } from 'vitest';
import { sessionPlan, sessionSetup } from './request-settings.js';
import { standardUsers } from './users.js';
import type { StoreUser } from './users.js';

const users = standardUsers({
  database: 'flowledger',
  passwords: { writer: 'a', reader: 'b', grafana: 'c' },
  maxMemoryBytes: 1_000,
});
const named = (name: string): StoreUser => {
  const user = users.find((each) => each.name === name);
  if (user === undefined) throw new Error(`no user ${name}`);
  return user;
};
const plan = (user: string, query: string, get = false) =>
  sessionPlan(new URLSearchParams(query), null, named(user), get);

describe('sessionPlan', () => {
  it('gives a reader its limits, lowers what asks for more, and takes what asks for less', () => {
    const given = 'max_execution_time=0&max_result_rows=10&max_memory_usage=999999';
    expect([...plan('reader', given).settings]).toEqual([
      ['max_execution_time', '120'],
      ['max_memory_usage', '500'],
      ['max_result_rows', '10'],
      ['max_result_bytes', '536870912'],
    ]);
  });

  it.each([
    'format_schema=x',
    'dialect=kusto',
    'max_untracked_memory=1',
    'allow_introspection_functions=1',
    'output_format_schema=x',
  ])('refuses a reader to set %s', (query) => {
    expect(() => plan('reader', query)).toThrow(expect.objectContaining({ code: 164 }));
  });

  it('does not let a reader out of readonly', () => {
    expect(plan('grafana', 'readonly=0')).toMatchObject({ readonly: 1 });
    expect([...plan('grafana', 'readonly=0').settings.keys()]).not.toContain('readonly');
  });

  it('makes a writer’s GET read only, and its POST free', () => {
    expect(plan('writer', '', true).readonly).toBe(2);
    expect(plan('writer', 'max_threads=3')).toMatchObject({
      readonly: 0,
      settings: new Map([['max_threads', '3']]),
    });
  });

  it.each([
    ['session_id=a', 344],
    ['compress=1', 344],
    ['a%20b=1', 115],
    ['a%3B=1', 115],
  ])('refuses %s with %i', (query, code) => {
    expect(() => plan('writer', query)).toThrow(expect.objectContaining({ code }));
  });

  it('keeps a reader in its databases, the first of which is the default one', () => {
    expect(plan('reader', '').database).toBe('flowledger');
    expect(() => plan('reader', 'database=default')).toThrow(expect.objectContaining({ code: 497 }));
    expect(plan('writer', 'database=default').database).toBe('default');
  });
});

describe('sessionSetup', () => {
  it('quotes every value and says readonly last', () => {
    const settings = new Map([['param_x', "a'; DROP TABLE t; --\\"]]);
    expect(sessionSetup({ database: 'a`b', settings, readonly: 1 }, "tag:'")).toBe(
      "USE `a\\`b`; SET param_x='a\\'; DROP TABLE t; --\\\\', log_comment='tag:\\'', readonly=1",
    );
  });
});
