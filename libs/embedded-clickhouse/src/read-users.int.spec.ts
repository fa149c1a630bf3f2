import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTestStore } from '@flowledger/testkit';
import type { TestStore, TestUser } from '@flowledger/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SECRET = 'the-secret-of-the-machine';
let server: TestStore;
let secretFile: string;

async function ask(user: TestUser, sql: string, query: Record<string, string> = {}) {
  const parameters = new URLSearchParams({ database: server.database, ...query });
  const response = await fetch(`${server.url}/?${parameters.toString()}`, {
    method: 'POST',
    body: sql,
    headers: { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': server.password(user) },
  });
  const code = Number(response.headers.get('x-clickhouse-exception-code') ?? 0);
  return { status: response.status, code, text: await response.text() };
}

async function write(sql: string, database = server.database): Promise<void> {
  const answer = await ask('writer', sql, { database });
  expect(answer).toMatchObject({ code: 0 });
}

beforeAll(async () => {
  server = await startTestStore();
  secretFile = join(server.directory, 'secret.csv');
  writeFileSync(secretFile, `${SECRET}\n`);
  await write(
    'CREATE TABLE flows (time DateTime, namespace LowCardinality(String), bytes UInt64) ENGINE = MergeTree ORDER BY time',
  );
  await write("INSERT INTO flows SELECT toDateTime(number), 'ns', number FROM numbers(1000)");
  await write('CREATE DATABASE other');
  await write(`CREATE TABLE other.private ENGINE = Memory AS SELECT '${SECRET}' AS s`);
  // A file that the writer has read once is a table of `default` from then on, whatever the reader's own settings.
  await write(`SELECT * FROM \`${secretFile}\``, 'default');
});
afterAll(() => server.stop());

describe.each(['reader', 'grafana'] as const)('%s', (user) => {
  it.each([
    'SELECT count() FROM flows',
    'SELECT count() FROM flowledger.flows',
    'WITH (SELECT max(time) FROM flows) AS t SELECT namespace, sum(bytes) FROM flows WHERE time <= t GROUP BY namespace ORDER BY 2',
    'WITH x AS (SELECT bytes FROM flows) SELECT * FROM x AS a JOIN flows AS b USING (bytes) LIMIT 1',
    'SELECT * REPLACE(bytes + 1 AS bytes), * EXCEPT(time) FROM flows LIMIT 1 BY namespace LIMIT 1',
    "SELECT COLUMNS('^b') FROM flows LIMIT 1",
    'SELECT sum(bytes) OVER (PARTITION BY namespace ORDER BY time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM flows LIMIT 1',
    'SELECT toStartOfMinute(time) AS t, count() FROM flows GROUP BY t ORDER BY t WITH FILL STEP 60 LIMIT 5',
    'SELECT number FROM numbers(3) UNION ALL SELECT bytes FROM flows WHERE bytes IN (SELECT max(bytes) FROM flows)',
    '(SELECT 1) EXCEPT (SELECT 2)',
    "SELECT arrayMap(x -> x * 2, [1, 2]), 'a;b' -- ; comment\n, $$heredoc; '$$ /* ; */;",
    'SELECT name, type FROM system.columns WHERE database = currentDatabase()',
    'SELECT name FROM system.databases',
    'SELECT name FROM system.functions LIMIT 1',
    'SHOW DATABASES',
    'SHOW TABLES',
    'SHOW TABLES FROM flowledger',
    'SHOW CREATE TABLE flows',
    'DESCRIBE TABLE flows',
    'DESC TABLE "flowledger"."flows"',
    'EXISTS TABLE flows',
    'EXPLAIN SELECT 1',
    'EXPLAIN PIPELINE SELECT count() FROM flows',
    'EXPLAIN ESTIMATE SELECT count() FROM flows',
    'SELECT version(), timezone(), hostName()',
  ])('may run %s', async (sql) => {
    expect(await ask(user, sql)).toMatchObject({ code: 0, status: 200 });
  });

  it.each([
    ['file table function', () => `SELECT * FROM file('${secretFile}')`],
    ['file in another case', () => `SELECT * FROM FILE('${secretFile}', LineAsString)`],
    ['file function', () => `SELECT file('${secretFile}')`],
    ['quoted file function', () => `SELECT \`file\`('${secretFile}')`],
    ['file function inside', () => `SELECT [(1, upper(substring(file('${secretFile}'), 1)))]`],
    ['file function in a window', () => `SELECT sum(1) OVER (PARTITION BY file('${secretFile}'))`],
    ['file function in a lambda', () => `SELECT arrayMap(x -> file(x), ['${secretFile}'])`],
    ['file function by APPLY', () => `SELECT * APPLY file FROM (SELECT '${secretFile}' AS s)`],
    [
      'file function by APPLY with a lambda',
      () => `SELECT * APPLY(x -> file(x)) FROM (SELECT '${secretFile}' AS s)`,
    ],
    ['file function by REPLACE', () => `SELECT * REPLACE(file('${secretFile}') AS s) FROM (SELECT 1 AS s)`],
    ['file as a table', () => `SELECT * FROM \`${secretFile}\``],
    ['file as a table by string', () => `SELECT * FROM '${secretFile}'`],
    ['file as a table of default', () => `SELECT * FROM default.\`${secretFile}\``],
    ['file as a set', () => `SELECT '${SECRET}' IN default.\`${secretFile}\``],
    ['file as a set by alias', () => `WITH default.\`${secretFile}\` AS f SELECT '${SECRET}' IN f`],
    ['file in a view function', () => `SELECT * FROM view(SELECT * FROM file('${secretFile}'))`],
    ['description of a file', () => `DESCRIBE TABLE file('${secretFile}')`],
    ['description of a file as a table', () => `DESCRIBE default.\`${secretFile}\``],
    ['definition of a file as a table', () => `SHOW CREATE TABLE default.\`${secretFile}\``],
    ['explanation of a file', () => `EXPLAIN SELECT * FROM file('${secretFile}')`],
    ['another database', () => 'SELECT * FROM other.private'],
    ['another database as a set', () => `SELECT '${SECRET}' IN other.private`],
    ['another database by merge()', () => "SELECT * FROM merge('other', 'private')"],
    ['another database by eval()', () => "SELECT * FROM eval('SELECT * FROM other.private')"],
    ['another database by loop()', () => 'SELECT * FROM loop(other.private) LIMIT 1'],
    ['another database by remote()', () => "SELECT * FROM remote('127.0.0.1', other.private)"],
    ['the network by url()', () => `SELECT * FROM url('${server.url}/ping', LineAsString)`],
    ['the network by describing url()', () => `DESCRIBE TABLE url('${server.url}/ping')`],
    ['the network by s3()', () => `SELECT * FROM s3('${server.url}/a/b')`],
    ['the network by mysql()', () => "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')"],
    ['a program', () => "SELECT * FROM executable('x', TSV, 'a String')"],
    ['what others run', () => 'SELECT query FROM system.processes'],
    ['the server’s settings', () => 'SELECT * FROM system.server_settings'],
    ['server setting function', () => "SELECT getServerSetting('max_server_memory_usage')"],
    ['sleeping', () => 'SELECT sleep(1)'],
    ['an insert', () => 'INSERT INTO flows SELECT now(), 1, 1'],
    ['an insert with data', () => 'INSERT INTO flows VALUES (1, 1, 1)'],
    ['a table', () => 'CREATE TABLE mine (a UInt8) ENGINE = Memory'],
    ['a temporary table', () => 'CREATE TEMPORARY TABLE mine (a UInt8)'],
    ['a drop', () => 'DROP TABLE flows'],
    ['a delete', () => 'DELETE FROM flows WHERE 1'],
    ['a setting', () => 'SET readonly = 0'],
    ['a setting in a query', () => 'SELECT 1 SETTINGS max_memory_usage = 0'],
    ['a setting in a subquery', () => 'SELECT * FROM (SELECT 1 SETTINGS readonly = 0)'],
    ['another current database', () => 'USE default'],
    ['a kill', () => 'KILL QUERY WHERE 1'],
    ['a system command', () => 'SYSTEM FLUSH LOGS'],
    ['a backup', () => "BACKUP TABLE flows TO File('x')"],
    ['a second statement', () => 'SELECT 1; DROP TABLE flows'],
    ['an outfile', () => `SELECT 1 INTO OUTFILE '${secretFile}.out'`],
    ['an outfile with comments', () => `SELECT 1 INTO/* */OUTFILE '${secretFile}.out' FORMAT TSV`],
    ['an infile', () => `INSERT INTO flows FROM INFILE '${secretFile}' FORMAT TSV`],
  ])('may not have %s', async (_what, sql) => {
    const answer = await ask(user, sql());
    expect(answer.code).not.toBe(0);
    expect(answer.text.split('DB::Exception')[0]).not.toContain(SECRET);
    expect(existsSync(`${secretFile}.out`)).toBe(false);
  });

  it('may not name a foreign table by a parameter', async () => {
    const sql = 'SELECT count() FROM {db:Identifier}.{table:Identifier}';
    expect(await ask(user, sql, { param_db: 'flowledger', param_table: 'flows' })).toMatchObject({
      text: '1000\n',
    });
    expect(await ask(user, sql, { param_db: 'other', param_table: 'private' })).toMatchObject({ code: 497 });
    expect(await ask(user, sql, { param_db: 'default', param_table: secretFile })).toMatchObject({
      code: 497,
    });
  });

  it('may set what shapes a plan or a result', async () => {
    const settings = {
      max_execution_time: '5',
      timeout_overflow_mode: 'throw',
      max_rows_to_read: '100000',
      read_overflow_mode: 'throw',
      max_memory_usage: '100000000',
      max_result_rows: '100',
      result_overflow_mode: 'throw',
      read_in_order_use_buffering: '0',
      optimize_read_in_order: '1',
      use_query_condition_cache: '0',
      output_format_json_quote_64bit_integers: '1',
    };
    expect(await ask(user, 'SELECT count() FROM flows', settings)).toMatchObject({ text: '1000\n' });
    expect(
      await ask(user, 'SELECT number FROM numbers(101)', { ...settings, wait_end_of_query: '1' }),
    ).toMatchObject({
      code: 396,
    });
  });

  it('may not choose another database', async () => {
    for (const database of ['default', 'system', 'other', '']) {
      const answer = await ask(user, `SELECT * FROM \`${secretFile}\``, { database });
      expect(answer.code).not.toBe(0);
    }
  });

  it('stays within its limits whatever it asks for', async () => {
    expect(
      await ask(user, "SELECT getSetting('max_result_rows') < 10000000", { max_result_rows: '0' }),
    ).toMatchObject({
      text: '1\n',
    });
    const sql = 'SELECT number FROM numbers(6000000) FORMAT Null';
    expect(await ask(user, sql, { max_result_rows: '999999999', wait_end_of_query: '1' })).toMatchObject({
      code: 396,
    });
    expect(await ask(user, 'SELECT 1', { max_untracked_memory: '1' })).toMatchObject({ code: 164 });
  });
});

describe('the guard', () => {
  const HARMFUL = () => [
    `; DROP TABLE flowledger.flows`,
    `; SELECT 1 INTO OUTFILE '${server.directory}/pwned'`,
    ` INTO OUTFILE '${server.directory}/pwned' FORMAT TSV`,
    `, file('${secretFile}')`,
    ` UNION ALL SELECT * FROM file('${secretFile}', LineAsString)`,
    ` UNION ALL SELECT * FROM default.\`${secretFile}\``,
  ];
  const FENCES = [
    "'",
    "''",
    "\\'",
    '"',
    '""',
    '`',
    '``',
    '--',
    '-- ',
    '//',
    '# ',
    '#!',
    '#',
    '/*',
    '*/',
    '/* /* */',
    '$$',
    '$a$',
    '$a b$',
    '$',
    '\\',
    '\\\\',
    '\n',
    '\r',
    '\t',
    ' ',
    ';',
    '\\G',
    '\\0',
    '\0',
    "x'",
    "b'",
    "X'41'",
    '1e',
    '1e-',
    '0x',
    '1_',
    '.',
    '..',
    ',',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ':',
    '\u2018',
    '\u2019',
    '\u201c',
    '\u201d',
    '\u00a0',
    '\u2212\u2212',
    '\ufeff',
    'é',
    'SELECT',
    ' 1',
    ' x',
    ' FORMAT TSV',
    '\f',
    '\v',
    '\u2028',
    '\ud83d\ude00',
  ];

  it('lets nothing through that the engine reads as more than one harmless SELECT', async () => {
    const pieces = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...FENCES) },
        { weight: 1, arbitrary: fc.constantFrom(...HARMFUL()) },
      ),
      {
        minLength: 1,
        maxLength: 9,
      },
    );
    const statement = fc.tuple(
      fc.constantFrom("SELECT '1'", 'SELECT 1', "SELECT 'a", 'SELECT `a', 'SELECT 1 /*'),
      pieces,
    );
    let passed = 0;
    await fc.assert(
      fc.asyncProperty(statement, async ([head, tail]) => {
        const answer = await ask('grafana', `${head}${tail.join('')}`);
        if (answer.code === 0) passed++;
        expect(answer.text.split('DB::Exception')[0]).not.toContain(SECRET);
      }),
      { numRuns: 1_500 },
    );
    expect(passed).toBeGreaterThan(20);
    expect(readdirSync(server.directory)).not.toContain('pwned');
    expect((await ask('reader', 'SELECT count() FROM flows')).text).toBe('1000\n');
  }, 120_000);
});
