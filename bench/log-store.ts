import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { migrate, type ColumnStore } from '@flowledger/column-store';
import {
  LOADER_GROUP,
  openEmbeddedLog,
  type AppendRecord,
  type EmbeddedLog,
  type EventLog,
} from '@flowledger/event-log';
import { collectLessOften, silentLog } from '@flowledger/platform';
import { runLoader, type Loader } from '@flowledger/sink';
import { MIGRATIONS, startTestStore, type TestStore } from '@flowledger/testkit';
import type { MadeFlow } from './flows/made-flows.js';
import { RecordPacker } from './flows/pack-records.js';

/** Far beyond the made flows' age: nothing expires while it is measured. */
const KEPT_DAYS = 20_000;
const APPEND_AT_ONCE = 8;
const STORE_BYTES = 3 * 2 ** 30;

/** An embedded store with all tables and rollups, as `flowledger start` has it; in `directory`, which stays, or nowhere. */
export async function startStore(directory?: string): Promise<TestStore> {
  const place = directory === undefined ? {} : { directory };
  const server = await startTestStore({ maxMemoryBytes: STORE_BYTES, ...place });
  const { url, database } = server;
  const connection = { url, user: 'writer', password: server.password('writer'), database };
  const variables = { RAW_TTL_DAYS: KEPT_DAYS, ROLLUP_TTL_DAYS: KEPT_DAYS, HOUR_TTL_DAYS: KEPT_DAYS };
  await migrate(connection, { directory: MIGRATIONS, variables });
  return server;
}

/** An embedded log in a directory of its own. */
export interface BenchLog {
  readonly log: EmbeddedLog;
  readonly directory: string;
  /** Packs and appends; resolves with the number of flows when they are durable. */
  fill(flows: Iterable<MadeFlow>): Promise<number>;
  /** Loads everything that is in the log into the store with the product's loader; then the loader has ended. */
  load(store: ColumnStore, until?: LoadedUntil): Promise<void>;
  /** Bytes on disk of all records. */
  bytes(): Promise<number>;
  close(): Promise<void>;
}

/** A log as the product makes it, or with `partitions`. */
export async function openBenchLog(partitions?: number): Promise<BenchLog> {
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-bench-log-'));
  const log = await openEmbeddedLog({
    directory,
    mode: 'writer',
    ...(partitions === undefined ? {} : { partitions }),
    retention: { maxBytes: 2 ** 40, maxAgeMs: 10 * 365 * 86_400_000 },
  });
  return {
    log,
    directory,
    fill: (flows) => fillLog(log, flows),
    load: (store, until) => loadLog(log, store, until),
    bytes: async () => {
      const bounds = await Promise.all(
        Array.from({ length: log.partitions }, (_, partition) => log.bounds(partition)),
      );
      return bounds.reduce((sum, bound) => sum + bound.bytes, 0);
    },
    close: async () => {
      await log.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Appends records a few at a time; resolves with the number of their events when they are durable. */
export async function appendAll(log: EventLog, records: readonly AppendRecord[]): Promise<number> {
  for (let at = 0; at < records.length; at += APPEND_AT_ONCE)
    await log.append(records.slice(at, at + APPEND_AT_ONCE));
  return records.reduce((sum, { events }) => sum + events, 0);
}

/** Packs flows and appends them; resolves with their number when they are durable. */
export async function fillLog(log: EventLog, flows: Iterable<MadeFlow>): Promise<number> {
  const packer = new RecordPacker(log.partitions);
  const waiting = [];
  let count = 0;
  for (const flow of flows) {
    count++;
    const record = packer.add(flow);
    if (record === undefined) continue;
    waiting.push(record);
    if (waiting.length >= APPEND_AT_ONCE) await log.append(waiting.splice(0));
  }
  await log.append([...waiting, ...packer.rest()]);
  return count;
}

/**
 * `stored`: every row is in the tables. `committed`: the cursor says so as well, which a loader writes when nothing came
 * for a second; who begins where the tables end would read what was not committed again.
 */
export type LoadedUntil = 'stored' | 'committed';

/**
 * Loads everything that is in a log into the store with the product's loader; then the loader has ended. `complete` says
 * when the log has everything, for one that is still being filled.
 */
export async function loadLog(
  log: EventLog,
  store: ColumnStore,
  until: LoadedUntil = 'stored',
  complete: () => boolean = () => true,
): Promise<void> {
  // As the worker, whose part this process plays.
  collectLessOften();
  const stop = new AbortController();
  const options = { log, store, group: LOADER_GROUP, logger: silentLog, rawTtlDays: KEPT_DAYS };
  const loader = runLoader(options, stop.signal);
  let failed = false;
  const done = loader.done.catch((error: unknown) => {
    failed = true;
    throw error;
  });
  done.catch(() => undefined);
  while (!failed && !(complete() && (await isLoaded(log, loader, until)))) await delay(20);
  stop.abort();
  await done;
}

async function isLoaded(log: EventLog, loader: Loader, until: LoadedUntil): Promise<boolean> {
  for (let partition = 0; partition < log.partitions; partition++) {
    const { end } = await log.bounds(partition);
    const status = loader.partitions.find((entry) => entry.partition === partition);
    if (status === undefined || status.state === 'recovering' || status.next < end) return false;
    if (until === 'stored') continue;
    const committed = await log.committed(LOADER_GROUP, partition);
    if ((committed?.offset ?? 0n) < end) return false;
  }
  return true;
}

/** How many events were ever appended to the embedded log in `directory`; its writer may be at work. */
export async function eventsIn(directory: string): Promise<number> {
  const log = await openEmbeddedLog({ directory, mode: 'reader' });
  try {
    const partitions = Array.from({ length: log.partitions }, (_, partition) => log.bounds(partition));
    return Number((await Promise.all(partitions)).reduce((sum, bounds) => sum + bounds.eventsBeforeEnd, 0n));
  } finally {
    await log.close();
  }
}
