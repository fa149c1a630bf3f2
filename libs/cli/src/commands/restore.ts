import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest, restoreLog, restorePolicies, restoreTables, verifyBackup } from '@flowledger/archive';
import {
  AppError,
  configOrExit,
  EXIT,
  openLog,
  stopSignal,
  takeProcessLock,
  type Config,
} from '@flowledger/platform';
import { takeWord } from '../flags.js';
import { openWriter } from '../group/running-store.js';
import { startStoreProcess } from '../group/store-process.js';
import { summary } from './backup.js';
import { migrateStore } from './migrate.js';

/**
 * `flowledger restore FOLDER`: a backup into an empty data directory, or with `store.url` into the empty tables of a
 * server. What the log of the backup holds beyond its tables is loaded at the next start. Ends with one JSON line.
 */
export async function restore(argv: readonly string[]): Promise<number> {
  const { word: folder, rest } = takeWord(argv, 'the folder of the backup');
  const config = configOrExit(rest);
  const signal = stopSignal();
  const { damaged } = await verifyBackup(folder, signal);
  if (damaged.length > 0) {
    const names = damaged.slice(0, 5).map((file) => file.path);
    throw new AppError('CONFLICT', `damaged: ${names.join(', ')} (${damaged.length} files)`, {
      retry: false,
    });
  }
  const lock = await emptyDirectory(config);
  try {
    if (config.log.kind === 'embedded') await restoreLog(folder, join(config.data.dir, 'log'));
    await restorePolicies(folder, join(config.data.dir, 'policies'));
    await (config.store.url === ''
      ? intoEmbedded(config, folder, signal)
      : intoServer(config, folder, false, signal));
    process.stdout.write(`${JSON.stringify({ folder, ...summary(await readManifest(folder)) })}\n`);
    return EXIT.ok;
  } finally {
    await lock();
  }
}

const HELD = ['log', 'store', 'policies'];

/** Takes the data directory for this restore; refuses one that holds a log, a store or policies. */
async function emptyDirectory({ data }: Config): Promise<() => Promise<void>> {
  await mkdir(data.dir, { recursive: true });
  const held = (await readdir(data.dir)).filter((name) => HELD.includes(name));
  if (held.length > 0)
    throw new AppError('CONFLICT', `${data.dir} already holds ${held.join(' and ')}`, { retry: false });
  return takeProcessLock(join(data.dir, 'run'), 'group');
}

async function intoEmbedded(config: Config, folder: string, signal: AbortSignal): Promise<void> {
  const log = openLog('restore', config.diagnostics.level);
  const engine = await startStoreProcess(config, log, () => undefined);
  try {
    const store = { ...config.store, url: engine.url, password: engine.credentials.writer };
    await intoServer({ ...config, store }, folder, true, signal);
  } finally {
    await engine.stop();
  }
}

async function intoServer(
  config: Config,
  folder: string,
  embedded: boolean,
  signal: AbortSignal,
): Promise<void> {
  await migrateStore(config, embedded);
  const store = openWriter(config);
  let pieces = 0;
  try {
    const onPiece = ({ table }: { readonly table: string }): void => {
      process.stderr.write(`${++pieces} pieces, ${table}\n`);
    };
    await restoreTables({ folder, store, database: config.store.database, onPiece }, signal);
  } finally {
    await store.close();
  }
}
