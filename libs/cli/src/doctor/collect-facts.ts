import { readFile, readdir, statfs } from 'node:fs/promises';
import { openColumnStore, type ColumnStore } from '@flowledger/column-store';
import type { EventLog } from '@flowledger/event-log';
import { systemClock, type Config } from '@flowledger/platform';
import { migrationsDirectory } from '../commands/migrate.js';
import { sql } from '../sql.js';
import type { DoctorFacts, StoreFacts, TopicSetting } from './facts.js';

/** Tables whose engine must know an insert that came before. */
const DEDUPLICATED = [
  'flows',
  'events',
  'red_1m',
  'red_1h',
  'red_edges_1h',
  'edges_1m',
  'edges_1h',
  'drops_1m',
];

/** Asks this machine, the log and the store; what does not answer is left out. */
export async function collectFacts(
  config: Config,
  store: ColumnStore | undefined,
  log: { readonly log: EventLog; readonly topic: readonly TopicSetting[] } | undefined,
  signal: AbortSignal,
): Promise<DoctorFacts> {
  const { durability, fullPolicy, minFree, retentionAge, partitions } = config.log;
  const disk = await statfs(config.data.dir).catch(() => undefined);
  return {
    node: process.versions.node,
    config: {
      durability,
      fullPolicy,
      minFree,
      partitions,
      retentionAgeMs: retentionAge,
      rawDays: config.retention.rawDays,
      host: config.api.host,
      insecure: config.api.insecure,
      hasToken: config.api.token !== '',
    },
    host: {
      openFiles: await openFilesLimit(),
      freeBytes: disk === undefined ? undefined : disk.bavail * disk.bsize,
      fileSystem: disk?.type,
    },
    log: log === undefined ? undefined : { ...(await logFacts(log.log, store, signal)), topic: log.topic },
    store: store === undefined ? undefined : await storeFacts(config, store, signal).catch(() => undefined),
  };
}

async function openFilesLimit(): Promise<number | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Infinity : Number(soft);
}

async function logFacts(
  log: EventLog,
  store: ColumnStore | undefined,
  signal: AbortSignal,
): Promise<Omit<NonNullable<DoctorFacts['log']>, 'topic'>> {
  const plan = sql.plan('ledger_end', { epoch: log.epoch });
  const rows = await store?.query<{ lp: number; next: string }>(plan, signal).then(
    (result) => result.rows,
    () => [],
  );
  let lagMs = 0;
  for (let partition = 0; partition < log.partitions; partition++) {
    const { start, end } = await log.bounds(partition);
    const loaded = BigInt(rows?.find((row) => row.lp === partition)?.next ?? 0);
    const next = loaded > start ? loaded : start;
    if (next >= end) continue;
    const { records } = await log.read(partition, next, { maxBytes: 1, maxWaitMs: 0 });
    lagMs = Math.max(lagMs, systemClock.now() - (records[0]?.appendedMs ?? systemClock.now()));
  }
  return { epoch: log.epoch, partitions: log.partitions, lagMs };
}

async function storeFacts(config: Config, store: ColumnStore, signal: AbortSignal): Promise<StoreFacts> {
  const asked = systemClock.now();
  const now = await store.query<{ now_ms: string; version: string; schema: number }>(
    sql.plan('doctor_now', {}),
    signal,
  );
  const middle = (asked + systemClock.now()) / 2;
  const [row] = now.rows;
  const tables = await store.query<{ name: string; engine: string; engine_full: string }>(
    sql.plan('doctor_tables', {}),
    signal,
  );
  const pinned = await store.query<{ name: string }>(sql.plan('doctor_pinned', {}), signal);
  const flows = tables.rows.find(({ name }) => name === 'flows')?.engine_full ?? '';
  const days = /TTL .*?toIntervalDay\((\d+)\)/.exec(flows)?.[1];
  return {
    version: row?.version ?? '',
    clockSkewMs: Number(row?.now_ms ?? 0) - middle,
    schema: row?.schema ?? 0,
    knownSchema: await knownSchema(),
    dedupWindows: dedupWindows(tables.rows),
    views: tables.rows.filter(({ engine }) => engine === 'MaterializedView').map(({ name }) => name),
    rawTtlDays: days === undefined ? undefined : Number(days),
    highestPartition: await highestPartitions(store, signal),
    pinnedSettings: pinned.rows.map(({ name }) => name),
    readerMayWrite: await readerMayWrite(config, signal),
  };
}

/** Windows of the tables that the loader and its views insert into; a window that is not named is the engine's default. */
function dedupWindows(
  tables: readonly { readonly name: string; readonly engine_full: string }[],
): Readonly<Record<string, number>> {
  const windows: Record<string, number> = {};
  for (const { name, engine_full: definition } of tables) {
    const window = /deduplication_window = (\d+)/.exec(definition)?.[1];
    if (!DEDUPLICATED.includes(name)) continue;
    const replicated = definition.startsWith('Replicated');
    windows[name] = window === undefined ? (replicated ? 1000 : 0) : Number(window);
  }
  return windows;
}

async function knownSchema(): Promise<number> {
  const names = await readdir(migrationsDirectory);
  return Math.max(...names.filter((name) => name.endsWith('.sql')).map((name) => Number(name.slice(0, 4))));
}

async function highestPartitions(
  store: ColumnStore,
  signal: AbortSignal,
): Promise<Readonly<Record<string, number>>> {
  const plan = sql.plan('doctor_partitions', {});
  const { rows } = await store.query<{ epoch: string; highest: number }>(plan, signal);
  return Object.fromEntries(rows.map(({ epoch, highest }) => [epoch, highest]));
}

async function readerMayWrite({ store }: Config, signal: AbortSignal): Promise<boolean | undefined> {
  const { url, readUser: user, readPassword: password, database } = store;
  const reader = openColumnStore({ url, user, password, database });
  try {
    const { rows } = await reader.query<{ readonly: string }>(sql.plan('doctor_reader', {}), signal);
    return rows[0]?.readonly === '0';
  } catch {
    return undefined;
  } finally {
    await reader.close();
  }
}
