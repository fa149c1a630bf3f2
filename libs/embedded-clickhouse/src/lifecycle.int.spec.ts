import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestStore } from '@flowledger/testkit';
import type { TestStore } from '@flowledger/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEmbeddedClickHouse } from './embedded-clickhouse.js';
import { standardUsers } from './users.js';

let directory: string;
const opened: TestStore[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flowledger-lifecycle-'));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.stop()));
  rmSync(directory, { recursive: true, force: true });
});

async function start(options: Parameters<typeof startTestStore>[0] = {}): Promise<TestStore> {
  const store = await startTestStore({ directory, ...options });
  opened.push(store);
  return store;
}

function ask(store: TestStore, sql: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${store.url}/?database=${store.database}`, {
    method: 'POST',
    body: sql,
    headers: { 'X-ClickHouse-User': 'writer', 'X-ClickHouse-Key': store.password('writer') },
    ...(signal === undefined ? {} : { signal }),
  });
}
const text = async (store: TestStore, sql: string) => (await ask(store, sql)).text();
const code = (response: Response) => Number(response.headers.get('x-clickhouse-exception-code') ?? 0);
const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('the store’s process', () => {
  it('refuses a directory that another one uses, after waiting for it, and says so', async () => {
    await start();
    await expect(startTestStore({ directory, lockTimeoutMs: 300 })).rejects.toMatchObject({
      code: 'CONFLICT',
      retry: true,
      message: `start the embedded store: another process uses ${directory}`,
    });
  });

  it('says why it cannot start', async () => {
    const users = standardUsers({
      database: 'd',
      passwords: { writer: 'a', reader: 'b', grafana: 'c' },
      maxMemoryBytes: 1e9,
    });
    const refused = startEmbeddedClickHouse({ directory, users, spoolDirectory: join(directory, 'a*b') });
    await expect(refused).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retry: false });
    await expect(startEmbeddedClickHouse({ directory, users: [] })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('keeps what it acknowledged when it is killed, and is back on the same port', async () => {
    const exits: unknown[] = [];
    const store = await start({ onExit: (exit) => exits.push(exit) });
    await text(store, 'CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a');
    expect(code(await ask(store, 'INSERT INTO t SELECT number FROM numbers(1000)'))).toBe(0);
    const { pid, port } = store.server;
    process.kill(pid, 'SIGKILL');
    const answer = () => text(store, 'SELECT count() FROM t').catch(() => '');
    await expect.poll(answer, { timeout: 15_000 }).toBe('1000\n');
    expect(store.server.port).toBe(port);
    expect(store.server.pid).not.toBe(pid);
    expect(exits).toEqual([{ code: null, signal: 'SIGKILL', restarting: true }]);
  });

  it('ends when its parent is killed, and leaves the directory to a successor', async () => {
    const first = await start();
    await text(first, 'CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a');
    await text(first, 'INSERT INTO t SELECT number FROM numbers(10)');
    await first.server.stop();
    const source = `import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}).then(async (lib) => {
      const users = lib.standardUsers({ database: 'd', passwords: { writer: 'a', reader: 'b', grafana: 'c' }, maxMemoryBytes: 1e9 });
      const store = await lib.startEmbeddedClickHouse({ directory: ${JSON.stringify(directory)}, users });
      process.send(store.pid);
    });`;
    const parent = fork('-e', [source], { execArgv: ['-e', source], stdio: 'inherit' });
    const orphan = await new Promise<number>((resolve) =>
      parent.once('message', (pid) => resolve(Number(pid))),
    );
    expect(alive(orphan)).toBe(true);
    parent.kill('SIGKILL');
    // Only one process can hold the directory, so this start is the proof that the orphan has let go of it.
    const second = await start();
    expect(await text(second, 'SELECT count() FROM t')).toBe('10\n');
  });

  it('lets a running insert finish when it is told to stop', async () => {
    const store = await start();
    await text(store, 'CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a');
    const insert = ask(
      store,
      'INSERT INTO t SELECT number + sleepEachRow(0.01) FROM numbers(50) SETTINGS max_block_size = 10',
    );
    await expect.poll(async () => (await store.server.stats()).running).toBe(1);
    const pid = store.server.pid;
    await store.server.stop();
    expect(code(await insert)).toBe(0);
    expect(alive(pid)).toBe(false);
    expect(await text(await start(), 'SELECT count() FROM t')).toBe('50\n');
  });

  it('stops in time although a query would run for ever', async () => {
    const store = await start();
    const query = ask(store, 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1').catch(
      () => null,
    );
    await expect.poll(async () => (await store.server.stats()).running).toBe(1);
    const begin = performance.now();
    await store.server.stop(100);
    expect(performance.now() - begin).toBeLessThan(20_000);
    await query;
  });
});

describe('the bounds', () => {
  it('run so many queries of a user at once, keep the next waiting, and refuse who waits too long', async () => {
    const store = await start({ queueTimeoutMs: 300 });
    const slow = () => text(store, 'SELECT sleepEachRow(0.05) FROM numbers(40) SETTINGS max_block_size = 1');
    const running = Array.from({ length: 4 }, slow);
    await expect.poll(async () => (await store.server.stats()).running).toBe(4);
    const late = await ask(store, 'SELECT 1');
    expect([late.status, code(late)]).toEqual([500, 202]);
    expect(await Promise.all(running)).toEqual(Array.from({ length: 4 }, () => '0\n'.repeat(40)));
    expect(await text(store, 'SELECT 1')).toBe('1\n');
  });

  it('do not let readers keep the writer waiting', async () => {
    const store = await start({ queueTimeoutMs: 300 });
    const reader = store.store('reader');
    const sql = 'SELECT count() AS n FROM numbers(1000000000000) WHERE sipHash64(number) = 1';
    const stop = new AbortController();
    const busy = Array.from({ length: 8 }, () =>
      reader.query({ name: 'busy', sql, params: {}, settings: {} }, stop.signal).catch(() => null),
    );
    await expect.poll(async () => (await store.server.stats()).running).toBe(8);
    expect(await text(store, 'SELECT 1')).toBe('1\n');
    stop.abort();
    await Promise.all(busy);
    await expect.poll(async () => (await store.server.stats()).running, { timeout: 20_000 }).toBe(0);
  });

  it('stop a query whose client has gone, in the middle of its result too', async () => {
    const store = await start();
    for (const sql of [
      'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1',
      'SELECT number FROM numbers(100000000000) FORMAT TSV',
    ]) {
      const gone = new AbortController();
      const query = ask(store, sql, gone.signal)
        .then((response) => response.body?.getReader().read())
        .catch(() => null);
      await expect.poll(async () => (await store.server.stats()).running).toBe(1);
      gone.abort();
      await query;
      await expect.poll(async () => (await store.server.stats()).running, { timeout: 20_000 }).toBe(0);
      expect(
        await text(
          store,
          "SELECT count() FROM system.processes WHERE query LIKE '%numbers(1000%' AND query NOT LIKE '%processes%'",
        ),
      ).toBe('0\n');
    }
  });

  it('give the spool back when an upload breaks off', async () => {
    const store = await start();
    await text(store, 'CREATE TABLE t (s String) ENGINE = MergeTree ORDER BY s');
    const url = new URL(
      `${store.url}/?database=${store.database}&query=INSERT%20INTO%20t%20FORMAT%20RawBLOB`,
    );
    const headers = { 'X-ClickHouse-User': 'writer', 'X-ClickHouse-Key': store.password('writer') };
    const upload = httpRequest(url, { method: 'POST', headers });
    upload.on('error', () => undefined);
    upload.write(Buffer.alloc(100_000));
    await expect.poll(async () => (await store.server.stats()).spoolBytes).toBe(100_000);
    upload.destroy();
    await expect.poll(async () => (await store.server.stats()).spoolBytes).toBe(0);
    expect(await text(store, 'SELECT count() FROM t')).toBe('0\n');
  });

  it('cap the engine’s memory without ending it', async () => {
    const store = await start({ maxMemoryBytes: 600 * 1024 * 1024 });
    const greedy = await ask(
      store,
      'SELECT groupArray(toString(number)) FROM numbers(100000000) FORMAT Null',
    );
    expect(code(greedy)).toBe(241);
    expect(await text(store, 'SELECT 1')).toBe('1\n');
  });
});
