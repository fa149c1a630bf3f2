import { describe, expect, it } from 'vitest';
import { readMigrations, renderMigration } from './migration.js';

const SCRIPT = `-- Things; with a comment.
CREATE TABLE IF NOT EXISTS things{{ON_CLUSTER}} (a UInt8, s String DEFAULT ';--')
ENGINE = {{ENGINE:ReplacingMergeTree(done)}} ORDER BY a TTL d + toIntervalDay({{DAYS}});
{{CLUSTER_ONLY}} CREATE TABLE IF NOT EXISTS things_all{{ON_CLUSTER}} AS things
ENGINE = Distributed({{CLUSTER}}, currentDatabase(), things, a);
CREATE TABLE IF NOT EXISTS plain{{ON_CLUSTER}} (a UInt8) ENGINE = {{ENGINE:MergeTree}} ORDER BY a;
`;

describe('renderMigration', () => {
  it('renders a script for a single node', () => {
    expect(renderMigration(SCRIPT, { cluster: null, variables: { DAYS: 7 } })).toEqual([
      `CREATE TABLE IF NOT EXISTS things (a UInt8, s String DEFAULT ';--')
ENGINE = ReplacingMergeTree(done) ORDER BY a TTL d + toIntervalDay(7)`,
      'CREATE TABLE IF NOT EXISTS plain (a UInt8) ENGINE = MergeTree ORDER BY a',
    ]);
  });

  it('renders the same script for a cluster', () => {
    expect(renderMigration(SCRIPT, { cluster: "o'hare", variables: { DAYS: 7 } })).toEqual([
      `CREATE TABLE IF NOT EXISTS things ON CLUSTER 'o\\'hare' (a UInt8, s String DEFAULT ';--')
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', done) ORDER BY a TTL d + toIntervalDay(7)`,
      `CREATE TABLE IF NOT EXISTS things_all ON CLUSTER 'o\\'hare' AS things
ENGINE = Distributed('o\\'hare', currentDatabase(), things, a)`,
      `CREATE TABLE IF NOT EXISTS plain ON CLUSTER 'o\\'hare' (a UInt8) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}') ORDER BY a`,
    ]);
  });

  it.each([
    ['SELECT {{NOPE}}', 'unknown macro {{NOPE}}'],
    ['SELECT {{DAYS:1}}', 'unknown macro {{DAYS}}'],
    ['ENGINE = {{ENGINE:Memory}}', 'macro ENGINE: Memory is not a MergeTree engine'],
    ['SELECT {{HALF}}', 'macro {{HALF}} must be a whole number'],
  ])('refuses %s', (text, message) => {
    const render = () => renderMigration(text, { cluster: null, variables: { DAYS: 7, HALF: 0.5 } });
    expect(render).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message }));
  });
});

describe('readMigrations', () => {
  const files = (...names: string[]) => new Map(names.map((name) => [name, `-- ${name}`]));

  it('orders scripts by number and gives each its checksum', () => {
    const [first, second] = readMigrations(
      new Map([
        ['0002_b.sql', 'B'],
        ['0001_a.sql', 'A\r\n'],
      ]),
    );
    expect(first).toMatchObject({ version: 1, name: 'a', text: 'A\r\n' });
    expect(second).toMatchObject({ version: 2, name: 'b' });
    expect(first?.checksum).toBe(readMigrations(new Map([['0001_a.sql', 'A\n']]))[0]?.checksum);
    expect(first?.checksum).not.toBe(second?.checksum);
  });

  it.each([
    [['0001_a.sql', '0003_c.sql'], 'migration number 2 is missing or number 3 is given twice'],
    [['0001_a.sql', '0001_b.sql'], 'migration number 2 is missing or number 1 is given twice'],
    [['1_a.sql'], 'migration 1_a.sql: the name must be NNNN_name.sql'],
  ])('refuses %j', (names, message) => {
    expect(() => readMigrations(files(...names))).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message }),
    );
  });
});
