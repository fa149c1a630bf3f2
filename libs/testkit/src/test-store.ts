import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openColumnStore } from '@flowledger/column-store';
import type { ColumnStore } from '@flowledger/column-store';
import { standardUsers, startEmbeddedClickHouse } from '@flowledger/embedded-clickhouse';
import type { EmbeddedClickHouse, EmbeddedClickHouseOptions } from '@flowledger/embedded-clickhouse';

const WORKSPACE = fileURLToPath(new URL('../../..', import.meta.url));
const LIBRARY = join(WORKSPACE, 'libs', 'embedded-clickhouse');
const BUILD_LOCK = join(tmpdir(), 'flowledger-test-build.lock');

export type TestUser = 'writer' | 'reader' | 'grafana';

/** A real engine in a child process over a temporary directory, for one test file. Call `stop` in `afterAll`. */
export interface TestStore {
  readonly url: string;
  readonly database: string;
  readonly directory: string;
  readonly server: EmbeddedClickHouse;
  /** Password of a user, for tests that speak HTTP themselves. */
  password(user: TestUser): string;
  /** A client for one user (default `writer`) and database (default `database`); closed by `stop`. */
  store(user?: TestUser, database?: string): ColumnStore;
  /** Ends the child and deletes the directory, unless it was given. */
  stop(): Promise<void>;
}

export interface TestStoreOptions extends Partial<Omit<EmbeddedClickHouseOptions, 'users'>> {
  /** Made on start. Default `flowledger`. */
  readonly database?: string;
}

function newestSource(directory: string): number {
  const names = readdirSync(directory).filter((name) => !name.endsWith('.spec.ts'));
  return Math.max(0, ...names.map((name) => statSync(join(directory, name)).mtimeMs));
}

/** The store's process runs compiled code, so a test from sources compiles it first when it is missing or older. */
async function ensureBuilt(): Promise<void> {
  const entry = join(LIBRARY, 'dist', 'child.js');
  const stamp = join(LIBRARY, 'dist', '.tsbuildinfo');
  const current = (): boolean =>
    existsSync(entry) && existsSync(stamp) && statSync(stamp).mtimeMs >= newestSource(join(LIBRARY, 'src'));
  const deadline = performance.now() + 60_000;
  while (!current() && performance.now() < deadline) {
    try {
      mkdirSync(BUILD_LOCK);
    } catch {
      if (Date.now() - (statSync(BUILD_LOCK, { throwIfNoEntry: false })?.mtimeMs ?? 0) > 30_000) {
        rmSync(BUILD_LOCK, { recursive: true, force: true });
      }
      await delay(100);
      continue;
    }
    try {
      if (current()) return;
      const compiler = join(WORKSPACE, 'node_modules', '.bin', 'tsc');
      execFileSync(compiler, ['-b', LIBRARY], { stdio: 'inherit' });
      return;
    } finally {
      rmSync(BUILD_LOCK, { recursive: true, force: true });
    }
  }
}

/** Starts a test store. Takes about a second. Options override the defaults of the embedded store. */
export async function startTestStore(options: TestStoreOptions = {}): Promise<TestStore> {
  await ensureBuilt();
  const { database = 'flowledger', ...rest } = options;
  const directory = rest.directory ?? mkdtempSync(join(tmpdir(), 'flowledger-store-'));
  const maxMemoryBytes = rest.maxMemoryBytes ?? 1_500 * 1024 * 1024;
  const passwords = { writer: randomUUID(), reader: randomUUID(), grafana: randomUUID() };
  const users = standardUsers({ database, passwords, maxMemoryBytes });
  const server = await startEmbeddedClickHouse({ ...rest, directory, maxMemoryBytes, users });
  const opened: ColumnStore[] = [];
  const store = (user: TestUser = 'writer', name = database): ColumnStore => {
    const client = openColumnStore({ url: server.url, user, password: passwords[user], database: name });
    opened.push(client);
    return client;
  };
  const sql = `CREATE DATABASE IF NOT EXISTS \`${database}\``;
  await store('writer', 'default').command({ name: 'create_database', sql, params: {}, settings: {} });
  return {
    url: server.url,
    database,
    directory,
    server,
    password: (user) => passwords[user],
    store,
    stop: async () => {
      await Promise.all(opened.map((client) => client.close()));
      await server.stop(1_000);
      if (rest.directory === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}
