// ClickHouse → GraphQL, the start page, metrics. Reads with the read-only user; passes uploads on to the ingestor.
import { createApiServer, readPreparedQueries } from '@flowledger/graphql';
import { readGroupState } from '@flowledger/cli';
import { openColumnStore } from '@flowledger/column-store';
import { openLogReader } from '@flowledger/event-log';
import { runProcess, VERSION } from '@flowledger/platform';
import { startHubbleMetrics } from './hubble-metrics.js';
import { openLive } from './live.js';
import { startObserver } from './observer.js';
import { openPolicies } from './policies.js';
import { apiRoutes } from './routes.js';

const DAY_NS = 86_400_000_000_000n;

await runProcess('api', async ({ config, log, metrics, life }) => {
  const eventLog = await openLogReader(config, log);
  life.own('log', () => eventLog.close());
  const { url, readUser, readPassword, database } = config.store;
  const store = openColumnStore({ url, user: readUser, password: readPassword, database });
  life.own('store', () => store.close());
  const group = () => readGroupState(config.data.dir);
  const intakeUrl = async (): Promise<string | undefined> =>
    config.ingestor.url === ''
      ? (await group())?.processes.find((entry) => entry.name === 'ingestor')?.url
      : config.ingestor.url.replace(/\/$/, '');
  const intake = { intakeUrl, intakeToken: config.admin.token, store, epoch: eventLog.epoch };
  const live = openLive(config, { eventLog, store, log, metrics });
  const retention = {
    rawNs: BigInt(config.retention.rawDays) * DAY_NS,
    minuteNs: BigInt(config.retention.rollupDays) * DAY_NS,
    hourNs: BigInt(config.retention.hourDays) * DAY_NS,
  };
  const observer = await startObserver(config, { store, live: live.flows, retention, log });
  life.own('observer', async () => observer?.close());
  const hubbleMetrics = await startHubbleMetrics(config, live.flows, log);
  life.own('hubble-metrics', async () => hubbleMetrics?.close());
  const server = await createApiServer({
    store,
    log: eventLog,
    live,
    host: config.api.host,
    port: config.api.port,
    ...(config.api.token === '' ? {} : { token: config.api.token }),
    insecure: config.api.insecure,
    allowedHosts: config.api.allowedHosts,
    limits: {
      concurrentQueries: config.api.maxConcurrentQueries,
      requestMs: config.api.queryTimeout,
      costPerSecond: config.api.costPerSecond,
      costBurst: 10 * config.api.costPerSecond,
    },
    introspection: config.api.introspection,
    persisted: {
      mode: config.api.persistedQueries,
      documents:
        config.api.preparedQueries === '' ? [] : await readPreparedQueries(config.api.preparedQueries),
    },
    tenant: config.source.tenant,
    retention,
    version: VERSION,
    status: async () => {
      const answers = await store.version().then(
        () => true,
        () => false,
      );
      const banner = (await group())?.banner;
      return {
        ok: answers,
        store: answers ? 'answers' : 'does not answer',
        ...(observer === undefined ? {} : { observer: observer.address }),
        ...(banner === undefined ? {} : { banner }),
      };
    },
    policies: await openPolicies(config, log, life),
    metrics,
    logger: log,
    routes: await apiRoutes(config, intake, retention),
  });
  life.own('server', () => server.close());
  return { url: server.url, ...(observer === undefined ? {} : { observer: observer.address }) };
});
