import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MIGRATIONS, startTestStore } from '@flowledger/testkit';
import type { TestStore } from '@flowledger/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from './migrate.js';
import type { MigrateOptions, MigrationStep } from './migrate.js';
import type { ColumnStoreOptions } from './open-column-store.js';

const variables = { RAW_TTL_DAYS: 7, ROLLUP_TTL_DAYS: 90, HOUR_TTL_DAYS: 400 };

let server: TestStore;
let directory: string;
const connection = (database: string): ColumnStoreOptions => ({
  url: server.url,
  user: 'writer',
  password: server.password('writer'),
  database,
});
const shipped = (more: Partial<MigrateOptions> = {}): MigrateOptions => ({
  directory: MIGRATIONS,
  variables,
  ...more,
});
const own = (more: Partial<MigrateOptions> = {}): MigrateOptions => ({ directory, ...more });
const write = async (files: Record<string, string>): Promise<void> => {
  for (const name of await readdir(directory)) await rm(join(directory, name));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
};

async function tables(database: string): Promise<Map<string, string>> {
  const sql = `SELECT name, create_table_query AS sql FROM system.tables
    WHERE database = {database:String} AND name NOT LIKE 'schema\\_%' ORDER BY name`;
  const plan = { name: 'test', sql, params: { database }, settings: {} };
  const { rows } = await server.store('writer', 'default').query<{ name: string; sql: string }>(plan);
  return new Map(rows.map((row) => [row.name, row.sql.replaceAll(`${database}.`, '')]));
}

beforeAll(async () => {
  server = await startTestStore();
  directory = await mkdtemp(join(tmpdir(), 'flowledger-migrations-'));
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('migrate', () => {
  it('makes the database and its tables, and does nothing the second time', async () => {
    const first = await migrate(connection('fresh'), shipped());
    expect(first.applied).toBeGreaterThan(first.version);
    expect([...(await tables('fresh')).keys()]).toContain('flows');
    expect(await migrate(connection('fresh'), shipped())).toEqual({ version: first.version, applied: 0 });
  });

  it('gives the same tables however often it is stopped between a statement and its record', async () => {
    const stopped = new Set<string>();
    const stop = ({ version, statement, phase }: MigrationStep): void => {
      if (phase !== 'ran' || stopped.has(`${version}/${statement}`)) return;
      stopped.add(`${version}/${statement}`);
      throw new Error('killed');
    };
    let done = false;
    while (!done) {
      done = await migrate(connection('interrupted'), shipped({ onStep: stop })).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ message: 'killed' });
          return false;
        },
      );
    }
    await migrate(connection('straight'), shipped());
    expect(stopped.size).toBeGreaterThan(10);
    expect(await tables('interrupted')).toEqual(await tables('straight'));
  });

  it('fills the hours of edges from what there was, however often it is stopped, and only once', async () => {
    const names = (await readdir(MIGRATIONS)).toSorted();
    const before = names.filter((name) => name < '0013');
    await write(
      Object.fromEntries(before.map((name) => [name, readFileSync(join(MIGRATIONS, name), 'utf8')])),
    );
    await migrate(connection('upgraded'), own({ variables }));
    const store = server.store('writer', 'upgraded');
    const insert = `INSERT INTO edges_1m (tenant, cluster, bucket, server_workload, flows, drops, first_seen, last_seen)
      SELECT 'default', 'c', now() - 60 * number, toString(number % 7), 2, 1, now64(9) - number, now64(9) FROM numbers(1000)`;
    await store.command({ name: 'test', sql: insert, params: {}, settings: {} });
    const calls = `INSERT INTO red_1h (tenant, cluster, bucket, server_workload, endpoint, requests, latency_max_ns, latency_histogram)
      SELECT 'default', 'c', toStartOfHour(now()) - 3600 * (number % 3000), toString(number % 7), toString(number % 11), 3, number,
        map(toUInt16(number % 5), 3) FROM numbers(20000)`;
    await store.command({ name: 'test', sql: calls, params: {}, settings: {} });
    const stopped = new Set<string>();
    const filling = [13, 16];
    const onStep = ({ version, statement, phase }: MigrationStep): void => {
      const step = `${version} ${statement}`;
      if (phase !== 'ran' || !filling.includes(version) || stopped.has(step)) return;
      stopped.add(step);
      throw new Error('killed');
    };
    for (let kills = 0; kills < 8; kills++)
      await expect(migrate(connection('upgraded'), shipped({ onStep }))).rejects.toThrow('killed');
    await migrate(connection('upgraded'), shipped({ onStep }));
    const sums = (table: string): string =>
      `SELECT toStartOfHour(bucket) AS hour, server_workload, sum(flows) AS f, sum(drops) AS d, min(first_seen) AS a,
        max(last_seen) AS z FROM ${table} GROUP BY ALL ORDER BY ALL`;
    const read = async (table: string): Promise<readonly object[]> =>
      (await store.query<object>({ name: 'test', sql: sums(table), params: {}, settings: {} })).rows;
    const hours = await read('edges_1h');
    expect(hours.length).toBeGreaterThan(100);
    expect(hours).toEqual(await read('edges_1m'));
    const redSums = (table: string): string =>
      `SELECT bucket, server_workload, sum(requests) AS r, max(latency_max_ns) AS m, sumMap(latency_histogram) AS h
        FROM ${table} GROUP BY ALL ORDER BY ALL`;
    const readRed = async (table: string): Promise<readonly object[]> =>
      (await store.query<object>({ name: 'test', sql: redSums(table), params: {}, settings: {} })).rows;
    const edges = await readRed('red_edges_1h');
    expect(edges.length).toBeGreaterThan(1000);
    expect(edges).toEqual(await readRed('red_1h'));
  });

  it('refuses a script that was changed after it was applied', async () => {
    await write({ '0001_a.sql': 'CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Memory' });
    await migrate(connection('changed'), own());
    await write({ '0001_a.sql': 'CREATE TABLE IF NOT EXISTS a (x UInt16) ENGINE = Memory' });
    await expect(migrate(connection('changed'), own())).rejects.toMatchObject({
      code: 'CONFLICT',
      retry: false,
      message: 'migration 0001_a was changed after it was applied',
    });
  });

  it('refuses a database that is newer than the program', async () => {
    const a = { '0001_a.sql': 'CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Memory' };
    await write({ ...a, '0002_b.sql': 'CREATE TABLE IF NOT EXISTS b (x UInt8) ENGINE = Memory' });
    await migrate(connection('newer'), own());
    await write(a);
    await expect(migrate(connection('newer'), own())).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'migration 0002_b is in the database but not in this program, which is older',
    });
  });

  it('touches nothing when a script cannot be rendered', async () => {
    await write({ '0001_a.sql': 'CREATE TABLE a (x UInt8) ENGINE = {{NOPE}}' });
    await expect(migrate(connection('unrendered'), own())).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect((await tables('unrendered')).size).toBe(0);
  });

  it('lets one of several runners work at a time, and all of them end well', async () => {
    let inside = 0;
    let most = 0;
    const onStep = async ({ phase }: MigrationStep): Promise<void> => {
      inside += phase === 'start' ? 1 : phase === 'recorded' ? -1 : 0;
      most = Math.max(most, inside);
    };
    const results = await Promise.all(
      [1, 2, 3].map(() => migrate(connection('shared'), shipped({ onStep }))),
    );
    expect(most).toBe(1);
    const applied = results.map((result) => result.applied).sort((a, b) => a - b);
    expect(applied.slice(0, 2)).toEqual([0, 0]);
    expect(applied[2]).toBeGreaterThan(10);
  });

  it('takes over a lock whose owner has vanished, and stops the owner when it comes back', async () => {
    await write({
      '0001_a.sql': 'CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Memory; SELECT 1; SELECT 2',
    });
    let wake = (): void => undefined;
    const asleep = new Promise<void>((resolve) => (wake = resolve));
    let started = (): void => undefined;
    const sleeping = new Promise<void>((resolve) => (started = resolve));
    const sleepy = migrate(connection('abandoned'), {
      ...own({ lockTtlSeconds: 1 }),
      onStep: async ({ statement, phase }) => {
        if (statement !== 0 || phase !== 'ran') return;
        started();
        await asleep;
      },
    }).catch((error: unknown) => error);
    await sleeping;
    expect(await migrate(connection('abandoned'), own())).toEqual({ version: 1, applied: 3 });
    wake();
    expect(await sleepy).toMatchObject({ code: 'LEASE_LOST', retry: true });
  });

  it('gives up waiting for a lock that is in use', async () => {
    await write({ '0001_a.sql': 'CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Memory' });
    let refused: unknown;
    await migrate(connection('busy'), {
      ...own(),
      onStep: async ({ phase }) => {
        if (phase === 'ran')
          refused = await migrate(connection('busy'), own({ lockWaitMs: 0 })).catch((e: unknown) => e);
      },
    });
    expect(refused).toMatchObject({ code: 'CONFLICT', retry: true });
  });
});
