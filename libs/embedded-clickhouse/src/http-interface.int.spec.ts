import { brotliCompressSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { request as httpRequest } from 'node:http';
import { startTestStore } from '@flowledger/testkit';
import type { TestStore } from '@flowledger/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let server: TestStore;
beforeAll(async () => {
  server = await startTestStore({ maxBodyBytes: 3_000_000 });
});
afterAll(() => server.stop());

interface Ask {
  readonly query?: Record<string, string>;
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly path?: string;
}

function ask({ query = {}, body, headers = {}, method, path = '/' }: Ask): Promise<Response> {
  const url = new URL(path, server.url);
  for (const [name, value] of Object.entries({ database: server.database, ...query }))
    url.searchParams.set(name, value);
  const auth = { 'X-ClickHouse-User': 'writer', 'X-ClickHouse-Key': server.password('writer') };
  const init = body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) };
  return fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...auth, ...headers },
    ...init,
  });
}

const text = async (given: Ask): Promise<string> => (await ask(given)).text();
const ok = async (sql: string): Promise<string> => {
  const response = await ask({ body: sql });
  const answer = await response.text();
  expect([response.status, answer]).toEqual([200, answer]);
  return answer;
};

describe('the HTTP interface', () => {
  it.each(['/ping', '/replicas_status', '/'])('says it is well at %s to anybody', async (path) => {
    const response = await fetch(new URL(path, server.url));
    expect([response.status, await response.text()]).toEqual([200, 'Ok.\n']);
  });

  it('takes a statement from the URL, from the body, or from both', async () => {
    expect(await text({ query: { query: 'SELECT 1' } })).toBe('1\n');
    expect(await text({ body: 'SELECT 2' })).toBe('2\n');
    expect(await text({ query: { query: 'SELECT' }, body: '3' })).toBe('3\n');
  });

  it('answers HEAD without a body, OPTIONS with what it takes, and refuses other methods and paths', async () => {
    const head = await ask({ method: 'HEAD', query: { query: 'SELECT 1' } });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const options = await ask({ method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, POST, OPTIONS']);
    expect((await ask({ method: 'DELETE' })).status).toBe(405);
    expect((await ask({ path: '/play' })).status).toBe(404);
  });

  it('names format, query, time zone and counts in its headers', async () => {
    const response = await ask({
      query: { query_id: 'my-query' },
      body: 'SELECT number FROM numbers(3) FORMAT JSON',
    });
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      'x-clickhouse-query-id': 'my-query',
      'x-clickhouse-format': 'JSON',
      'x-clickhouse-timezone': 'UTC',
      'content-type': 'application/json; charset=UTF-8',
    });
    expect(JSON.parse(headers['x-clickhouse-summary'] ?? '')).toMatchObject({
      result_rows: '3',
      written_rows: '0',
    });
  });

  it.each([
    [{ default_format: 'JSONEachRow' }, {}, 'SELECT 1 AS x', '{"x":1}\n'],
    [{}, { 'X-ClickHouse-Format': 'CSV' }, "SELECT 'x'", '"x"\n'],
    [{ default_format: 'CSV' }, {}, "SELECT 'x' FORMAT TSV", 'x\n'],
  ])('takes the format from where it is given: %j %j', async (query, headers, body, expected) => {
    expect(await text({ query, headers, body })).toBe(expected);
  });

  it('finds the user in headers, in Basic authorization and in the URL', async () => {
    const password = server.password('writer');
    const bare = (headers: Record<string, string>, query = ''): Promise<Response> =>
      fetch(`${server.url}/?query=SELECT%201${query}`, { headers });
    const basic = (value: string) => ({ Authorization: `Basic ${Buffer.from(value).toString('base64')}` });
    expect((await bare(basic(`writer:${password}`))).status).toBe(200);
    expect((await bare({}, `&user=writer&password=${password}`)).status).toBe(200);
    for (const response of [
      await bare({}),
      await bare(basic('writer:wrong')),
      await bare(basic('nobody:')),
    ]) {
      expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([403, '516']);
      expect(await response.text()).toMatch(
        /^Code: 516\. DB::Exception: .*Authentication failed.*\(AUTHENTICATION_FAILED\)/,
      );
    }
  });

  it.each([
    ['SELECT * FROM not_there', 404, 60, 'UNKNOWN_TABLE'],
    ['SELECT not_there', 404, 47, 'UNKNOWN_IDENTIFIER'],
    ['SELEC 1', 400, 62, 'SYNTAX_ERROR'],
    ['SELECT 1; SELECT 2', 400, 62, 'SYNTAX_ERROR'],
    ["SELECT toUInt8('x')", 400, 6, 'CANNOT_PARSE_TEXT'],
    ['SELECT throwIf(1)', 500, 395, 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
    ['SELECT {x:UInt8}', 500, 456, 'UNKNOWN_QUERY_PARAMETER'],
    ["SELECT 1 INTO OUTFILE '/tmp/x'", 500, 358, 'INTO_OUTFILE_NOT_ALLOWED'],
  ])('answers %s as a server would', async (body, status, code, name) => {
    const response = await ask({ body });
    expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([
      status,
      String(code),
    ]);
    expect(await response.text()).toMatch(
      new RegExp(`^Code: ${code}\\. DB::Exception: [^]*\\(${name}\\) \\(version [\\d.]+\\)\n$`),
    );
  });

  it('runs GET requests read only', async () => {
    const response = await ask({ query: { query: 'CREATE TABLE by_get (a UInt8) ENGINE = Memory' } });
    expect(response.headers.get('x-clickhouse-exception-code')).toBe('164');
  });

  it('breaks the connection when a query fails after its first rows', async () => {
    const body = "SELECT number, throwIf(number = 3000000, 'late') FROM numbers(4000000) FORMAT TSV";
    const response = await ask({ body });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    const waited = await ask({ body, query: { wait_end_of_query: '1' } });
    expect([waited.status, waited.headers.get('x-clickhouse-exception-code')]).toEqual([500, '395']);
  });

  it.each([
    ['gzip', gzipSync, gunzipSync],
    ['deflate', deflateSync, inflateSync],
  ])('takes and gives %s', async (encoding, pack, unpack) => {
    const url = new URL(`${server.url}/?enable_http_compression=1`);
    const headers = {
      'X-ClickHouse-User': 'writer',
      'X-ClickHouse-Key': server.password('writer'),
      'Content-Encoding': encoding,
      'Accept-Encoding': encoding,
    };
    const raw = await new Promise<{ encoding: string | undefined; bytes: Buffer }>((resolve, reject) => {
      const request = httpRequest(url, { method: 'POST', headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ encoding: response.headers['content-encoding'], bytes: Buffer.concat(chunks) }),
        );
      });
      request.on('error', reject);
      request.end(pack('SELECT number FROM numbers(100000) FORMAT TSV'));
    });
    expect(raw.encoding).toBe(encoding);
    expect(unpack(raw.bytes).toString().split('\n')).toHaveLength(100_001);
  });

  it('takes br, and names what it cannot take', async () => {
    const body = brotliCompressSync('SELECT 7');
    expect(await text({ body, headers: { 'Content-Encoding': 'br' } })).toBe('7\n');
    expect((await ask({ body, headers: { 'Content-Encoding': 'lzma' } })).status).toBe(501);
    expect((await ask({ body: 'not gzip', headers: { 'Content-Encoding': 'gzip' } })).status).toBe(500);
  });

  it('binds parameters, also beside other requests', async () => {
    const one = async (n: number): Promise<void> => {
      const query = { param_n: String(n), param_s: `x\\t'${n}` };
      expect(await text({ query, body: 'SELECT {n:UInt32}, {s:String} FORMAT JSONCompactEachRow' })).toBe(
        `[${n}, "x\\t'${n}"]\n`,
      );
    };
    await Promise.all(Array.from({ length: 40 }, (_, n) => one(n)));
  });

  it('keeps a request’s settings, parameters and database from the next one', async () => {
    await ok('CREATE DATABASE IF NOT EXISTS elsewhere');
    const query = { max_block_size: '77', param_secret: 'x', readonly: '1', database: 'elsewhere' };
    await Promise.all(Array.from({ length: 8 }, () => text({ query, body: 'SELECT 1' })));
    expect(
      await ok("SELECT getSetting('max_block_size') != 77, getSetting('readonly'), currentDatabase()"),
    ).toBe(`1\t0\t${server.database}\n`);
    expect(await text({ body: 'SELECT {secret:String}' })).toContain('(UNKNOWN_QUERY_PARAMETER)');
  });

  it('hands Native out and takes it back unchanged', async () => {
    await ok(
      'CREATE TABLE source (n UInt64, s String, l LowCardinality(String), t DateTime64(9), a Array(String)) ENGINE = Memory',
    );
    await ok('CREATE TABLE target AS source');
    await ok(`INSERT INTO source SELECT number, concat(char(number), '\n\n;', toString(number)), toString(number % 10),
      toDateTime64('2023-01-01', 9) + number / 1000, [toString(number), ''] FROM numbers(1000)`);
    const native = new Uint8Array(
      await (await ask({ body: 'SELECT * FROM source ORDER BY n FORMAT Native' })).arrayBuffer(),
    );
    const answer = await ask({ query: { query: 'INSERT INTO target FORMAT Native' }, body: native });
    expect(JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '')).toMatchObject({
      written_rows: '1000',
    });
    const same = 'SELECT count(), sum(cityHash64(*)) FROM';
    expect(await ok(`${same} target`)).toBe(await ok(`${same} source`));
  });
});

describe('inserted data', () => {
  beforeAll(() => ok('CREATE TABLE texts (s String) ENGINE = MergeTree ORDER BY tuple()'));
  const insert = (head: string, body: string | Uint8Array, headers = {}) =>
    ask({ query: { query: head }, body, headers });
  const take = async (): Promise<string> => {
    const all = await ok('SELECT s FROM texts ORDER BY s FORMAT JSONCompactColumns');
    await ok('TRUNCATE TABLE texts');
    return all.trim().replace(/\s+(?=[["\]])/g, '');
  };

  it.each([
    ['INSERT INTO texts FORMAT JSONEachRow', '{"s":"a"}\n\nDROP TABLE texts'],
    ['INSERT INTO texts FORMAT TSV', 'a\n\nDROP TABLE texts;\n'],
    ['INSERT INTO texts VALUES', "('a')\n\n; DROP TABLE texts"],
    ['INSERT INTO texts FORMAT CSV', '"a"\n\n; DROP TABLE texts;'],
  ])('is data and never a statement: %s', async (head, body) => {
    await insert(head, body).then((response) => response.text());
    await ask({ body: `${head} ${body}` }).then((response) => response.text());
    expect(await ok('EXISTS TABLE texts')).toBe('1\n');
    await take();
  });

  it('may follow its head in the body, in the URL, or in both', async () => {
    await ok("INSERT INTO texts (s) VALUES ('a'), ('b;--')");
    await ask({ query: { query: "INSERT INTO texts VALUES ('c')" }, body: '' });
    await insert('INSERT INTO texts SETTINGS max_threads = 1 FORMAT TSV', 'd\ne\n');
    await ok('INSERT INTO texts FORMAT JSONEachRow\n{"s":"f\\n\\n;"}');
    await insert('INSERT INTO texts FORMAT TSV', gzipSync('g\n'), { 'Content-Encoding': 'gzip' });
    expect(await take()).toBe('[["a","b;--","c","d","e","f\\n\\n;","g"]]');
  });

  it('may be empty', async () => {
    expect((await insert('INSERT INTO texts FORMAT Native', new Uint8Array())).status).toBe(200);
    expect(await take()).toBe('[]');
  });

  it('over the size limit is refused, and nothing of it stays', async () => {
    const response = await insert('INSERT INTO texts FORMAT RawBLOB', new Uint8Array(4_000_000));
    expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([413, '307']);
    expect(await take()).toBe('[]');
    await expect.poll(() => server.server.stats()).toMatchObject({ spoolBytes: 0, running: 0 });
  });

  it('over the size limit after decompression is refused too', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const response = await insert('INSERT INTO texts FORMAT RawBLOB', bomb, { 'Content-Encoding': 'gzip' });
    expect(response.status).toBe(413);
    expect(await take()).toBe('[]');
  });

  it('that does not parse is refused with the engine’s code', async () => {
    const response = await insert('INSERT INTO texts FORMAT JSONEachRow', '{"s":');
    expect(response.status).toBe(400);
    expect(await take()).toBe('[]');
  });
});

describe('the first query of clickhouse-go', () => {
  it('is answered with a block that says revision 0', async () => {
    const body = 'SELECT displayName(), version(), revision(), timezone()';
    const response = await ask({
      query: { client_protocol_version: '54460', default_format: 'Native' },
      body,
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.subarray(0, 10)).toEqual(Buffer.from([1, 0, 2, 255, 255, 255, 255, 0, 4, 1]));
    expect(bytes.toString('latin1')).toContain('\x0arevision()\x06UInt32\x00\0\0\0\0');
  });
});
