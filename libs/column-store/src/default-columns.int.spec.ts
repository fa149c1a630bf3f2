import { MIGRATIONS, startTestStore } from '@flowledger/testkit';
import type { TestStore } from '@flowledger/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrate } from './migrate.js';
import type { ColumnStore } from './port.js';

let server: TestStore;
let store: ColumnStore;

beforeAll(async () => {
  server = await startTestStore();
  store = server.store();
});
afterAll(() => server.stop());

const rows = async <Row>(sql: string) =>
  (await store.query<Row>({ name: 'test', sql, params: {}, settings: {} })).rows;

it('may leave columns out of an insert, because no table gives one a DEFAULT of its own', async () => {
  const { url, database } = server;
  const connection = { url, user: 'writer', password: server.password('writer'), database };
  const variables = { RAW_TTL_DAYS: 14, ROLLUP_TTL_DAYS: 90, HOUR_TTL_DAYS: 400 };
  await migrate(connection, { directory: MIGRATIONS, variables });
  const made = await rows<{ name: string }>(
    `SELECT concat(table, '.', name) AS name FROM system.columns
     WHERE database = currentDatabase() AND table IN ('flows', 'events', 'label_sets', 'endpoints', 'dead_letters', 'skipped_events',
       'load_ledger', 'load_repairs') AND default_kind NOT IN ('', 'ALIAS')`,
  );
  expect(made).toEqual([]);
});

it('stores rows of which some columns were left out as if they had been sent', async () => {
  const sql = `CREATE TABLE partly (id UInt16, zero UInt64, word LowCardinality(String), text String, ip IPv6, uuid UUID,
    seen DateTime64(9, 'UTC')) ENGINE = MergeTree ORDER BY id`;
  await store.command({ name: 'test', sql, params: {}, settings: {} });
  const zeros = (name: string, type: 'UInt64' | 'IPv6' | 'UUID' | "DateTime64(9, 'UTC')", width: number) =>
    ({ kind: 'fixed', name, type, data: new Uint8Array(2 * width) }) as const;
  const none = new Uint8Array(0);
  const batch = {
    table: 'partly',
    rows: 2,
    columns: [
      { kind: 'fixed', name: 'id', type: 'UInt16', data: Uint8Array.of(1, 0, 2, 0) },
      zeros('zero', 'UInt64', 8),
      {
        kind: 'dictionary',
        name: 'word',
        type: 'LowCardinality(String)',
        dictionary: [none],
        indices: new Uint32Array(2),
      },
      { kind: 'bytes', name: 'text', type: 'String', ends: new Uint32Array(2), data: none },
      zeros('ip', 'IPv6', 16),
      zeros('uuid', 'UUID', 16),
      zeros('seen', "DateTime64(9, 'UTC')", 8),
    ],
  } as const;
  await store.insert(batch, { token: 'partly' });
  const nothing = {
    zero: '0',
    word: '',
    text: '',
    ip: '::',
    uuid: '00000000-0000-0000-0000-000000000000',
    seen: '1970-01-01 00:00:00.000000000',
  };
  expect(await rows('SELECT * FROM partly ORDER BY id')).toEqual([
    { id: 1, ...nothing },
    { id: 2, ...nothing },
  ]);
});
