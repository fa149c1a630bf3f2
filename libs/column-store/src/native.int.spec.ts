import type { ArrayColumn, Column, ColumnBatch, DictionaryColumn, FixedColumn } from '@flowledger/model';
import { startTestStore } from '@flowledger/testkit';
import type { TestStore } from '@flowledger/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ColumnStore } from './port.js';

let server: TestStore;
let store: ColumnStore;

beforeAll(async () => {
  server = await startTestStore();
  store = server.store();
});
afterAll(() => server.stop());

const run = (sql: string) => store.command({ name: 'test', sql, params: {}, settings: {} });
const rows = async <Row>(sql: string, params = {}) =>
  (await store.query<Row>({ name: 'test', sql, params, settings: {} })).rows;
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'utf8'));

function fixed(name: string, type: FixedColumn['type'], data: ArrayBufferView): FixedColumn {
  return { kind: 'fixed', name, type, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function dictionary(name: string, values: readonly string[]): DictionaryColumn {
  const distinct = ['', ...new Set(values.filter((value) => value !== ''))];
  const indices = Uint32Array.from(values, (value) => distinct.indexOf(value));
  return {
    kind: 'dictionary',
    name,
    type: 'LowCardinality(String)',
    dictionary: distinct.map(bytes),
    indices,
  };
}

function plain(name: string, values: readonly string[]): Extract<Column, { kind: 'bytes' }> {
  const data = Buffer.concat(values.map(bytes));
  let end = 0;
  const ends = Uint32Array.from(values, (value) => (end += bytes(value).length));
  return { kind: 'bytes', name, type: 'String', ends, data: new Uint8Array(data) };
}

function array(name: string, values: readonly (readonly string[])[], low: boolean): ArrayColumn {
  let end = 0;
  const ends = Uint32Array.from(values, (value) => (end += value.length));
  const items = low ? dictionary('', values.flat()) : plain('', values.flat());
  return { kind: 'array', name, type: low ? 'Array(LowCardinality(String))' : 'Array(String)', ends, items };
}

describe('Native blocks', () => {
  it('brings every fixed-width type to the table with its value', async () => {
    await run(`CREATE TABLE fixed_types (a UInt8, b Int8, c UInt16, d Int16, e UInt32, f Int32, g UInt64, h Int64,
      i DateTime('UTC'), j DateTime64(3, 'UTC'), k DateTime64(9, 'UTC'), l IPv6, m UUID) ENGINE = MergeTree ORDER BY a`);
    const uuid = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
    const uuidInMemory = Buffer.concat([uuid.subarray(0, 8).reverse(), uuid.subarray(8).reverse()]);
    const columns: Column[] = [
      fixed('a', 'UInt8', Uint8Array.of(255)),
      fixed('b', 'Int8', Int8Array.of(-128)),
      fixed('c', 'UInt16', Uint16Array.of(65_535)),
      fixed('d', 'Int16', Int16Array.of(-32_768)),
      fixed('e', 'UInt32', Uint32Array.of(4_294_967_295)),
      fixed('f', 'Int32', Int32Array.of(-2_147_483_648)),
      fixed('g', 'UInt64', BigUint64Array.of(18_446_744_073_709_551_615n)),
      fixed('h', 'Int64', BigInt64Array.of(-9_223_372_036_854_775_808n)),
      fixed('i', "DateTime('UTC')", Uint32Array.of(1_700_000_000)),
      fixed('j', "DateTime64(3, 'UTC')", BigInt64Array.of(1_700_000_000_123n)),
      fixed('k', "DateTime64(9, 'UTC')", BigInt64Array.of(1_700_000_000_123_456_789n)),
      fixed(
        'l',
        'IPv6',
        Uint8Array.from({ length: 16 }, (_, i) => i + 1),
      ),
      fixed('m', 'UUID', new Uint8Array(uuidInMemory)),
    ];
    await store.insert({ table: 'fixed_types', rows: 1, columns }, { token: 'fixed' });
    expect(await rows('SELECT * FROM fixed_types')).toEqual([
      {
        a: 255,
        b: -128,
        c: 65_535,
        d: -32_768,
        e: 4_294_967_295,
        f: -2_147_483_648,
        g: '18446744073709551615',
        h: '-9223372036854775808',
        i: '2023-11-14 22:13:20',
        j: '2023-11-14 22:13:20.123',
        k: '2023-11-14 22:13:20.123456789',
        l: '102:304:506:708:90a:b0c:d0e:f10',
        m: '00112233-4455-6677-8899-aabbccddeeff',
      },
    ]);
  });

  it('brings any strings, dictionaries and arrays to the table unchanged', async () => {
    await run(`CREATE TABLE text_types (n UInt32, s String, l LowCardinality(String), d String,
      al Array(LowCardinality(String)), ap Array(String)) ENGINE = MergeTree ORDER BY n`);
    const text = fc.oneof(
      fc.string({ maxLength: 12, unit: 'grapheme' }),
      fc.constantFrom('', '\n\n;DROP TABLE x', '\0'),
    );
    const row = fc.record({
      s: text,
      l: text,
      d: text,
      al: fc.array(text, { maxLength: 4 }),
      ap: fc.array(text, { maxLength: 4 }),
    });
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (given) => {
        const first = n;
        const columns = [
          fixed(
            'n',
            'UInt32',
            Uint32Array.from(given, () => n++),
          ),
          plain(
            's',
            given.map((r) => r.s),
          ),
          dictionary(
            'l',
            given.map((r) => r.l),
          ),
          dictionary(
            'd',
            given.map((r) => r.d),
          ),
          array(
            'al',
            given.map((r) => r.al),
            true,
          ),
          array(
            'ap',
            given.map((r) => r.ap),
            false,
          ),
        ];
        await store.insert({ table: 'text_types', rows: given.length, columns }, { token: `text-${first}` });
        const back = await rows(
          'SELECT s, l, d, al, ap FROM text_types WHERE n >= {first:UInt32} ORDER BY n',
          { first },
        );
        expect(back).toEqual(given);
      }),
      { numRuns: 25 },
    );
  });

  it('uses indexes wide enough for the dictionary at every border', async () => {
    await run('CREATE TABLE wide (n UInt32, l LowCardinality(String)) ENGINE = MergeTree ORDER BY n');
    for (const size of [1, 255, 256, 257, 65_536, 65_537, 70_000]) {
      const batch: ColumnBatch = {
        table: 'wide',
        rows: size,
        columns: [
          fixed(
            'n',
            'UInt32',
            Uint32Array.from({ length: size }, (_, i) => i),
          ),
          {
            kind: 'dictionary',
            name: 'l',
            type: 'LowCardinality(String)',
            dictionary: Array.from({ length: size }, (_, i) => bytes(i === 0 ? '' : `v${i}`)),
            indices: Uint32Array.from({ length: size }, (_, i) => i),
          },
        ],
      };
      await store.insert(batch, { token: `wide-${size}` });
      const wrong = await rows(
        `SELECT count() AS total, countIf(l != if(n = 0, '', concat('v', toString(n)))) AS wrong FROM wide`,
      );
      expect(wrong).toEqual([{ total: String(size), wrong: '0' }]);
      await run('TRUNCATE TABLE wide');
    }
  });

  it('refuses columns that do not agree about the rows, before anything is sent', async () => {
    const columns = [fixed('n', 'UInt32', Uint32Array.of(1, 2)), dictionary('l', ['x'])];
    await expect(store.insert({ table: 'wide', rows: 2, columns }, { token: 'bad' })).rejects.toMatchObject({
      code: 'INTERNAL',
      message: 'encode wide: column l has 1 rows, the batch has 2',
    });
  });
});
