import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ColumnBatch } from '@flowledger/model';
import { afterEach, describe, expect, it } from 'vitest';
import { openColumnStore } from './open-column-store.js';
import type { ColumnStore } from './port.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A store whose other end misbehaves as told; the request body is read first. */
async function storeWith(answer: Answer, requestTimeoutMs = 5_000): Promise<ColumnStore> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(request, response));
    request.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const store = openColumnStore({
    url: `http://127.0.0.1:${port}`,
    user: 'u',
    password: 'p',
    database: 'd',
    requestTimeoutMs,
  });
  closing.push(async () => {
    await store.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return store;
}

const BATCH: ColumnBatch = {
  table: 't`x',
  rows: 1,
  columns: [{ kind: 'fixed', name: 'a', type: 'UInt8', data: Uint8Array.of(1) }],
};
const PLAN = { name: 'plan', sql: 'SELECT 1', params: {}, settings: {} };
const insert = (store: ColumnStore) => store.insert(BATCH, { token: 'token' });
const never: Answer = () => undefined;
const reset: Answer = (request) => request.socket.resetAndDestroy();
const late =
  (text: string): Answer =>
  (_request, response) =>
    response.writeHead(200).end(text);

describe('a broken way to the store', () => {
  it('is nothing sent when nobody listens', async () => {
    const store = openColumnStore({ url: 'http://127.0.0.1:1', user: 'u', password: 'p', database: 'd' });
    closing.push(() => store.close());
    await expect(insert(store)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retry: true });
    await expect(store.version()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retry: true });
  });

  it('leaves an insert uncertain when it breaks before the answer, and a query unanswered', async () => {
    const store = await storeWith(reset);
    await expect(insert(store)).rejects.toMatchObject({ code: 'STORE_UNCERTAIN', retry: true });
    await expect(store.query(PLAN)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retry: true });
  });

  it('leaves an insert uncertain when no answer comes in time, and a query timed out', async () => {
    const store = await storeWith(never, 100);
    await expect(insert(store)).rejects.toMatchObject({ code: 'STORE_UNCERTAIN', retry: true });
    await expect(store.query(PLAN)).rejects.toMatchObject({ code: 'TIMEOUT', retry: true });
    await expect(store.insert(BATCH, { token: 'x', timeoutMs: 20 })).rejects.toMatchObject({
      code: 'STORE_UNCERTAIN',
    });
  });

  it.each([
    [27, 'STORE_REJECTED'],
    [241, 'STORE_UNCERTAIN'],
  ])('does not hide exception %i behind a good status', async (code, expected) => {
    const store = await storeWith(late(`\r\nCode: ${code}. DB::Exception: No. (NAME)`));
    await expect(insert(store)).rejects.toMatchObject({ code: expected, details: { code } });
  });

  it.each([
    ['in the middle', '{"data":[{"x":1}'],
    ['before it begins', ''],
    [
      'with an exception inside',
      '{"data":[],"statistics":{},"exception":"Code: 159. DB::Exception: Late. (TIMEOUT_EXCEEDED)"}',
    ],
  ])('never makes a result of an answer that ends %s', async (_where, text) => {
    const store = await storeWith(late(text));
    await expect(store.query(PLAN)).rejects.toMatchObject({ retry: true });
  });

  it('never makes a result of an answer that is cut off', async () => {
    const store = await storeWith((_request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' }).write('{"data":[]', () => response.destroy());
    });
    await expect(store.query(PLAN)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retry: true });
  });

  it('can be given up before and while the answer comes', async () => {
    const cancel = new AbortController();
    const store = await storeWith((_request, response) => {
      response.writeHead(200).write('{"data":[', () => cancel.abort());
    });
    const cancelled = { code: 'CANCELLED', retry: false };
    await expect(store.query(PLAN, cancel.signal)).rejects.toMatchObject(cancelled);
    await expect(store.query(PLAN, cancel.signal)).rejects.toMatchObject(cancelled);
  });
});

describe('a request', () => {
  it('names every setting that decides what an insert means', async () => {
    let url = new URL('http://x');
    const store = await storeWith((request, response) => {
      url = new URL(request.url ?? '', 'http://x');
      response.writeHead(200).end();
    });
    await insert(store);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      query: 'INSERT INTO `t\\`x` (`a`) FORMAT Native',
      database: 'd',
      async_insert: '0',
      insert_deduplicate: '1',
      insert_deduplication_token: 'token',
      deduplicate_blocks_in_dependent_materialized_views: '1',
      materialized_views_ignore_errors: '0',
      max_insert_block_size: '1048576',
      max_partitions_per_insert_block: '16',
      wait_end_of_query: '1',
    });
  });

  it('carries the plan’s name, settings and values, and never a value in its text', async () => {
    let url = new URL('http://x');
    const store = await storeWith((request, response) => {
      url = new URL(request.url ?? '', 'http://x');
      response
        .writeHead(200)
        .end('{"data":[{"x":1}],"statistics":{"elapsed":0.5,"rows_read":7,"bytes_read":9}}');
    });
    const plan = { ...PLAN, params: { a: "'; DROP" }, settings: { max_result_rows: 5 } };
    expect(await store.query(plan)).toEqual({ rows: [{ x: 1 }], rowsRead: 7, bytesRead: 9, elapsedMs: 500 });
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      param_a: "\\'; DROP",
      log_comment: 'plan',
      max_result_rows: '5',
      output_format_json_quote_64bit_integers: '1',
      wait_end_of_query: '1',
      // Together they make a server stop a query whose client has gone.
      readonly: '2',
      cancel_http_readonly_queries_on_client_close: '1',
    });
  });
});
