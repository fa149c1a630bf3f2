import { openColumnStore, type ColumnStore } from '@flowledger/column-store';
import { AppError, type Config } from '@flowledger/platform';
import { storeCredentials } from './credentials.js';
import { isRunning, readGroupState } from './run-state.js';

/**
 * The configuration with the address and password of the embedded store filled in, when no server is configured. Rejects
 * STORE_UNAVAILABLE (retry) when the embedded store does not run.
 */
export async function withRunningStore(config: Config): Promise<Config> {
  if (config.store.url !== '') return config;
  const group = await readGroupState(config.data.dir);
  const entry = group?.processes.find((process) => process.name === 'store');
  if (entry?.url === undefined || !isRunning(entry)) {
    const text = `the store on ${config.data.dir} does not run: start it with \`flowledger start\``;
    throw new AppError('STORE_UNAVAILABLE', text, { retry: true });
  }
  const { writer } = await storeCredentials(config.data.dir);
  return { ...config, store: { ...config.store, url: entry.url, password: writer } };
}

/** A client of the configured store's writing user; close it when done. */
export function openWriter({ store }: Config): ColumnStore {
  const { url, user, password, database } = store;
  return openColumnStore({ url, user, password, database, requestTimeoutMs: 3_600_000 });
}
