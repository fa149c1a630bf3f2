import { randomBytes } from 'node:crypto';
import { openColumnStore } from '@flowledger/column-store';
import type { ColumnStore, ColumnStoreOptions } from '@flowledger/column-store';
import { dockerAvailable } from './docker-available.js';

/** The server version that the embedded engine has too (toolchain note, section 2). */
const IMAGE = 'clickhouse/clickhouse-server:26.7';
const HTTP_PORT = 8123;
const START_LIMIT_MS = 180_000;

/** Where a real ClickHouse server can be had: one that was given, a container, or nowhere and why. */
export type RealStoreSource =
  | { readonly kind: 'given'; readonly url: URL }
  | { readonly kind: 'container' }
  | { readonly kind: 'none'; readonly reason: string };

/** A real ClickHouse server for one test file. Call `stop` in `afterAll`. */
export interface RealStore {
  /** Connection to a database of this test's own, made by `migrate` or {@link RealStore.database}. */
  connection(name: string): ColumnStoreOptions;
  /** Makes the database and opens a client; closed by `stop`. */
  database(name: string): Promise<ColumnStore>;
  /** Drops the databases; ends the container where there is one. */
  stop(): Promise<void>;
}

interface Server {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  end(): Promise<unknown>;
}

/**
 * A server named by `FLOWLEDGER_TEST_CLICKHOUSE_URL` (`http://user:password@host:8123`), else Docker, else none. A broken
 * URL throws TypeError: somebody meant to test and would not.
 */
export async function findRealStore(): Promise<RealStoreSource> {
  const given = process.env['FLOWLEDGER_TEST_CLICKHOUSE_URL'];
  if (given !== undefined && given !== '') return { kind: 'given', url: new URL(given) };
  if (await dockerAvailable()) return { kind: 'container' };
  return {
    kind: 'none',
    reason: 'no Docker engine answers and FLOWLEDGER_TEST_CLICKHOUSE_URL is not set',
  };
}

function givenServer(url: URL): Server {
  const user = decodeURIComponent(url.username);
  return {
    url: url.origin,
    user: user === '' ? 'default' : user,
    password: decodeURIComponent(url.password),
    end: async () => undefined,
  };
}

async function startContainer(): Promise<Server> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const [user, password] = ['flowledger', randomBytes(12).toString('hex')];
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({ CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password })
    .withUlimits({ nofile: { hard: 262_144, soft: 262_144 } })
    .withExposedPorts(HTTP_PORT)
    .withWaitStrategy(Wait.forHttp('/ping', HTTP_PORT).forStatusCode(200))
    .withStartupTimeout(START_LIMIT_MS)
    .start();
  const url = `http://${container.getHost()}:${container.getMappedPort(HTTP_PORT)}`;
  return { url, user, password, end: () => container.stop() };
}

/** Connects to the server or starts the container (a minute or two when the image must be pulled). */
export async function startRealStore(source: Exclude<RealStoreSource, { kind: 'none' }>): Promise<RealStore> {
  const server = source.kind === 'given' ? givenServer(source.url) : await startContainer();
  // A given server may hold other things and be used twice at once.
  const prefix = `flowledger_test_${randomBytes(6).toString('hex')}`;
  const used = new Set<string>();
  const opened: ColumnStore[] = [];
  const connect = (database: string): ColumnStoreOptions => {
    const { url, user, password } = server;
    return { url, user, password, database };
  };
  const admin = openColumnStore(connect('default'));
  const run = (sql: string): Promise<void> =>
    admin.command({ name: 'test_database', sql, params: {}, settings: {} });
  const connection = (name: string): ColumnStoreOptions => {
    used.add(`${prefix}_${name}`);
    return connect(`${prefix}_${name}`);
  };
  return {
    connection,
    database: async (name) => {
      await run(`CREATE DATABASE IF NOT EXISTS ${prefix}_${name}`);
      const client = openColumnStore(connection(name));
      opened.push(client);
      return client;
    },
    stop: async () => {
      await Promise.all(opened.map((client) => client.close()));
      for (const database of used) await run(`DROP DATABASE IF EXISTS ${database} SYNC`);
      await admin.close();
      await server.end();
    },
  };
}
