import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { migrate, type ColumnStore } from '@flowledger/column-store';
import { LOADER_GROUP, openEmbeddedLog, type AppendRecord, type EmbeddedLog } from '@flowledger/event-log';
import type { ApiServer } from '@flowledger/graphql';
import type { ImportOutcome } from '@flowledger/ingest';
import { openLog, systemClock } from '@flowledger/platform';
import { toJsonLine, type SimulatedEvent } from '@flowledger/simulator';
import type { Loader } from '@flowledger/sink';
import { startTestStore, type TestStore } from './test-store.js';

const MIGRATIONS = fileURLToPath(new URL('../../../migrations/clickhouse', import.meta.url));
const TENANT = 'default';
const CLUSTER = 'demo';
/** Longest that a test's data may take to be loaded, ms. */
const LOAD_DEADLINE_MS = 60_000;
const APPEND_AT_ONCE = 8;
/** Long enough for batches of a useful size, short enough not to be waited for. */
const BATCH_AGE_MS = 250;
const DAY_NS = 86_400_000_000_000n;
/** Tests choose their own times, so nothing expires by the real clock; short enough for ClickHouse's DateTime. */
const KEPT_DAYS = 20_000;

export interface TestPipelineOptions {
  /** The time of receipt of all events and the "now" of all questions, ms since 1970. */
  readonly nowMs: number;
  /** Partitions of the log. Default 2. */
  readonly partitions?: number;
}

/**
 * Everything between the source's bytes and GraphQL, in one process but for the engine: embedded log, loader, store with
 * all migrations, API over HTTP. Only time is made up. Call `stop` in `afterAll`.
 */
export interface TestPipeline {
  /** Where the API answers. */
  readonly url: string;
  readonly log: EmbeddedLog;
  /** The writing user's client. */
  readonly store: ColumnStore;
  /** Packs events as a source would and appends them in order; resolves with their number when they are durable. */
  feed(events: Iterable<SimulatedEvent>): Promise<number>;
  /**
   * Brings the events as an export file of JSON lines; resolves when they are durable. With `forget` nothing is
   * known of earlier imports.
   */
  importJson(
    events: Iterable<SimulatedEvent>,
    options?: { readonly forget?: boolean },
  ): Promise<ImportOutcome>;
  /** Resolves when the ledger covers all of the log; rejects with the loader's fault, or after 60 s. */
  loaded(): Promise<void>;
  /** Ends the loader and starts another, which must find its place by itself. */
  restartLoader(): Promise<void>;
  /** Asks one GraphQL query over HTTP; rejects when the answer has errors. */
  ask<Data>(query: string, variables?: Readonly<Record<string, unknown>>): Promise<Data>;
  /** Ends everything and deletes all data. */
  stop(): Promise<void>;
}

/** Starts a pipeline with empty tables. Takes about three seconds. */
export async function startTestPipeline(options: TestPipelineOptions): Promise<TestPipeline> {
  const testStore = await startTestStore();
  await migrateStore(testStore);
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-pipeline-'));
  const log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    mode: 'writer',
    partitions: options.partitions ?? 2,
    durability: 'process',
    flushMs: 10,
  });
  const store = testStore.store('writer');
  const server = await serve(testStore, log, options.nowMs);
  let running = await startLoader(log, store);
  return {
    url: server.url,
    log,
    store,
    feed: (events) => feed(events, log, options.nowMs),
    importJson: async (events, { forget = false } = {}) => {
      const manifest = join(directory, forget ? `manifest-${randomUUID()}` : 'manifest');
      return importJson(events, log, manifest, options.nowMs);
    },
    loaded: () => untilLoaded(log, store, running.loader),
    restartLoader: async () => {
      await running.stop();
      running = await startLoader(log, store);
    },
    ask: (query, variables = {}) => ask(server.url, query, variables),
    stop: async () => {
      await running.stop();
      await server.close();
      await log.close();
      rmSync(directory, { recursive: true, force: true });
      await testStore.stop();
    },
  };
}

async function migrateStore({ url, database, password }: TestStore): Promise<void> {
  const connection = { url, database, user: 'writer', password: password('writer') };
  const variables = { RAW_TTL_DAYS: KEPT_DAYS, ROLLUP_TTL_DAYS: KEPT_DAYS, HOUR_TTL_DAYS: KEPT_DAYS };
  await migrate(connection, { directory: MIGRATIONS, variables });
}

// The features are imported when a pipeline starts: a test that only wants a store must not wait for a web server.

async function serve(testStore: TestStore, log: EmbeddedLog, nowMs: number): Promise<ApiServer> {
  const { createApiServer } = await import('@flowledger/graphql');
  const kept = BigInt(KEPT_DAYS) * DAY_NS;
  return createApiServer({
    store: testStore.store('reader'),
    log,
    host: '127.0.0.1',
    port: 0,
    tenant: TENANT,
    version: '0.0.0-test',
    retention: { rawNs: kept, minuteNs: kept, hourNs: kept },
    status: () => Promise.resolve({ ok: true }),
    // The causes of answers that only say INTERNAL.
    logger: openLog('api-test', 'warn'),
    clock: { ...systemClock, now: () => nowMs },
  });
}

interface RunningLoader {
  readonly loader: Loader;
  stop(): Promise<void>;
}

async function startLoader(log: EmbeddedLog, store: ColumnStore): Promise<RunningLoader> {
  const { runLoader } = await import('@flowledger/sink');
  const stopping = new AbortController();
  const loader = runLoader(
    {
      log,
      store,
      group: LOADER_GROUP,
      logger: openLog('loader-test', 'warn'),
      rawTtlDays: KEPT_DAYS,
      limits: { maxAgeMs: BATCH_AGE_MS },
    },
    stopping.signal,
  );
  // Whoever waits for `loaded` or `stop` is told; until then it is no unhandled rejection.
  loader.done.catch(() => undefined);
  return {
    loader,
    stop: async () => {
      stopping.abort();
      await loader.done;
    },
  };
}

async function feed(events: Iterable<SimulatedEvent>, log: EmbeddedLog, nowMs: number): Promise<number> {
  const { Packer } = await import('@flowledger/ingest');
  const packer = new Packer({
    tenant: TENANT,
    cluster: CLUSTER,
    source: 'demo',
    codec: 'hubble.get_flows_response',
    partitions: log.partitions,
    now: () => nowMs,
  });
  const full: AppendRecord[] = [];
  let count = 0;
  for (const event of events) {
    count++;
    const packed = packer.add(event.node, event.bytes, event.timeNs);
    if (packed !== undefined) full.push(packed.record);
    if (full.length >= APPEND_AT_ONCE) await log.append(full.splice(0));
  }
  full.push(...packer.flush().map((packed) => packed.record));
  if (full.length > 0) await log.append(full);
  return count;
}

async function importJson(
  events: Iterable<SimulatedEvent>,
  log: EmbeddedLog,
  manifestPath: string,
  nowMs: number,
): Promise<ImportOutcome> {
  const { ImportManifest, importStream } = await import('@flowledger/ingest');
  const manifest = await ImportManifest.open(manifestPath, Number.MAX_SAFE_INTEGER);
  try {
    return await importStream(Readable.from(jsonLines(events)), {
      tenant: TENANT,
      cluster: CLUSTER,
      source: 'import',
      partitions: log.partitions,
      append: (records) => log.append(records),
      manifest,
      now: () => nowMs,
    });
  } finally {
    await manifest.close();
  }
}

function* jsonLines(events: Iterable<SimulatedEvent>): Generator<Buffer> {
  for (const event of events) yield Buffer.from(`${toJsonLine(event)}\n`);
}

async function untilLoaded(log: EmbeddedLog, store: ColumnStore, loader: Loader): Promise<void> {
  const deadline = performance.now() + LOAD_DEADLINE_MS;
  let failed = false;
  loader.done.catch(() => (failed = true));
  while (!(await isCovered(log, store))) {
    if (failed) await loader.done;
    if (performance.now() > deadline)
      throw new Error(`the ledger does not cover the log after ${LOAD_DEADLINE_MS} ms`);
    await delay(25);
  }
}

/** Compares what the ledger says with what the log holds: the loader's own word is not asked. */
async function isCovered(log: EmbeddedLog, store: ColumnStore): Promise<boolean> {
  const sql =
    'SELECT _lp, toString(max(to_offset) + 1) AS next FROM load_ledger FINAL WHERE _le = {epoch:UInt64} GROUP BY _lp';
  const plan = { name: 'test_loaded', sql, params: { epoch: log.epoch }, settings: {} };
  const { rows } = await store.query<{ _lp: number; next: string }>(plan);
  const next = new Map(rows.map((row) => [Number(row._lp), BigInt(row.next)]));
  for (let partition = 0; partition < log.partitions; partition++) {
    const { end } = await log.bounds(partition);
    if ((next.get(partition) ?? 0n) < end) return false;
  }
  return true;
}

async function ask<Data>(
  url: string,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as { readonly data?: Data | null; readonly errors?: unknown };
  if (answer.errors !== undefined || answer.data === undefined || answer.data === null)
    throw new Error(`${response.status} ${JSON.stringify(answer.errors)}`);
  return answer.data;
}
