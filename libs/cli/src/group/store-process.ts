import { join } from 'node:path';
import { standardUsers, startEmbeddedClickHouse } from '@flowledger/embedded-clickhouse';
import { startTicks } from '@flowledger/platform';
import type { Config, Log } from '@flowledger/platform';
import { storeCredentials, type StoreCredentials } from './credentials.js';
import { type ProcessEntry } from './run-state.js';

/** The embedded engine's process as the group sees it. */
export interface StoreProcess {
  readonly url: string;
  readonly credentials: StoreCredentials;
  readonly entry: ProcessEntry;
  readonly stop: () => Promise<void>;
}

/** Starts the embedded engine on `<data>/store` and keeps it running however often it dies; `changed` after each change. */
export async function startStoreProcess(
  config: Config,
  log: Log,
  changed: () => void,
): Promise<StoreProcess> {
  const credentials = await storeCredentials(config.data.dir);
  let restarts = 0;
  let since = new Date().toISOString();
  const store = await startEmbeddedClickHouse({
    directory: join(config.data.dir, 'store'),
    port: config.store.port,
    users: standardUsers({
      database: config.store.database,
      passwords: credentials,
      maxMemoryBytes: config.store.memory,
    }),
    maxMemoryBytes: config.store.memory,
    maxCrashes: Infinity,
    onLog: (line) => log.debug({ line }, 'store says'),
    onExit: (exit) => {
      log.warn({ code: exit.code, signal: exit.signal }, 'store ended, starting it again');
      changed();
    },
    onRestart: () => {
      restarts++;
      since = new Date().toISOString();
      changed();
    },
  });
  return {
    url: store.url,
    credentials,
    get entry() {
      return {
        name: 'store',
        pid: store.pid,
        startTicks: startTicks(store.pid) ?? '',
        since,
        restarts,
        url: store.url,
      };
    },
    stop: () => store.stop(),
  };
}
