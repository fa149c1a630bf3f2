import { openColumnStore } from '@flowledger/column-store';
import { createObserverServer } from '@flowledger/observer';
import { openLog } from '@flowledger/platform';

const KEPT_NS = 20_000n * 86_400_000_000_000n;

/** What the bench tells this process: where the store is. */
export interface ObserverOrder {
  readonly url: string;
  readonly database: string;
  readonly password: string;
}

// A server of its own process, as in the product: the client that is measured must not share its thread.
process.once('message', (order: ObserverOrder) => {
  const store = openColumnStore({ ...order, user: 'reader' });
  const serving = createObserverServer({
    store,
    host: '127.0.0.1',
    port: 0,
    credentials: { token: '', username: '', password: '' },
    insecure: false,
    matchInferred: false,
    tenant: 'default',
    version: 'bench',
    log: openLog('bench-observer', 'error'),
    retention: { rawNs: KEPT_NS, minuteNs: KEPT_NS, hourNs: KEPT_NS },
  });
  void serving.then(({ address }) => process.send?.({ address }));
});
process.once('disconnect', () => process.exit(0));
