import { mkdtemp, rm } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { migrate, type ColumnStore } from '@flowledger/column-store';
import { AppError } from '@flowledger/platform';
import { EXPORT_COLUMNS } from '@flowledger/query';
import { MIGRATIONS, startTestStore } from '@flowledger/testkit';
import { exportFlows } from '../observe/export-flows.js';
import { readObserveWords } from '../observe/observe-words.js';
import { exportRoute, type ExportRouteOptions } from './export-route.js';
import { EXPORT_PATH } from './paths.js';

const DAY_NS = 86_400_000_000_000n;
/** Far from now, so that no retention touches the rows. */
const NOW_S = 3_472_070_400;
const NOW_NS = BigInt(NOW_S) * 1_000_000_000n;
const FLOWS = 300;

type Row = Readonly<Record<string, unknown>>;

describe('flows as a Parquet file', () => {
  let engine: Awaited<ReturnType<typeof startTestStore>>;
  let directory = '';
  let server: Server | undefined;

  beforeAll(async () => {
    engine = await startTestStore();
    directory = await mkdtemp(join(tmpdir(), 'parquet-'));
    const { url, database } = engine;
    await migrate(
      { url, user: 'writer', password: engine.password('writer'), database },
      { directory: MIGRATIONS, variables: { RAW_TTL_DAYS: 30, ROLLUP_TTL_DAYS: 90, HOUR_TTL_DAYS: 400 } },
    );
    await engine.store('writer').command({
      name: 'test_rows',
      sql: `INSERT INTO flows (tenant, cluster, node, bucket_time, time_shift, _lo, verdict, drop_reason, src_ip, dst_ip,
          src_namespace, src_pod, dst_port, l4_protocol, is_reply, l7_kind, l7_type, latency_ns, http_url, dst_names)
        SELECT 'default', if(number % 3 = 0, 'eu', 'us'), 'node-1', toDateTime64(${NOW_S - 3600}, 9, 'UTC') + number, number % 2, number,
          if(number % 5 = 0, 2, 1), if(number % 5 = 0, 133, 0), toIPv6('::ffff:10.0.0.1'), toIPv6('fd00::7'),
          if(number % 2 = 0, 'shop', 'web'), 'pod-1', 8080, 1, number % 3, 2, 2, number * 1000, 'http://a/б,"x"', ['a', 'b']
        FROM numbers(${FLOWS})`,
      params: {},
      settings: {},
    });
  });
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });
  afterAll(async () => {
    await engine.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function serve(more: Partial<ExportRouteOptions> = {}): Promise<string> {
    const handle = exportRoute({
      store: engine.store('reader'),
      tenant: 'default',
      retention: { rawNs: 30n * DAY_NS, minuteNs: 90n * DAY_NS, hourNs: 400n * DAY_NS },
      concurrent: 2,
      clock: { now: () => NOW_S * 1000, monotonic: () => 0, sleep: () => Promise.resolve() },
      ...more,
    });
    const made = createServer((request, response) => void handle(request, response));
    await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
    server = made;
    const address = made.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** Writes the file as the command does and reads it back with the engine. */
  async function exported(argv: readonly string[], url: string): Promise<readonly Row[]> {
    const path = join(directory, 'flows.parquet');
    const to = createWriteStream(path);
    const said: string[] = [];
    const words = readObserveWords([...argv, '-o', 'parquet'], NOW_NS);
    await exportFlows(words, { url, token: '', to, say: (text) => said.push(text) });
    await new Promise<void>((resolve) => to.end(resolve));
    const sql = `SELECT * FROM file('${path}', Parquet)`;
    const read = await engine
      .store('writer')
      .query<Row>({ name: 'read_back', sql, params: {}, settings: {} });
    return read.rows;
  }

  it('holds the rows of the table, in order, with names, texts and nulls', async () => {
    const rows = await exported(['--since', '2h'], await serve());
    expect(rows.map((row) => row['time'])).toEqual(rows.map((row) => row['time']).toSorted());
    expect(rows).toHaveLength(FLOWS);
    expect(Object.keys(rows[0] ?? {})).toEqual(EXPORT_COLUMNS);
    for (const [index, row] of rows.entries()) {
      expect(row).toMatchObject({
        cluster: index % 3 === 0 ? 'eu' : 'us',
        verdict: index % 5 === 0 ? 'DROPPED' : 'FORWARDED',
        drop_reason: index % 5 === 0 ? 'POLICY_DENIED' : '',
        is_reply: [null, false, true][index % 3],
        latency_ns: index === 0 ? null : String(index * 1000),
        src_ip: '10.0.0.1',
        dst_ip: 'fd00::7',
        src_namespace: index % 2 === 0 ? 'shop' : 'web',
        l4_protocol: 'TCP',
        dst_port: 8080,
        l7_type: 'RESPONSE',
        http_url: 'http://a/б,"x"',
        http_code: null,
        dns_rcode: null,
        dst_names: ['a', 'b'],
      });
      const second = new Date((NOW_S - 3600 + index) * 1000).toISOString().slice(0, 19).replace('T', ' ');
      expect(row['time']).toBe(`${second}.00000000${index % 2}`);
    }
  });

  it('takes filters and numbers as the other outputs do', async () => {
    const url = await serve();
    const of = async (argv: readonly string[]): Promise<readonly unknown[]> =>
      (await exported(argv, url)).map((row) => Number(row['latency_ns'] ?? 0) / 1000);
    expect(await of(['--last', '3'])).toEqual([297, 298, 299]);
    expect(await of(['--first', '3'])).toEqual([0, 1, 2]);
    expect(await of(['--since', '2h', '--verdict', 'DROPPED', '--from-pod', 'shop/pod'])).toEqual(
      Array.from({ length: 30 }, (_, i) => i * 10),
    );
    expect(await of(['--since', '2h', '--not', '--verdict', 'FORWARDED', '--last', '2'])).toEqual([290, 295]);
    expect(await of([])).toHaveLength(20);
    expect(await of(['--since', '50m', '--until', '49m'])).toEqual([]);
  });

  it('refuses what it cannot answer, with the field', async () => {
    const url = await serve({ most: 100 });
    await expect(exported(['--since', '2h'], url)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(exported(['--last', '101'], url)).rejects.toThrow('at most 100 flows');
    const status = async (query: string): Promise<readonly unknown[]> => {
      const response = await fetch(`${url}${EXPORT_PATH}?${query}`);
      const { field } = (await response.json()) as { field?: string };
      return [response.status, field];
    };
    expect(await status('limit=5')).toEqual([400, 'limit']);
    expect(await status('last=5&last=6')).toEqual([400, 'last']);
    expect(await status('last=-5')).toEqual([400, 'last']);
    expect(await status('since=9&until=8')).toEqual([400, 'window']);
    expect(await status('filters={')).toEqual([400, 'filters']);
    const filter = (json: object): string => `filters=${encodeURIComponent(JSON.stringify(json))}`;
    expect(await status(filter({ allow: [] }))).toEqual([400, 'filters']);
    expect(await status(filter({ allowlist: [{ nope: [1] }] }))).toEqual([400, 'filters.allowlist[0].nope']);
    expect(await status(filter({ denylist: [{ source_ip: ['x'] }] }))).toEqual([
      400,
      'filters.deny[0].sourceIp',
    ]);
  });

  it('says when the window begins before what is kept', async () => {
    const response = await fetch(`${await serve()}${EXPORT_PATH}?since=${NOW_NS - 100n * DAY_NS}&last=1`);
    expect(response.headers.get('flowledger-missing')).toMatch(/^flows before .* are no longer kept$/);
    await response.arrayBuffer();
  });

  it('lets only so many run at once, and ends the query of a client that goes away', async () => {
    let asked: AbortSignal | undefined;
    const store = Object.assign(Object.create(engine.store('reader')) as ColumnStore, {
      readParquet: (_: unknown, signal?: AbortSignal) => {
        asked = signal;
        return new Promise((_resolve, reject) =>
          signal?.addEventListener('abort', () =>
            reject(new AppError('CANCELLED', 'gone', { retry: false })),
          ),
        );
      },
    });
    const url = await serve({ store, concurrent: 1 });
    const stop = new AbortController();
    const first = fetch(`${url}${EXPORT_PATH}`, { signal: stop.signal }).catch(() => undefined);
    await expect.poll(() => asked).toBeDefined();
    expect((await fetch(`${url}${EXPORT_PATH}`)).status).toBe(503);
    stop.abort();
    await first;
    await expect.poll(() => asked?.aborted).toBe(true);
  });

  it('cuts the connection when the file of the store has no end', async () => {
    const store = Object.assign(Object.create(engine.store('reader')) as ColumnStore, {
      readParquet: () =>
        Promise.resolve(
          Readable.from([Buffer.from('PAR1'), Buffer.alloc(100_000), Buffer.from('Code: 241')]),
        ),
    });
    await expect(exported(['--last', '3'], await serve({ store }))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });
});
