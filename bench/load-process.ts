import { openColumnStore, type ColumnStoreOptions } from '@flowledger/column-store';
import { openEmbeddedLog } from '@flowledger/event-log';
import { loadLog } from './log-store.js';

/** What the bench tells this process: which log to load into which store. */
export interface LoadOrder {
  readonly directory: string;
  readonly store: Pick<ColumnStoreOptions, 'url' | 'user' | 'password' | 'database'>;
}

// The worker's part of the product alone, in a process of its own as the worker is: what the bench holds in memory is
// not for its garbage collector to walk.
process.on('message', (order: LoadOrder) => void load(order));
process.once('disconnect', () => process.exit(0));

async function load(order: LoadOrder): Promise<void> {
  const log = await openEmbeddedLog({ directory: order.directory, mode: 'reader' });
  const store = openColumnStore(order.store);
  try {
    await loadLog(log, store);
  } finally {
    await store.close();
    await log.close();
  }
  process.send?.('loaded');
}
