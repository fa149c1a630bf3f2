import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { migrate, type ColumnStore, type QueryPlan } from '@flowledger/column-store';
import { LOADER_GROUP, openEmbeddedLog, type EmbeddedLog } from '@flowledger/event-log';
import type { ApiServer } from '@flowledger/graphql';
import type { ImportOutcome } from '@flowledger/ingest';
import { Lifecycle, openLog, systemClock } from '@flowledger/platform';
import type { SimulatedEvent } from '@flowledger/simulator';
import type { Loader } from '@flowledger/sink';
import { feed, importJson, TENANT } from './pipeline-sources.js';
import { MIGRATIONS } from './migrations-folder.js';
import { startTestStore, type TestStore } from './test-store.js';

/** Longest that a test's data may take to be loaded, ms. */
const LOAD_DEADLINE_MS = 60_000;
/** Long enough for batches of a useful size, short enough not to be waited for. */
const BATCH_AGE_MS = 250;
/** Nothing here must survive a power cut. */
const FAST_LOG = { durability: 'process', flushMs: 10 } as const;
const STOP_DEADLINE_MS = 30_000;
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
  /** Where the files of the log lie. */
  readonly logDirectory: string;
  /** The writing user's client. */
  readonly store: ColumnStore;
  /** Packs events as a source would and appends them in order; resolves with their number when readers see them. */
  feed(events: Iterable<SimulatedEvent>): Promise<number>;
  /**
   * Brings the events as an export file of JSON lines; resolves when readers see them. With `forget` nothing is
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

/** Starts a pipeline with empty tables. Takes about three seconds; when a part does not start, the others are ended. */
export async function startTestPipeline(options: TestPipelineOptions): Promise<TestPipeline> {
  const life = new Lifecycle(openLog('pipeline-test', 'warn'));
  const stop = async (): Promise<void> => {
    if (!(await life.stop(STOP_DEADLINE_MS))) throw new Error('the pipeline did not stop cleanly');
  };
  try {
    return { ...(await startParts(options, life)), stop };
  } catch (error) {
    await life.stop(STOP_DEADLINE_MS);
    throw error;
  }
}

async function startParts(
  options: TestPipelineOptions,
  life: Lifecycle,
): Promise<Omit<TestPipeline, 'stop'>> {
  const { nowMs, partitions = 2 } = options;
  const testStore = await startTestStore();
  life.own('store', () => testStore.stop());
  await migrateStore(testStore);
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-pipeline-'));
  life.own('directory', async () => rmSync(directory, { recursive: true, force: true }));
  const place = join(directory, 'log');
  const log = await openEmbeddedLog({ directory: place, mode: 'writer', partitions, ...FAST_LOG });
  life.own('log', () => log.close());
  const store = testStore.store('writer');
  const server = await serve(testStore, log, nowMs);
  life.own('api', () => server.close());
  let running = await startLoader(log, store);
  life.own('loader', () => running.stop());
  return {
    url: server.url,
    log,
    logDirectory: place,
    store,
    feed: (events) => feed(events, log, nowMs),
    importJson: (events, { forget = false } = {}) =>
      importJson(events, log, join(directory, forget ? `manifest-${randomUUID()}` : 'manifest'), nowMs),
    loaded: () => untilLoaded(log, store, running.loader),
    restartLoader: async () => {
      await running.stop();
      running = await startLoader(log, store);
    },
    ask: (query, variables = {}) => ask(server.url, query, variables),
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
  const { openLiveFlows } = await import('@flowledger/live');
  const { storedKeys } = await import('@flowledger/sink');
  const reader = testStore.store('reader');
  const keys = storedKeys(reader);
  const endpoints = async <Row>(plan: QueryPlan) => (await reader.query<Row>(plan)).rows;
  const tail = { log, group: LOADER_GROUP, tenant: TENANT, rawTtlDays: KEPT_DAYS, keys, endpoints };
  const kept = BigInt(KEPT_DAYS) * DAY_NS;
  return createApiServer({
    store: reader,
    log,
    live: { flows: openLiveFlows(tail) },
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
