import { FLOW_FIELDS } from '@flowledger/model';
import type { Column, ColumnBatch, FieldSpec } from '@flowledger/model';
import { MIGRATIONS, startTestStore } from '@flowledger/testkit';
import type { TestStore } from '@flowledger/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from './migrate.js';
import type { ColumnStore, ParamValue } from './port.js';

const variables = { RAW_TTL_DAYS: 20_000, ROLLUP_TTL_DAYS: 20_000, HOUR_TTL_DAYS: 20_000 };
const DAY_NS = 86_400_000_000_000n;
const START_NS = 1_700_000_000_000_000_000n;

let server: TestStore;
let store: ColumnStore;
const rows = async <Row>(sql: string, params: Record<string, ParamValue> = {}) =>
  (await store.query<Row>({ name: 'test', sql, params, settings: {} })).rows;
const run = (sql: string) => store.command({ name: 'test', sql, params: {}, settings: {} });
const utf8 = (text: string) => new Uint8Array(Buffer.from(text, 'utf8'));

const WORDS = ['', ...Array.from({ length: 199 }, (_, i) => `value-${i}`)].map(utf8);
const WIDTH: Readonly<Record<string, number>> = {
  UInt8: 1,
  Int8: 1,
  UInt16: 2,
  Int16: 2,
  UInt32: 4,
  Int32: 4,
  UUID: 16,
  IPv6: 16,
};

/** Plausible content for one column of `flows`: repeated strings, times that advance, small numbers. */
function column({ column: name, type }: FieldSpec, count: number, seed: number, days: number): Column {
  const indices = (n: number): Uint32Array =>
    Uint32Array.from({ length: n }, (_, i) => (i * 7 + seed) % WORDS.length);
  if (type === 'LowCardinality(String)')
    return { kind: 'dictionary', name, type, dictionary: WORDS, indices: indices(count) };
  if (type === 'String')
    return { kind: 'bytes', name, type, ends: new Uint32Array(count), data: new Uint8Array() };
  if (type === 'Array(LowCardinality(String))' || type === 'Array(String)') {
    const items: Column =
      type === 'Array(String)'
        ? { kind: 'bytes', name: '', type: 'String', ends: new Uint32Array(), data: new Uint8Array() }
        : {
            kind: 'dictionary',
            name: '',
            type: 'LowCardinality(String)',
            dictionary: WORDS,
            indices: indices(count),
          };
    const ends =
      type === 'Array(String)'
        ? new Uint32Array(count)
        : Uint32Array.from({ length: count }, (_, i) => i + 1);
    return { kind: 'array', name, type, ends, items };
  }
  const width = WIDTH[type] ?? 8;
  const data = new Uint8Array(count * width);
  const view = new DataView(data.buffer);
  for (let i = 0; i < count; i++) {
    const step = (BigInt(days) * DAY_NS * BigInt(i)) / BigInt(count);
    if (name === 'bucket_time') view.setBigInt64(i * 8, START_NS + BigInt(seed) * 1_000_000n + step, true);
    else if (name === '_lo') view.setBigUint64(i * 8, BigInt(seed), true);
    else if (name === '_li') view.setUint32(i * 4, i, true);
    else if (name === 'weight') view.setBigUint64(i * 8, 1n, true);
    else if (name === 'l7_type') view.setInt16(i * 2, 2, true);
    else data[i * width] = (i + seed) % 3;
  }
  return { kind: 'fixed', name, type, data };
}

function flows(count: number, seed: number, days = 0): ColumnBatch {
  return {
    table: 'flows',
    rows: count,
    columns: FLOW_FIELDS.map((field) => column(field, count, seed, days)),
  };
}

beforeAll(async () => {
  server = await startTestStore();
  store = server.store();
  const { url, database } = server;
  const connection = { url, database, user: 'writer', password: server.password('writer') };
  await migrate(connection, { directory: MIGRATIONS, variables });
});
afterAll(() => server.stop());

describe('insert', () => {
  it('makes one part per table partition, in the table and in its rollups', async () => {
    await run('SYSTEM STOP MERGES');
    await store.insert(flows(60_000, 1, 2), { token: 'parts' });
    const parts = await rows<{ table: string; parts: string; partitions: string; rows: string }>(
      `SELECT table, toString(count()) AS parts, toString(uniqExact(partition)) AS partitions, toString(sum(rows)) AS rows
       FROM system.parts WHERE active AND database = currentDatabase() AND table IN ('flows', 'red_1m', 'edges_1m')
       GROUP BY table ORDER BY table`,
    );
    expect(parts.map((part) => part.table)).toEqual(['edges_1m', 'flows', 'red_1m']);
    for (const part of parts) expect(part.parts).toBe(part.partitions);
    expect(parts[1]).toMatchObject({ rows: '60000' });
    await run('SYSTEM START MERGES');
  });

  it('applies a batch once however often it is sent under one token, rollups included', async () => {
    const count = () =>
      rows(`SELECT (SELECT count() FROM flows) AS raw, (SELECT sum(requests) FROM red_1m) AS requests`);
    const before = await count();
    await store.insert(flows(500, 2), { token: 'once' });
    const after = await count();
    expect(after).not.toEqual(before);
    await store.insert(flows(500, 2), { token: 'once' });
    expect(await count()).toEqual(after);
  });

  it('keeps every row of equal batches that are really two, under two tokens', async () => {
    const [before] = await rows<{ n: string }>('SELECT count() AS n FROM flows');
    await store.insert(flows(500, 3), { token: 'first of two' });
    await store.insert(flows(500, 3), { token: 'second of two' });
    const [after] = await rows<{ n: string }>('SELECT count() AS n FROM flows');
    expect(Number(after?.n) - Number(before?.n)).toBe(1_000);
  });

  it('does nothing for an empty batch', async () => {
    await expect(store.insert(flows(0, 4), { token: 'empty' })).resolves.toBeUndefined();
  });

  it('refuses for certain what the table cannot take', async () => {
    await run('CREATE TABLE numbers_only (n UInt8) ENGINE = MergeTree ORDER BY n');
    const words: Column = {
      kind: 'dictionary',
      name: 'n',
      type: 'LowCardinality(String)',
      dictionary: WORDS,
      indices: Uint32Array.of(1),
    };
    const batch = { table: 'numbers_only', rows: 1, columns: [words] };
    await expect(store.insert(batch, { token: 'words' })).rejects.toMatchObject({
      code: 'STORE_REJECTED',
      retry: false,
    });
  });

  it('does not call a batch bad because a table is missing', async () => {
    const batch = { ...flows(1, 5), table: 'not_there' };
    await expect(store.insert(batch, { token: 'missing' })).rejects.toMatchObject({
      code: 'STORE_UNCERTAIN',
      retry: true,
      details: { code: 60 },
    });
  });

  it('refuses a batch that touches more than 16 table partitions', async () => {
    await expect(store.insert(flows(1_000, 6, 40), { token: 'spread' })).rejects.toMatchObject({
      code: 'STORE_UNCERTAIN',
      details: { code: 252 },
    });
  });

  it('is fast enough for the loader', async () => {
    const batches = Array.from({ length: 4 }, (_, i) => flows(60_000, 10 + i));
    const begin = performance.now();
    for (const [i, batch] of batches.entries()) await store.insert(batch, { token: `fast-${i}` });
    const rate = (240_000 / (performance.now() - begin)) * 1_000;
    const { rssBytes } = await server.server.stats();
    process.stdout.write(
      `insert: ${FLOW_FIELDS.length} columns, rollups on: ${Math.round(rate)} rows/s; store process ${Math.round(rssBytes / 1e6)} MB\n`,
    );
    expect(rate).toBeGreaterThan(10_000);
  });
});

describe('query', () => {
  it('binds every kind of parameter by value', async () => {
    const sql = `SELECT {big:UInt64} AS big, {text:String} AS text, {list:Array(String)} AS list, {none:Nullable(String)} AS none,
      {flag:Bool} AS flag, {time:DateTime64(9, 'UTC')} AS time, {pairs:Array(UInt32)} AS pairs`;
    const text = `'; DROP TABLE flows; --\\\t\n"\u00e9`;
    const params = {
      big: 18_446_744_073_709_551_615n,
      text,
      list: [text, '', 'b'],
      none: null,
      flag: true,
      time: '2023-11-14 22:13:20.123456789',
      pairs: [1, 2],
    };
    expect(await rows(sql, params)).toEqual([
      {
        big: '18446744073709551615',
        text,
        list: [text, '', 'b'],
        none: null,
        flag: true,
        time: params.time,
        pairs: [1, 2],
      },
    ]);
  });

  it('says how much was read and how long it took', async () => {
    const plan = {
      name: 'test',
      sql: 'SELECT toString(sum(weight)) AS n FROM flows',
      params: {},
      settings: {},
    };
    const result = await store.query<{ n: string }>(plan);
    expect(result.rowsRead).toBe(Number(result.rows[0]?.n));
    expect(result.bytesRead).toBeGreaterThan(0);
    expect(result.elapsedMs).toBeGreaterThan(0);
  });

  it.each([
    ['TIMEOUT', 'SELECT sleepEachRow(0.05) FROM numbers(1000)', { max_execution_time: 0.2 }],
    ['TOO_LARGE', 'SELECT number FROM numbers(1000)', { max_result_rows: 10 }],
    ['TOO_LARGE', 'SELECT count() FROM numbers(100000000)', { max_rows_to_read: 1_000 }],
    ['TOO_LARGE', 'SELECT groupArray(number) FROM numbers(10000000)', { max_memory_usage: 10_000_000 }],
    ['INVALID_ARGUMENT', "SELECT match('a', '(')", {}],
    ['NOT_FOUND', 'SELECT * FROM not_there', {}],
  ])('fails with %s for %s', async (code, sql, settings) => {
    const plan = { name: 'test', sql, params: {}, settings };
    await expect(store.query(plan)).rejects.toMatchObject({ code });
  });

  it('stops the engine when it is cancelled', async () => {
    const reader = server.store('reader');
    const sql = 'SELECT count() AS n FROM numbers(1000000000000) WHERE sipHash64(number) = 1';
    const cancel = new AbortController();
    const busy = (): Promise<boolean> => server.server.stats().then((stats) => stats.running > 0);
    const query = reader.query({ name: 'long', sql, params: {}, settings: {} }, cancel.signal);
    const failed = expect(query).rejects.toMatchObject({ code: 'CANCELLED', retry: false });
    await expect.poll(busy).toBe(true);
    cancel.abort();
    await failed;
    await expect.poll(busy, { timeout: 20_000 }).toBe(false);
  });

  it('keeps one query’s settings from the next', async () => {
    const ask = (settings: Record<string, number>) =>
      store.query<{ v: string }>({
        name: 'test',
        sql: "SELECT value AS v FROM system.settings WHERE name = 'max_block_size'",
        params: {},
        settings,
      });
    const [usual] = (await ask({})).rows;
    const changed = await Promise.all([1, 2, 3, 4].map((n) => ask({ max_block_size: 1_000 + n })));
    expect(changed.map((result) => result.rows[0]?.v)).toEqual(['1001', '1002', '1003', '1004']);
    expect((await ask({})).rows).toEqual([usual]);
  });

  it('answers its version, and says when nobody answers', async () => {
    expect(await store.version()).toMatch(/^\d+\.\d+/);
  });
});
