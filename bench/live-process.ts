import { openColumnStore } from '@flowledger/column-store';
import { openEmbeddedLog } from '@flowledger/event-log';
import { createApiServer } from '@flowledger/graphql';
import { openLiveFlows } from '@flowledger/live';

/** What the bench tells this process: where the log is; later, that it wants to know what was used. */
export type LiveOrder = { readonly directory: string } | 'usage';

/** Memory after a collection, bytes, and processor time so far, µs. */
export interface LiveUsage {
  readonly rss: number;
  readonly cpuUs: number;
}

const KEPT_DAYS = 20_000;

/** As in the product: the log is another process's, and the client is in neither. The store is never asked. */
async function serve(directory: string): Promise<string> {
  const log = await openEmbeddedLog({ directory, mode: 'reader', openWaitMs: 5_000 });
  const keys = { before: () => Promise.resolve([]), within: () => Promise.resolve([]) };
  const flows = openLiveFlows({ log, group: 'loader', tenant: 'default', rawTtlDays: KEPT_DAYS, keys });
  const store = openColumnStore({ url: 'http://127.0.0.1:1', user: 'none', password: '', database: 'none' });
  const { url } = await createApiServer({
    store,
    log,
    live: { flows },
    host: '127.0.0.1',
    port: 0,
    tenant: 'default',
    version: 'bench',
    status: () => Promise.resolve({ ok: true }),
  });
  return url;
}

process.on('message', (order: LiveOrder) => {
  if (order !== 'usage') {
    void serve(order.directory).then((url) => process.send?.({ url }));
    return;
  }
  const { user, system } = process.cpuUsage();
  process.send?.({ rss: process.memoryUsage().rss, cpuUs: user + system } satisfies LiveUsage);
});
process.once('disconnect', () => process.exit(0));
