// Event log → ClickHouse. On Kafka any number of workers share the partitions; on the embedded log a second one stands by.
import { openColumnStore } from '@flowledger/column-store';
import { LOADER_GROUP, openLogReader } from '@flowledger/event-log';
import { describeLoader, keepSizes, loaderLag, loaderMetrics, runLoader } from '@flowledger/sink';
import {
  collectLessOften,
  describeError,
  runProcess,
  startAdminServer,
  systemClock,
} from '@flowledger/platform';

collectLessOften();
await runProcess('worker', async ({ config, log, metrics, life, signal }) => {
  const eventLog = await openLogReader(config, log);
  life.own('log', () => eventLog.close());
  const { url, user, password, database } = config.store;
  const store = openColumnStore({ url, user, password, database });
  life.own('store', () => store.close());
  const loader = runLoader(
    {
      log: eventLog,
      store,
      group: LOADER_GROUP,
      logger: log,
      rawTtlDays: config.retention.rawDays,
      limits: { maxRows: config.sink.maxRows, maxAgeMs: config.sink.maxAge },
      events: loaderMetrics(metrics),
    },
    signal,
  );
  life.own('loader', () => loader.done);
  const { rawSize, rollupSize, minFree } = config.retention;
  const limits = { bytes: { raw: rawSize, rollup: rollupSize }, minFree };
  const keeping = keepSizes({ store, limits, clock: systemClock, logger: log }, signal);
  life.own('sizes', () => keeping);
  loader.done.catch((error: unknown) => {
    // Nothing of the log is lost: the supervisor starts this process again, and it goes on where the ledger ends.
    log.error({ error: describeError(error) }, 'loader ended');
    process.exit(1);
  });
  const status = () => describeLoader(loader, eventLog);
  const admin = await startAdminServer({
    ...config.admin,
    metrics,
    status,
    ready: async () => (await store.version()) !== '' && (await status()).ok,
    refresh: loaderLag(metrics, status),
  });
  life.own('admin', () => admin.close());
  return { url: admin.url };
});
