import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, type ColumnStore } from '@flowledger/column-store';
import { openEmbeddedLog, type AppendRecord, type EmbeddedLog } from '@flowledger/event-log';
import { decodeEnvelope } from '@flowledger/model';
import { silentLog } from '@flowledger/platform';
import { MIGRATIONS, startTestStore, type TestStore } from '@flowledger/testkit';
import { runLoader, type Loader, type LoaderOptions } from '../loader.js';
import { rollupDifferences } from '../repair/rollup-repair.js';
import { ROLLUPS } from '../repair/rollups.js';

export const GROUP = 'loader';
export const RAW_TTL_DAYS = 14;

/** A log and a store of their own for one test. */
export interface SinkRig {
  readonly log: EmbeddedLog;
  readonly store: ColumnStore;
  readonly testStore: TestStore;
  append(records: readonly AppendRecord[]): Promise<void>;
  /** Runs a loader until all of the log is in the ledger, then stops it; rejects with its fault. */
  load(options?: Partial<LoaderOptions>): Promise<Loader>;
  /** Everything that may be wrong, as text; empty when every book closes. */
  faults(): Promise<string[]>;
  number(sql: string): Promise<number>;
  /** Runs a statement and waits for what it changes. */
  command(sql: string): Promise<void>;
  stop(): Promise<void>;
}

export interface RigOptions {
  readonly partitions?: number;
  readonly testStore?: TestStore;
  readonly database?: string;
  /** Of the log; default 64 MiB. */
  readonly segmentBytes?: number;
  /** Where segments of the log go before retention removes them. */
  readonly archive?: string;
  /** Default 14. */
  readonly rawTtlDays?: number;
}

export async function openRig(options: RigOptions = {}): Promise<SinkRig> {
  const database = options.database ?? 'flowledger';
  const testStore = options.testStore ?? (await startTestStore({ database }));
  const rawTtlDays = options.rawTtlDays ?? RAW_TTL_DAYS;
  await migrateRig(testStore, database, rawTtlDays);
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-sink-'));
  const log = await openEmbeddedLog({
    directory,
    mode: 'writer',
    partitions: options.partitions ?? 2,
    ...(options.segmentBytes === undefined ? {} : { segmentBytes: options.segmentBytes }),
    ...(options.archive === undefined ? {} : { archive: options.archive }),
  });
  const store = testStore.store('writer', database);
  const number = async (sql: string): Promise<number> => {
    const { rows } = await store.query<Record<string, string>>({
      name: 'test',
      sql,
      params: {},
      settings: {},
    });
    return Number(Object.values(rows[0] ?? {})[0]);
  };
  return {
    log,
    store,
    testStore,
    append: async (records) => {
      await log.append(records);
    },
    load: (more) => loadAll(log, store, { rawTtlDays, ...more }),
    faults: () => findFaults(log, store, number),
    number,
    command: (sql) => {
      const settings = { lightweight_deletes_sync: 2, mutations_sync: 2 };
      return store.command({ name: 'test', sql, params: {}, settings });
    },
    stop: async () => {
      await log.close();
      rmSync(directory, { recursive: true, force: true });
      if (options.testStore === undefined) await testStore.stop();
    },
  };
}

/** Makes the tables in a database of a test store. */
export async function migrateRig(testStore: TestStore, database: string, rawTtlDays: number): Promise<void> {
  const connection = { url: testStore.url, user: 'writer', password: testStore.password('writer'), database };
  const variables = { RAW_TTL_DAYS: rawTtlDays, ROLLUP_TTL_DAYS: 90, HOUR_TTL_DAYS: 400 };
  await migrate(connection, { directory: MIGRATIONS, variables });
}

async function loadAll(
  log: EmbeddedLog,
  store: ColumnStore,
  more: Partial<LoaderOptions> = {},
): Promise<Loader> {
  const stop = new AbortController();
  const options = { log, store, group: GROUP, logger: silentLog, rawTtlDays: RAW_TTL_DAYS, ...more };
  const loader = runLoader({ ...options, limits: { maxAgeMs: 50, ...more.limits } }, stop.signal);
  let failed = false;
  const done = loader.done.catch((error: unknown) => {
    failed = true;
    throw error;
  });
  done.catch(() => undefined);
  const deadline = performance.now() + 60_000;
  while (!failed && !(await isLoaded(log, loader)) && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  await done;
  return loader;
}

async function isLoaded(log: EmbeddedLog, loader: Loader): Promise<boolean> {
  for (let partition = 0; partition < log.partitions; partition++) {
    const { end } = await log.bounds(partition);
    const status = loader.partitions.find((entry) => entry.partition === partition);
    if (status === undefined || status.state === 'recovering' || status.next < end) return false;
  }
  return true;
}

/** Compares ids, rollups and ledger with the log. */
async function findFaults(
  log: EmbeddedLog,
  store: ColumnStore,
  number: (sql: string) => Promise<number>,
): Promise<string[]> {
  const faults: string[] = [];
  const expected = await idsOfLog(log);
  const seen = new Set<string>();
  for (const table of ['flows', 'events', 'dead_letters FINAL', 'skipped_events FINAL']) {
    const sql = `SELECT concat(toString(_lp), '/', toString(_lo), '/', toString(_li)) AS id FROM ${table}`;
    const { rows } = await store.query<{ id: string }>({ name: 'test', sql, params: {}, settings: {} });
    for (const { id } of rows) {
      if (seen.has(id)) faults.push(`${table}: ${id} twice`);
      if (!expected.has(id)) faults.push(`${table}: ${id} is not in the log`);
      seen.add(id);
    }
  }
  for (const id of expected) if (!seen.has(id)) faults.push(`${id} is missing`);
  const hours = await hoursOf(store);
  for (const rollup of ROLLUPS) {
    for (let partition = 0; partition < log.partitions; partition++) {
      const differing = hours.length === 0 ? 0 : await rollupDifferences(store, rollup, partition, hours);
      if (differing > 0) faults.push(`${rollup.table}: ${differing} rows differ in partition ${partition}`);
    }
  }
  const booked = await number(
    'SELECT toString(sum(flows + other_events + duplicates + dead + skipped)) FROM load_ledger FINAL',
  );
  if (booked !== expected.size) faults.push(`the ledger holds ${booked} of ${expected.size} events`);
  return faults.slice(0, 10);
}

async function hoursOf(store: ColumnStore): Promise<readonly number[]> {
  const sql = 'SELECT groupUniqArray(toUnixTimestamp(toStartOfHour(bucket_time))) AS hours FROM flows';
  const { rows } = await store.query<{ hours: number[] }>({ name: 'test', sql, params: {}, settings: {} });
  return rows[0]?.hours ?? [];
}

async function idsOfLog(log: EmbeddedLog): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let partition = 0; partition < log.partitions; partition++) {
    const { start, end } = await log.bounds(partition);
    let next = start;
    while (next < end) {
      const { records } = await log.read(partition, next, { maxBytes: 2 ** 23, maxWaitMs: 0 });
      for (const { offset, value } of records) {
        const envelope = decodeEnvelope(value);
        const count = envelope.ok ? envelope.value.events.length : 1;
        for (let i = 0; i < count; i++) ids.add(`${partition}/${offset}/${i}`);
        next = offset + 1n;
      }
    }
  }
  return ids;
}
