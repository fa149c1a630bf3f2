import { join } from 'node:path';
import { compareStores, moveTables } from '@flowledger/archive';
import type { ColumnStore } from '@flowledger/column-store';
import { LOADER_GROUP, openLogReader, openLogWriter, type EventLog } from '@flowledger/event-log';
import {
  AppError,
  configOrExit,
  EXIT,
  openLog,
  stopSignal,
  systemClock,
  takeProcessLock,
  type Config,
  type Log,
} from '@flowledger/platform';
import { runLoader } from '@flowledger/sink';
import { takeFlag } from '../flags.js';
import { openWriter } from '../group/running-store.js';
import { startStoreProcess } from '../group/store-process.js';
import { sql } from '../sql.js';
import { migrateStore } from './migrate.js';

const POLL_MS = 250;

/**
 * `flowledger move --data-dir D --to FILE`: from the embedded store of D to the ClickHouse server (and the log) that the
 * configuration FILE names. Nothing may run on D. What D's log holds beyond its tables is loaded first, then every
 * table is copied and compared; the log of FILE is opened, so that its topic is there. D is left as it was. Ends with
 * one JSON line; exit 1 when a table differs.
 */
export async function move(argv: readonly string[]): Promise<number> {
  const { value: file, rest } = takeFlag(argv, '--to');
  if (file === undefined)
    throw new AppError('INVALID_ARGUMENT', 'move --to FILE, the configuration to move to', { retry: false });
  const from = configOrExit(rest);
  const to = configOrExit(['--config', file]);
  if (from.store.url !== '' || to.store.url === '') {
    const text =
      'move goes from an embedded store to a ClickHouse server: store.url belongs into the file only';
    throw new AppError('INVALID_ARGUMENT', text, { retry: false });
  }
  const logger = openLog('move', from.diagnostics.level);
  const release = await takeProcessLock(join(from.data.dir, 'run'), 'group');
  try {
    const engine = await startStoreProcess(from, logger, () => undefined);
    try {
      const store = { ...from.store, url: engine.url, password: engine.credentials.writer };
      return await moveBetween({ ...from, store }, to, logger, stopSignal());
    } finally {
      await engine.stop();
    }
  } finally {
    await release();
  }
}

async function moveBetween(from: Config, to: Config, logger: Log, signal: AbortSignal): Promise<number> {
  await migrateStore(from, true);
  await migrateStore(to, false);
  const [here, there] = [openWriter(from), openWriter(to)];
  try {
    await loadRest(from, here, logger, signal);
    let pieces = 0;
    await moveTables(
      { store: here, database: from.store.database },
      { store: there, database: to.store.database },
      ({ table }) => process.stderr.write(`${++pieces} pieces, ${table}\n`),
      signal,
    );
    const compared = await compareStores(here, there, signal);
    const log = await openLogWriter(to, logger);
    const epoch = log.epoch.toString();
    await log.close();
    process.stdout.write(`${JSON.stringify({ pieces, ...compared, epoch })}\n`);
    return compared.differences.length === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    await here.close();
    await there.close();
  }
}

/** Loads what the log holds beyond the tables, so that nothing of it is left behind. */
async function loadRest(config: Config, store: ColumnStore, logger: Log, signal: AbortSignal): Promise<void> {
  const log = await openLogReader(config);
  const enough = new AbortController();
  const either = AbortSignal.any([signal, enough.signal]);
  const loader = runLoader(
    { log, store, group: LOADER_GROUP, logger, rawTtlDays: config.retention.rawDays },
    either,
  );
  // A loader that fails ends the waiting below by its rejection.
  const failed = loader.done.then(() => undefined);
  try {
    while (!(await isLoaded(log, store, signal)))
      await Promise.race([failed, systemClock.sleep(POLL_MS, signal)]);
  } finally {
    enough.abort();
    await loader.done;
    await log.close();
  }
}

async function isLoaded(log: EventLog, store: ColumnStore, signal: AbortSignal): Promise<boolean> {
  const plan = sql.plan('ledger_end', { epoch: log.epoch });
  const { rows } = await store.query<{ lp: number; next: string }>(plan, signal);
  for (let partition = 0; partition < log.partitions; partition++) {
    const { start, end } = await log.bounds(partition);
    const next = BigInt(rows.find(({ lp }) => lp === partition)?.next ?? 0);
    if (end > start && next < end) return false;
  }
  return true;
}
