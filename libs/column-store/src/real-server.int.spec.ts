import { encodeEnvelope, Projection } from '@flowledger/model';
import type { Column, FixedColumn, ProjectedBatches } from '@flowledger/model';
import { Simulation } from '@flowledger/simulator';
import { MIGRATIONS, announceSkip, findRealStore, startRealStore } from '@flowledger/testkit';
import type { RealStore } from '@flowledger/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from './migrate.js';
import { openColumnStore } from './open-column-store.js';
import type { ColumnStore, ParamValue } from './port.js';

// What the embedded engine's endpoint is tested for, on a real server: the client speaks to both and must not notice.

const variables = { RAW_TTL_DAYS: 20_000, ROLLUP_TTL_DAYS: 20_000, HOUR_TTL_DAYS: 20_000 };
const START_S = 1_790_000_000;
const START_LIMIT_MS = 300_000;

const source = await findRealStore();
if (source.kind === 'none') announceSkip('ClickHouse', source.reason);

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'utf8'));
const plan = (sql: string, params: Record<string, ParamValue> = {}) => ({
  name: 'test',
  sql,
  params,
  settings: {},
});

/** Rows as the loader would write them, from simulated traffic: every kind of column, HTTP, DNS and drops. */
function projected(): ProjectedBatches {
  const from = BigInt(START_S) * 1_000_000_000n;
  const window = { from, to: from + 20_000_000_000n, callsPerSecond: 30 };
  const events = [...new Simulation({ seed: 3, ...window, scenario: 'test' }).events()].map((e) => e.bytes);
  const header = {
    version: 1,
    tenant: 'default',
    cluster: 'demo',
    stream: 'node-1',
    source: 'relay',
  } as const;
  const value = encodeEnvelope(
    {
      ...header,
      codec: 'hubble.get_flows_response',
      count: events.length,
      receivedMs: (START_S + 30) * 1_000,
    },
    events,
  );
  const projection = new Projection({
    logEpoch: 7n,
    partition: 0,
    rawTtlMs: 30 * 86_400_000,
    isDuplicate: () => false,
  });
  projection.add({ offset: 0n, value });
  return projection.take();
}

function fixed(name: string, type: FixedColumn['type'], data: ArrayBufferView): FixedColumn {
  return { kind: 'fixed', name, type, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

describe.skipIf(source.kind === 'none')('a real ClickHouse server', () => {
  let server: RealStore;
  let store: ColumnStore;
  const rows = async <Row>(sql: string, params: Record<string, ParamValue> = {}) =>
    (await store.query<Row>(plan(sql, params))).rows;

  beforeAll(async () => {
    if (source.kind === 'none') return;
    server = await startRealStore(source);
    store = await server.database('client');
  }, START_LIMIT_MS);
  afterAll(() => server.stop(), 60_000);

  it('takes the migrations once and says its version', async () => {
    const shipped = { directory: MIGRATIONS, variables };
    const first = await migrate(server.connection('client'), shipped);
    expect(first.applied).toBeGreaterThan(first.version);
    expect(await migrate(server.connection('client'), shipped)).toEqual({ ...first, applied: 0 });
    expect(await store.version()).toMatch(/^\d+\.\d+/);
  });

  it('lets one of several migration runners work at a time', async () => {
    const results = await Promise.all(
      [1, 2].map(() => migrate(server.connection('shared'), { directory: MIGRATIONS, variables })),
    );
    expect(results.map((result) => result.applied).filter((applied) => applied > 0)).toHaveLength(1);
  });

  it('takes the batches of the loader once a token, rollups included', async () => {
    const { flows, events, labelSets, endpoints } = projected();
    expect(flows.rows).toBeGreaterThan(500);
    for (const batch of [labelSets, endpoints, flows, events, flows, events])
      await store.insert(batch, { token: `batch/${batch.table}` });
    const [counts] = await rows<Record<string, string>>(
      `SELECT (SELECT count() FROM flows) AS flows, (SELECT sum(flows) FROM edges_1m) AS edges,
        (SELECT sum(requests) FROM red_1m) AS red, (SELECT sum(drops) FROM drops_1m) AS drops,
        (SELECT toString(sum(weight)) FROM flows WHERE l7_type = 2) AS requests,
        (SELECT toString(sum(weight)) FROM flows WHERE is_drop) AS dropped`,
    );
    expect(counts).toMatchObject({ flows: String(flows.rows), edges: String(flows.rows) });
    expect(counts?.['red']).toBe(counts?.['requests']);
    expect(counts?.['drops']).toBe(counts?.['dropped']);
    expect(Number(counts?.['requests'])).toBeGreaterThan(0);
  });

  it('brings every column type to the table with its value', async () => {
    await store.command(
      plan(`CREATE TABLE every_type (a UInt8, b Int64, c DateTime64(9, 'UTC'), d IPv6, e UUID, f LowCardinality(String),
        g String, h Array(LowCardinality(String)), i Array(String)) ENGINE = MergeTree ORDER BY a`),
    );
    const words: Column = {
      kind: 'dictionary',
      name: 'f',
      type: 'LowCardinality(String)',
      dictionary: ['', 'é'].map(bytes),
      indices: Uint32Array.of(1, 0),
    };
    const plain: Column = {
      kind: 'bytes',
      name: 'g',
      type: 'String',
      ends: Uint32Array.of(3, 3),
      data: bytes('a\0b'),
    };
    const ends = Uint32Array.of(2, 2);
    const columns: Column[] = [
      fixed('a', 'UInt8', Uint8Array.of(1, 2)),
      fixed('b', 'Int64', BigInt64Array.of(-9_223_372_036_854_775_808n, 0n)),
      fixed('c', "DateTime64(9, 'UTC')", BigInt64Array.of(1_700_000_000_123_456_789n, 0n)),
      fixed(
        'd',
        'IPv6',
        Uint8Array.from({ length: 32 }, (_, i) => (i < 16 ? i + 1 : 0)),
      ),
      // Two little-endian UInt64, the high one first.
      fixed('e', 'UUID', BigUint64Array.of(0x0011223344556677n, 0x8899aabbccddeeffn, 0n, 0n)),
      words,
      plain,
      { kind: 'array', name: 'h', type: 'Array(LowCardinality(String))', ends, items: words },
      {
        kind: 'array',
        name: 'i',
        type: 'Array(String)',
        ends,
        items: { ...plain, ends: Uint32Array.of(1, 3) },
      },
    ];
    await store.insert({ table: 'every_type', rows: 2, columns }, { token: 'every' });
    const [first, second] = await rows<object>('SELECT * FROM every_type ORDER BY a');
    expect(first).toEqual({
      a: 1,
      b: '-9223372036854775808',
      c: '2023-11-14 22:13:20.123456789',
      d: '102:304:506:708:90a:b0c:d0e:f10',
      e: '00112233-4455-6677-8899-aabbccddeeff',
      f: 'é',
      g: 'a\0b',
      h: ['é', ''],
      i: ['a', '\0b'],
    });
    expect(second).toMatchObject({ b: '0', d: '::', f: '', g: '', h: [], i: [] });
  });

  it('binds parameters by value and says what a query read', async () => {
    const text = `'; DROP TABLE flows; --\\\t\n"é`;
    const params = { big: 18_446_744_073_709_551_615n, text, list: [text, ''], none: null, flag: true };
    const sql =
      'SELECT {big:UInt64} AS big, {text:String} AS text, {list:Array(String)} AS list, {none:Nullable(String)} AS none, {flag:Bool} AS flag';
    expect(await rows(sql, params)).toEqual([{ ...params, big: '18446744073709551615' }]);
    const read = await store.query(plan('SELECT sum(number) AS n FROM numbers(1000)'));
    expect(read.rowsRead).toBe(1_000);
    expect(read.elapsedMs).toBeGreaterThan(0);
  });

  it.each([
    ['TIMEOUT', 'SELECT sleepEachRow(0.05) FROM numbers(1000)', { max_execution_time: 0.2 }],
    ['TOO_LARGE', 'SELECT number FROM numbers(1000)', { max_result_rows: 10 }],
    ['TOO_LARGE', 'SELECT count() FROM numbers(100000000)', { max_rows_to_read: 1_000 }],
    ['TOO_LARGE', 'SELECT groupArray(number) FROM numbers(10000000)', { max_memory_usage: 10_000_000 }],
    ['INVALID_ARGUMENT', "SELECT match('a', '(')", {}],
    ['NOT_FOUND', 'SELECT * FROM not_there', {}],
  ])('fails a query with %s for %s', async (code, sql, settings) => {
    await expect(store.query({ ...plan(sql), settings })).rejects.toMatchObject({ code });
  });

  it('says whether a refused insert was refused for certain', async () => {
    await store.command(plan('CREATE TABLE numbers_only (n UInt8) ENGINE = MergeTree ORDER BY n'));
    const indices = Uint32Array.of(1);
    const type = 'LowCardinality(String)';
    const words: Column = { kind: 'dictionary', name: 'n', type, dictionary: ['', 'x'].map(bytes), indices };
    const batch = { table: 'numbers_only', rows: 1, columns: [words] };
    await expect(store.insert(batch, { token: 'words' })).rejects.toMatchObject({
      code: 'STORE_REJECTED',
      retry: false,
    });
    await expect(store.insert({ ...batch, table: 'gone' }, { token: 'gone' })).rejects.toMatchObject({
      code: 'STORE_UNCERTAIN',
      details: { code: 60 },
    });
  });

  it('refuses a wrong password, and ends a cancelled query', async () => {
    const stranger = openColumnStore({ ...server.connection('client'), password: 'wrong' });
    await expect(stranger.version()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', retry: false });
    await stranger.close();
    const cancel = new AbortController();
    const endless = 'SELECT count() AS n FROM numbers(1000000000000) WHERE sipHash64(number) = 1';
    const running = async (): Promise<string | undefined> => {
      const sql = `SELECT toString(count()) AS n FROM system.processes WHERE query LIKE '%sipHash64(number) = 1%' AND query NOT LIKE '%system.processes%'`;
      return (await rows<{ n: string }>(sql))[0]?.n;
    };
    const query = store.query(plan(endless), cancel.signal);
    const failed = expect(query).rejects.toMatchObject({ code: 'CANCELLED', retry: false });
    await expect.poll(running).toBe('1');
    cancel.abort();
    await failed;
    await expect.poll(running, { timeout: 20_000 }).toBe('0');
  });
});
